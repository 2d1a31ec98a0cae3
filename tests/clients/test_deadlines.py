"""statement_timeout, transaction_timeout, idle_transaction_timeout: the exact error, the
transaction undone, its locks released, the connection used again, nobody else hit."""
import contextlib
import select
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import servers
from servers import value

STATEMENT, TRANSACTION, IDLE = 500, 1200, 400
LIMITS = f"""statement_timeout = "{STATEMENT}ms"
transaction_timeout = "{TRANSACTION}ms"
idle_transaction_timeout = "{IDLE}ms"
"""
PAUSE = 0.65  # longer than IDLE


def postgres_database(cluster, name, limits, size=2):
    return f"""
[databases.{name}]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"
pool = {{ size = {size} }}
{limits}"""


TENANTS = """
[tenants]
key = "database"
[tenants.default]
idle_transaction_timeout = "1h"
[tenants.tenants]
statement_timeout = "250ms"
[tenants.narrow]
max_buffer = "1B"
[tenants.narrow_lite]
max_buffer = "1B"
"""
USERS = f'[users.alice]\npassword = "{servers.PASSWORD}"\n'


@pytest.fixture(scope="module")
def running(cluster, folder):
    config = (
        postgres_database(cluster, "one", LIMITS, 1)
        + postgres_database(cluster, "long", 'transaction_timeout = "600ms"', 1)
        + postgres_database(cluster, "two", 'statement_timeout = "300ms"', 2)
        + postgres_database(cluster, "four", LIMITS, 4)
        + postgres_database(cluster, "pinned", LIMITS, 4).replace("size", 'mode = "session", size')
        + postgres_database(cluster, "tenants", 'statement_timeout = "1h"', 2)
        + postgres_database(cluster, "narrow", "", 4)
        + postgres_database(cluster, "deaf", 'statement_timeout = "300ms"', 1).replace(
            "size", 'cancel_timeout = "500ms", size')
        + "\n"
        + f'[databases.lite]\nengine = "sqlite"\nfile = "deadlines.db"\n{LIMITS}'
        + '[databases.narrow_lite]\nengine = "sqlite"\nfile = "narrow.db"\n'
        + TENANTS + USERS)
    with servers.Sluice(folder / "deadlines", config) as gateway:
        yield gateway


@pytest.fixture
def gateway(cluster, running):
    cluster.sql("CREATE TABLE IF NOT EXISTS rows_of_deadlines (n int);"
                "TRUNCATE rows_of_deadlines; GRANT ALL ON rows_of_deadlines TO alice")
    yield running
    assert running.process.poll() is None, "Sluice has ended"


def connect(gateway, database, **options):
    target = servers.Target(database, gateway.port, database, "alice", servers.PASSWORD)
    return psycopg.connect(target.dsn(), **{"autocommit": True, **options})


def said(gateway_name, setting, number):
    return f"(databases.{gateway_name}.{setting} = {number} ms)"


@pytest.mark.postgres
def test_statement(gateway):
    with connect(gateway, "one") as client:
        pid = value(client, "SELECT pg_backend_pid()")
        for statement in ("SELECT pg_sleep(20)", "SELECT 1, pg_sleep(%s)"):
            begin = time.monotonic()
            with pytest.raises(psycopg.errors.QueryCanceled) as caught:
                client.execute(statement, [20] if "%s" in statement else None)
            assert 0.4 < time.monotonic() - begin < 3
            assert caught.value.diag.message_primary == (
                "canceling statement due to statement timeout "
                + said("one", "statement_timeout", STATEMENT))
            assert value(client, "SELECT pg_backend_pid()") == pid


@pytest.mark.postgres
def test_statement_that_only_reads(gateway):
    """It shares its connection, and takes too long."""
    slow = "SELECT count(*) FROM generate_series(1, 100000000) a"
    with connect(gateway, "two") as client:
        with pytest.raises(psycopg.errors.QueryCanceled, match="two.statement_timeout = 300 ms"):
            client.execute(slow)
        assert value(client, "SELECT 1") == 1


@pytest.mark.postgres
def test_waiting_does_not_count(gateway):
    with connect(gateway, "one") as first, connect(gateway, "one") as second:
        thread = threading.Thread(target=first.execute, args=("SELECT pg_sleep(0.35)",))
        thread.start()
        time.sleep(0.05)
        begin = time.monotonic()
        second.execute("SELECT pg_sleep(0.35)")
        assert time.monotonic() - begin > STATEMENT / 1000
        thread.join()


@pytest.mark.postgres
def test_statement_in_a_transaction(gateway):
    with connect(gateway, "one") as client:
        client.execute("BEGIN")
        client.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        with pytest.raises(psycopg.errors.QueryCanceled, match="one.statement_timeout"):
            client.execute("SELECT pg_sleep(20)")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            client.execute("SELECT 1")
        client.execute("ROLLBACK")
        assert value(client, "SELECT count(*) FROM rows_of_deadlines") == 0


@pytest.mark.postgres
def test_idle_transaction(gateway, cluster):
    with connect(gateway, "one", autocommit=False) as idle, connect(gateway, "one") as other:
        pid = value(idle, "SELECT pg_backend_pid()")
        idle.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        idle.execute("LOCK TABLE rows_of_deadlines")
        begin = time.monotonic()
        # The only connection, and the lock.
        assert value(other, "SELECT count(*) FROM rows_of_deadlines") == 0
        assert 0.3 < time.monotonic() - begin < 2
        assert value(other, "SELECT pg_backend_pid()") == pid
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout) as caught:
            idle.execute("INSERT INTO rows_of_deadlines VALUES (2)")
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to idle-in-transaction timeout "
            + said("one", "idle_transaction_timeout", IDLE))
        assert idle.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            idle.execute("INSERT INTO rows_of_deadlines VALUES (3)")
        idle.rollback()
        idle.execute("INSERT INTO rows_of_deadlines VALUES (4)")
        idle.commit()
        assert [row for row, in other.execute("SELECT n FROM rows_of_deadlines")] == [4]


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["four", "pinned"])
def test_commit_of_a_lost_transaction_fails(gateway, database):
    ends = ("COMMIT", "END; SELECT 1", "commit  ")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway, database)) for _ in ends]
        for client in clients:
            client.execute("BEGIN")
            client.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        time.sleep(PAUSE)
        for client, end in zip(clients, ends):
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                client.execute(end)
            assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            assert value(client, "SELECT count(*) FROM rows_of_deadlines") == 0


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["four", "pinned"])
@pytest.mark.parametrize("binary", [False, True])
def test_ways_to_end_a_lost_transaction(gateway, database, binary):
    """As in any failed transaction: COMMIT answers ROLLBACK, in both protocols."""
    ways = (("ROLLBACK", 0), ("COMMIT", 0), ("ROLLBACK AND CHAIN", 2), ("ABORT", 0))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway, database)) for _ in ways]
        for client in clients:
            client.execute("BEGIN")
            client.execute("SET LOCAL work_mem = '1MB'")
        time.sleep(PAUSE)
        for client, (statement, status) in zip(clients, ways):
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                client.execute("SELECT 1")
            done = client.execute(statement, binary=binary, prepare=binary)
            assert done.statusmessage == "ROLLBACK", statement
            assert client.info.transaction_status == status, statement
            client.rollback()
            assert value(client, "SELECT 1") == 1


@pytest.mark.postgres
def test_rollback_of_a_lost_transaction_needs_no_error(gateway):
    with connect(gateway, "one", autocommit=False) as client:
        client.execute("SET application_name = 'inside'")
        time.sleep(PAUSE)
        client.rollback()
        # What it set went with it.
        assert value(client, "SHOW application_name") != "inside"


@pytest.mark.postgres
def test_transaction(gateway):
    with connect(gateway, "long") as client, connect(gateway, "long") as other:
        pid = value(client, "SELECT pg_backend_pid()")
        client.execute("BEGIN")
        client.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        begin = time.monotonic()
        with pytest.raises(psycopg.errors.lookup("25P04")
                           if hasattr(psycopg.errors, "TransactionTimeout")
                           else psycopg.DatabaseError) as caught:
            while time.monotonic() - begin < 5:  # never idle
                client.execute("SELECT pg_sleep(0.05)")
        assert 0.5 < time.monotonic() - begin < 2
        assert caught.value.sqlstate == "25P04"
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to transaction timeout "
            + said("long", "transaction_timeout", 600))
        # Others have the connection, though the client has not ended it.
        assert value(other, "SELECT pg_backend_pid()") == pid
        assert value(other, "SELECT count(*) FROM rows_of_deadlines") == 0
        client.execute("ROLLBACK")
        assert value(client, "SELECT pg_backend_pid()") == pid


@pytest.mark.postgres
def test_copy_that_stalls(gateway):
    with connect(gateway, "one") as client:
        with pytest.raises(psycopg.errors.QueryCanceled, match="one.statement_timeout"):
            with client.cursor().copy("COPY rows_of_deadlines FROM STDIN") as copy:
                copy.write("1\n")
                time.sleep(1)
                copy.write("2\n")
        assert value(client, "SELECT count(*) FROM rows_of_deadlines") == 0


@pytest.mark.postgres
def test_nobody_else_is_hit(gateway):
    """Some clients run out of time again and again, on two connections that others share."""
    until = time.monotonic() + 2
    wrong, counts = [], {"short": 0, "timeouts": 0}

    def short(number):
        with connect(gateway, "two") as client:
            while time.monotonic() < until:
                counts["short"] += 1
                n = counts["short"]
                try:
                    got = value(client, "SELECT %s::int + count(*) FROM generate_series(1, 10)", n)
                except psycopg.Error as error:
                    wrong.append((number, error))
                    continue
                if got != n + 10:
                    wrong.append((number, got, n + 10))

    def long(number):
        with connect(gateway, "two") as client:
            while time.monotonic() < until:
                try:
                    # The same shape as a short one: it is let in among them.
                    value(client, "SELECT %s::int + count(*) FROM generate_series(1, 300000000)",
                          number)
                    wrong.append((number, "not cancelled"))
                except psycopg.errors.QueryCanceled as error:
                    counts["timeouts"] += 1
                    if "two.statement_timeout = 300 ms" not in str(error):
                        wrong.append((number, error))
                if value(client, "SELECT 7") != 7:
                    wrong.append((number, "not 7"))

    threads = [threading.Thread(target=short, args=(n,)) for n in range(8)]
    threads += [threading.Thread(target=long, args=(n,)) for n in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    assert counts["timeouts"] >= 4 and counts["short"] > 100, counts


# --- whose limit it is, and who does not read

@pytest.mark.postgres
def test_tenants_limit(gateway):
    """The smaller one holds, and is named."""
    with connect(gateway, "tenants") as client:
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            client.execute("SELECT pg_sleep(20)")
        assert caught.value.diag.message_primary == (
            "canceling statement due to statement timeout (tenants.tenants.statement_timeout "
            "= 250 ms)")


WIDE = "SELECT repeat('x', 1000) FROM generate_series(1, 50000)"
WIDE_LITE = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) "
             "SELECT printf('%.1000c', 'x') FROM c")


def ask_and_not_read(connection, statement):
    """What comes of the reply stays in the sockets and in the gateway. It has begun."""
    connection.pgconn.send_query(statement.encode())
    connection.pgconn.flush()
    assert select.select([connection.pgconn.socket], [], [], 10)[0], "no reply"


def take_all(connection):
    rows = 0
    while result := connection.pgconn.get_result():
        rows += result.ntuples
    return rows


@pytest.mark.postgres
def test_who_does_not_read_is_ended(gateway):
    """The reply takes longer than the statement may: the backend is free again."""
    deaf = connect(gateway, "deaf")
    with connect(gateway, "deaf") as other:
        ask_and_not_read(deaf, WIDE)
        begin = time.monotonic()
        assert value(other, "SELECT 1") == 1
        assert 0.7 < time.monotonic() - begin < 5
    deaf.close()


@pytest.mark.parametrize("database", ["narrow", "narrow_lite"])
def test_max_buffer(gateway, database):
    """Bytes that a client does not take hold up its tenant, and nobody else."""
    with (connect(gateway, database) as deaf, connect(gateway, database) as other,
          connect(gateway, "lite") as elsewhere):
        ask_and_not_read(deaf, WIDE if database == "narrow" else WIDE_LITE)
        time.sleep(0.3)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(value(other, "SELECT 1")))
        thread.start()
        for _ in range(5):
            assert value(elsewhere, "SELECT 1") == 1
            time.sleep(0.05)
        assert not answers
        assert take_all(deaf) == 50000
        thread.join(5)
        assert answers == [1]


# --- MariaDB

def my_connect(gateway, database, **options):
    return pymysql.connect(host="127.0.0.1", port=gateway.port, user="alice",
                           password=mariadb.PASSWORD, database=database, autocommit=True,
                           **options)


def ask(connection, statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
        return row[0] if row else None


@pytest.fixture(scope="module")
def my_running(my_server, folder):
    config = (
        mariadb.database(my_server, "one", "size = 1") + LIMITS
        + mariadb.database(my_server, "long", "size = 1") + 'transaction_timeout = "600ms"\n'
        + mariadb.database(my_server, "tenants", "size = 2") + 'statement_timeout = "1h"\n'
        + mariadb.database(my_server, "narrow", "size = 4")
        + f'[databases.lite]\nengine = "sqlite"\nfile = "deadlines.db"\n{LIMITS}'
        + '[databases.narrow_lite]\nengine = "sqlite"\nfile = "narrow.db"\n'
        + TENANTS + f'[users.alice]\npassword = "{mariadb.PASSWORD}"\n')
    with servers.Sluice(folder / "my_deadlines", config, listen=mariadb.LISTEN) as gateway:
        yield gateway


@pytest.fixture
def my_gateway(my_server, my_running):
    my_server.sql("CREATE TABLE IF NOT EXISTS rows_of_deadlines (n int) ENGINE=InnoDB",
                  "TRUNCATE rows_of_deadlines", database="app")
    yield my_running
    assert my_running.process.poll() is None, "Sluice has ended"


@pytest.mark.mariadb
def test_my_statement(my_gateway):
    with my_connect(my_gateway, "one") as client:
        number = ask(client, "SELECT CONNECTION_ID()")
        for _ in range(3):
            begin = time.monotonic()
            with pytest.raises(pymysql.err.MySQLError) as caught:
                ask(client, "SELECT COUNT(*), SUM(a.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b")
            assert 0.4 < time.monotonic() - begin < 3
            assert caught.value.args == (
                3024, "canceling statement due to statement timeout "
                + said("one", "statement_timeout", STATEMENT))
            assert ask(client, "SELECT CONNECTION_ID()") == number


@pytest.mark.mariadb
def test_my_tenants_limit(my_gateway):
    with my_connect(my_gateway, "tenants") as client:
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(client, "SELECT COUNT(*), SUM(a.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b")
        assert caught.value.args == (3024, "canceling statement due to statement timeout "
                                     "(tenants.tenants.statement_timeout = 250 ms)")


@pytest.mark.parametrize("database", ["narrow", "narrow_lite"])
def test_my_max_buffer(my_gateway, database):
    wide = "SELECT REPEAT('x', 1000) FROM seq_1_to_50000" if database == "narrow" else WIDE_LITE
    streaming = {"cursorclass": pymysql.cursors.SSCursor}
    with (my_connect(my_gateway, database, **streaming) as deaf,
          my_connect(my_gateway, database) as other):
        cursor = deaf.cursor()
        cursor.execute(wide)
        time.sleep(0.3)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(other, "SELECT 1")))
        thread.start()
        time.sleep(0.3)
        assert not answers
        assert sum(1 for _ in cursor) == 50000
        thread.join(5)
        assert answers == [1]


@pytest.mark.mariadb
def test_my_idle_transaction(my_gateway):
    with my_connect(my_gateway, "one") as idle, my_connect(my_gateway, "one") as other:
        number = ask(idle, "SELECT CONNECTION_ID()")
        idle.begin()
        ask(idle, "INSERT INTO rows_of_deadlines VALUES (1)")
        begin = time.monotonic()
        assert ask(other, "SELECT COUNT(*) FROM rows_of_deadlines") == 0
        assert 0.3 < time.monotonic() - begin < 2
        assert ask(other, "SELECT CONNECTION_ID()") == number
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(idle, "INSERT INTO rows_of_deadlines VALUES (2)")
        assert caught.value.args[0] == 3024
        assert caught.value.args[1].startswith(
            "transaction rolled back due to idle-in-transaction timeout "
            + said("one", "idle_transaction_timeout", IDLE))
        ask(idle, "INSERT INTO rows_of_deadlines VALUES (3)")
        assert ask(other, "SELECT GROUP_CONCAT(n) FROM rows_of_deadlines") == "3"


@pytest.mark.mariadb
@pytest.mark.parametrize("end,fails", [("commit", True), ("rollback", False)])
def test_my_end_of_a_lost_transaction(my_gateway, end, fails):
    with my_connect(my_gateway, "one") as client:
        client.begin()
        ask(client, "INSERT INTO rows_of_deadlines VALUES (1)")
        time.sleep(PAUSE)
        if fails:
            with pytest.raises(pymysql.err.MySQLError, match="idle_transaction_timeout"):
                client.commit()
        else:
            client.rollback()
        assert ask(client, "SELECT COUNT(*) FROM rows_of_deadlines") == 0


@pytest.mark.mariadb
def test_my_transaction(my_gateway):
    with my_connect(my_gateway, "long") as client, my_connect(my_gateway, "long") as other:
        number = ask(client, "SELECT CONNECTION_ID()")
        client.begin()
        ask(client, "INSERT INTO rows_of_deadlines VALUES (1)")
        begin = time.monotonic()
        with pytest.raises(pymysql.err.MySQLError, match="long.transaction_timeout = 600") as caught:
            while time.monotonic() - begin < 5:
                ask(client, "SELECT BENCHMARK(100000, MD5('a'))")
        assert caught.value.args[0] == 3024
        assert 0.5 < time.monotonic() - begin < 2
        assert ask(other, "SELECT CONNECTION_ID()") == number
        assert ask(other, "SELECT COUNT(*) FROM rows_of_deadlines") == 0
        assert ask(client, "SELECT CONNECTION_ID()") == number


# --- SQLite, by both protocols

SLOW = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000) "
        "SELECT count(*) FROM c")


def test_sqlite_statement(gateway):
    with connect(gateway, "lite") as client:
        begin = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            client.execute(SLOW)
        assert 0.4 < time.monotonic() - begin < 3
        assert caught.value.diag.message_primary == (
            "canceling statement due to statement timeout "
            + said("lite", "statement_timeout", STATEMENT))
        assert value(client, "SELECT 1") == 1


def test_sqlite_writer_is_freed(gateway):
    with connect(gateway, "lite", autocommit=False) as idle, connect(gateway, "lite") as other:
        other.execute("CREATE TABLE IF NOT EXISTS t (n int)")
        idle.execute("INSERT INTO t VALUES (1)")
        begin = time.monotonic()
        other.execute("INSERT INTO t VALUES (2)")
        assert 0.3 < time.monotonic() - begin < 3
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout) as caught:
            idle.execute("INSERT INTO t VALUES (3)")
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to idle-in-transaction timeout "
            + said("lite", "idle_transaction_timeout", IDLE))
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            idle.execute("SELECT 1")
        idle.rollback()
        assert [n for n, in other.execute("SELECT n FROM t")] == [2]
        other.execute("DROP TABLE t")


@pytest.mark.parametrize("prepare", [False, True])
def test_sqlite_transaction(gateway, prepare):
    with connect(gateway, "lite") as client, connect(gateway, "lite") as other:
        other.execute("CREATE TABLE IF NOT EXISTS t2 (n int)")
        client.execute("BEGIN")
        client.execute("SAVEPOINT s")
        begin = time.monotonic()
        with pytest.raises(psycopg.Error) as caught:
            while time.monotonic() - begin < 5:
                client.execute("INSERT INTO t2 VALUES (1)", prepare=prepare)
                time.sleep(0.05)
        assert 1.1 < time.monotonic() - begin < 4
        assert caught.value.sqlstate == "25P04"
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to transaction timeout "
            + said("lite", "transaction_timeout", TRANSACTION))
        other.execute("INSERT INTO t2 VALUES (2)")
        assert client.execute("COMMIT", prepare=prepare, binary=prepare).statusmessage == "ROLLBACK"
        client.execute("BEGIN")
        time.sleep(1.5)
        with pytest.raises(psycopg.Error, match="lite.transaction_timeout"):
            client.execute("COMMIT", prepare=prepare, binary=prepare)
        assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert [n for n, in client.execute("SELECT n FROM t2")] == [2]
        other.execute("DROP TABLE t2")


def test_my_sqlite_statement(my_gateway):
    with my_connect(my_gateway, "lite") as client:
        begin = time.monotonic()
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(client, SLOW)
        assert 0.4 < time.monotonic() - begin < 3
        assert caught.value.args == (3024, "canceling statement due to statement timeout "
                                     + said("lite", "statement_timeout", STATEMENT))
        assert ask(client, "SELECT 1") == 1


@pytest.mark.parametrize("pause", [0.05, 5])
def test_my_sqlite_transaction(my_gateway, pause):
    """Never idle, or always."""
    setting = "transaction_timeout" if pause < 1 else "idle_transaction_timeout"
    with my_connect(my_gateway, "lite") as client, my_connect(my_gateway, "lite") as other:
        ask(other, "CREATE TABLE IF NOT EXISTS t (n int)")
        client.begin()
        begin = time.monotonic()
        with pytest.raises(pymysql.err.MySQLError, match=f"lite.{setting} = ") as caught:
            while time.monotonic() - begin < 5:
                ask(client, "INSERT INTO t VALUES (1)")
                if pause > 1:
                    ask(other, "INSERT INTO t VALUES (2)")  # waits for the writer
                time.sleep(min(pause, 0.1))
        assert caught.value.args[0] == 3024
        assert ask(client, "SELECT count(*) FROM t WHERE n = 1") == 0
        ask(client, "INSERT INTO t VALUES (3)")
        ask(other, "DROP TABLE t")
