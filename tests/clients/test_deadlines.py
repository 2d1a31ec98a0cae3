"""statement_timeout, transaction_timeout, idle_transaction_timeout: the exact error, the
transaction undone, its locks released, the connection used again, nobody else hit."""
import contextlib
import re
import select
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import metrics
import servers
from servers import value

# Long enough for what is not to be hit, on a machine that stands still for half a second.
STATEMENT, TRANSACTION, IDLE = 1000, 1500, 600
LIMITS = f"""statement_timeout = "{STATEMENT}ms"
transaction_timeout = "{TRANSACTION}ms"
idle_transaction_timeout = "{IDLE}ms"
"""


def late(begin, limit):
    """Seconds since `begin` are no less than the limit; and it was not for ever."""
    return limit / 1000 - 0.01 <= time.monotonic() - begin < 30


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
statement_timeout = "600ms"
[tenants.narrow]
max_buffer = "1B"
[tenants.narrow_lite]
max_buffer = "1B"
"""
ROOT = '[users.root]\npassword = "{0}"\nadmin = true\n'
USERS = f'[users.alice]\npassword = "{servers.PASSWORD}"\n' + ROOT.format(servers.PASSWORD)


@pytest.fixture(scope="module")
def running(cluster, folder):
    config = (
        postgres_database(cluster, "one", LIMITS, 1)
        + postgres_database(cluster, "long", 'transaction_timeout = "1s"', 1)
        + postgres_database(cluster, "two", 'statement_timeout = "1s"', 2)
        + postgres_database(cluster, "waits", 'statement_timeout = "700ms"', 1)
        + postgres_database(cluster, "four", LIMITS, 4)
        + postgres_database(cluster, "pinned", LIMITS, 4).replace("size", 'mode = "session", size')
        + postgres_database(cluster, "tenants", 'statement_timeout = "1h"', 2)
        + postgres_database(cluster, "narrow", "", 4)
        + postgres_database(cluster, "deaf", 'statement_timeout = "700ms"', 1).replace(
            "size", 'cancel_timeout = "500ms", size')
        + "\n"
        + f'[databases.lite]\nengine = "sqlite"\nfile = "deadlines.db"\n{LIMITS}'
        + '[databases.narrow_lite]\nengine = "sqlite"\nfile = "narrow.db"\n'
        + TENANTS + USERS)
    listen, http = metrics.listen()
    with servers.Sluice(folder / "deadlines", config, listen) as gateway:
        gateway.http = metrics.Http(http)
        yield gateway


@pytest.fixture
def gateway(cluster, running):
    cluster.sql("CREATE TABLE IF NOT EXISTS rows_of_deadlines (n int);"
                "TRUNCATE rows_of_deadlines; GRANT ALL ON rows_of_deadlines TO alice")
    yield running
    assert running.process.poll() is None, "Sluice has ended"


def connect(gateway, database, **options):
    user = options.pop("user", "alice")
    target = servers.Target(database, gateway.port, database, user, servers.PASSWORD)
    return psycopg.connect(target.dsn(), **{"autocommit": True, **options})


def undone(cluster):
    """Returns when no transaction is left open on the server."""
    servers.wait_until(lambda: cluster.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'alice' AND datname = 'app' "
        "AND state LIKE 'idle in transaction%'") == ["0"], what="all are rolled back")


def waits(gateway, database):
    """Returns when somebody waits there."""
    servers.wait_until(lambda: any(each["database"] == database
                                   for each in gateway.http.state()["waiting"]), what="it waits")


def said(gateway_name, setting, number):
    return f"(databases.{gateway_name}.{setting} = {number} ms)"


@pytest.mark.clock
@pytest.mark.postgres
def test_statement(gateway):
    with connect(gateway, "one") as client:
        pid = value(client, "SELECT pg_backend_pid()")
        for statement in ("SELECT pg_sleep(40)", "SELECT 1, pg_sleep(%s)"):
            begin = time.monotonic()
            with pytest.raises(psycopg.errors.QueryCanceled) as caught:
                client.execute(statement, [40] if "%s" in statement else None)
            assert late(begin, STATEMENT)
            assert caught.value.diag.message_primary == (
                "canceling statement due to statement timeout "
                + said("one", "statement_timeout", STATEMENT))
            assert value(client, "SELECT pg_backend_pid()") == pid


@pytest.mark.postgres
def test_statement_that_only_reads(gateway):
    """It shares its connection, and takes too long."""
    slow = "SELECT count(*) FROM generate_series(1, 100000000) a"
    with connect(gateway, "two") as client:
        with pytest.raises(psycopg.errors.QueryCanceled, match="two.statement_timeout = 1000 ms"):
            client.execute(slow)
        assert value(client, "SELECT 1") == 1


@pytest.mark.clock
@pytest.mark.postgres
def test_waiting_does_not_count(gateway):
    answers = []
    with connect(gateway, "waits") as first, connect(gateway, "waits") as second:
        first.execute("BEGIN")
        first.execute("SELECT 1")
        thread = threading.Thread(target=lambda: answers.append(value(second, "SELECT 1")))
        thread.start()
        waits(gateway, "waits")
        time.sleep(1)  # longer than its statement_timeout
        first.execute("COMMIT")
        thread.join(60)
    assert answers == [1]


@pytest.mark.clock
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


@pytest.mark.clock
@pytest.mark.postgres
def test_idle_transaction(gateway, cluster):
    with connect(gateway, "one", autocommit=False) as idle, connect(gateway, "one") as other:
        pid = value(idle, "SELECT pg_backend_pid()")
        idle.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        begin = time.monotonic()
        idle.execute("LOCK TABLE rows_of_deadlines")
        # The only connection, and the lock.
        assert value(other, "SELECT count(*) FROM rows_of_deadlines") == 0
        assert late(begin, IDLE)
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


@pytest.mark.clock
@pytest.mark.postgres
@pytest.mark.parametrize("database", ["four", "pinned"])
def test_commit_of_a_lost_transaction_fails(gateway, cluster, database):
    ends = ("COMMIT", "END; SELECT 1", "commit  ")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway, database)) for _ in ends]
        for client in clients:
            client.execute("BEGIN")
            client.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        undone(cluster)
        for client, end in zip(clients, ends):
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                client.execute(end)
            assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            assert value(client, "SELECT count(*) FROM rows_of_deadlines") == 0


@pytest.mark.clock
@pytest.mark.postgres
@pytest.mark.parametrize("database", ["four", "pinned"])
@pytest.mark.parametrize("binary", [False, True])
def test_ways_to_end_a_lost_transaction(gateway, cluster, database, binary):
    """As in any failed transaction: COMMIT answers ROLLBACK, in both protocols."""
    ways = (("ROLLBACK", 0), ("COMMIT", 0), ("ROLLBACK AND CHAIN", 2), ("ABORT", 0))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway, database)) for _ in ways]
        for client in clients:
            client.execute("BEGIN")
            client.execute("SET LOCAL work_mem = '1MB'")
        undone(cluster)
        for client, (statement, status) in zip(clients, ways):
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                client.execute("SELECT 1")
            done = client.execute(statement, binary=binary, prepare=binary)
            assert done.statusmessage == "ROLLBACK", statement
            assert client.info.transaction_status == status, statement
            client.rollback()
            assert value(client, "SELECT 1") == 1


@pytest.mark.clock
@pytest.mark.postgres
def test_rollback_of_a_lost_transaction_needs_no_error(gateway, cluster):
    with connect(gateway, "one", autocommit=False) as client:
        client.execute("SET application_name = 'inside'")
        undone(cluster)
        client.rollback()
        # What it set went with it.
        assert value(client, "SHOW application_name") != "inside"


@pytest.mark.clock
@pytest.mark.postgres
def test_transaction(gateway):
    with connect(gateway, "long") as client, connect(gateway, "long") as other:
        pid = value(client, "SELECT pg_backend_pid()")
        begin = time.monotonic()
        client.execute("BEGIN")
        client.execute("INSERT INTO rows_of_deadlines VALUES (1)")
        with pytest.raises(psycopg.errors.lookup("25P04")
                           if hasattr(psycopg.errors, "TransactionTimeout")
                           else psycopg.DatabaseError) as caught:
            while time.monotonic() - begin < 30:  # never idle
                client.execute("SELECT pg_sleep(0.05)")
        assert late(begin, 1000)
        assert caught.value.sqlstate == "25P04"
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to transaction timeout "
            + said("long", "transaction_timeout", 1000))
        # Others have the connection, though the client has not ended it.
        assert value(other, "SELECT pg_backend_pid()") == pid
        assert value(other, "SELECT count(*) FROM rows_of_deadlines") == 0
        client.execute("ROLLBACK")
        assert value(client, "SELECT pg_backend_pid()") == pid


@pytest.mark.clock
@pytest.mark.postgres
def test_copy_that_stalls(gateway, cluster):
    with connect(gateway, "one") as client:
        with pytest.raises(psycopg.errors.QueryCanceled, match="one.statement_timeout"):
            with client.cursor().copy("COPY rows_of_deadlines FROM STDIN") as copy:
                copy.write("1\n")
                servers.wait_until(lambda: cluster.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY rows_of_d%' "
                    "AND state = 'active'") == ["0"], what="it is cancelled")
                copy.write("2\n")
        assert value(client, "SELECT count(*) FROM rows_of_deadlines") == 0


@pytest.mark.postgres
def test_nobody_else_is_hit(gateway):
    """Some clients run out of time again and again, on two connections that others share."""
    over = threading.Event()
    wrong, counts = [], {"short": 0, "timeouts": 0}

    def short(number):
        with connect(gateway, "two") as client:
            while not over.is_set():
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
            while not over.is_set():
                try:
                    # The same shape as a short one: it is let in among them.
                    value(client, "SELECT %s::int + count(*) FROM generate_series(1, 300000000)",
                          number)
                    wrong.append((number, "not cancelled"))
                except psycopg.errors.QueryCanceled as error:
                    counts["timeouts"] += 1
                    if "two.statement_timeout = 1000 ms" not in str(error):
                        wrong.append((number, error))
                if value(client, "SELECT 7") != 7:
                    wrong.append((number, "not 7"))

    threads = [threading.Thread(target=short, args=(n,)) for n in range(8)]
    threads += [threading.Thread(target=long, args=(n,)) for n in range(2)]
    for each in threads:
        each.start()
    end = time.monotonic() + 60
    while not wrong and time.monotonic() < end and (
            counts["timeouts"] < 4 or counts["short"] <= 100):
        time.sleep(0.05)
    over.set()
    for each in threads:
        each.join()
    assert not wrong, wrong[:5]
    assert counts["timeouts"] >= 4 and counts["short"] > 100, counts


@pytest.mark.clock
# --- whose limit it is, and who does not read

@pytest.mark.postgres
def test_tenants_limit(gateway):
    """The smaller one holds, and is named."""
    with connect(gateway, "tenants") as client:
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            client.execute("SELECT pg_sleep(40)")
        assert caught.value.diag.message_primary == (
            "canceling statement due to statement timeout (tenants.tenants.statement_timeout "
            "= 600 ms)")


WIDE = "SELECT repeat('x', 1000) FROM generate_series(1, 50000)"
WIDE_LITE = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) "
             "SELECT printf('%.1000c', 'x') FROM c")


def ask_and_not_read(connection, statement):
    """What comes of the reply stays in the sockets and in the gateway. It has begun."""
    connection.pgconn.send_query(statement.encode())
    connection.pgconn.flush()
    assert select.select([connection.pgconn.socket], [], [], 60)[0], "no reply"


def take_all(connection):
    rows = 0
    while result := connection.pgconn.get_result():
        rows += result.ntuples
    return rows


@pytest.mark.clock
@pytest.mark.postgres
def test_who_does_not_read_is_ended(gateway):
    """The reply takes longer than the statement may: the backend is free again."""
    deaf = connect(gateway, "deaf")
    with connect(gateway, "deaf") as other:
        begin = time.monotonic()
        ask_and_not_read(deaf, WIDE)
        assert value(other, "SELECT 1") == 1
        assert late(begin, 700 + 500)
    deaf.close()


BUFFER_FULL = r"[1-9]\d* of max_buffer = 1 bytes are in flight"


def held_back(gateway, console, database):
    """Exactly one client waits there, both lists say so, and why; and who has the bytes."""
    def rows(what):
        console.execute(f"SHOW {what}")
        names = [each[0] for each in console.description]
        found = [dict(zip(names, row)) for row in console.fetchall()]
        return [row for row in found if row["database"] == database]

    waits(gateway, database)
    [row] = [each for each in gateway.http.state()["waiting"] if each["database"] == database]
    assert (row["state"], row["for"], row["tenant"]) == ("waiting", "max_buffer", database)
    assert re.fullmatch(BUFFER_FULL, row["why"]) and row["since_ms"] < 60000
    [shown] = rows("WAITING")
    assert int(shown["id"]) == row["id"] and re.fullmatch(BUFFER_FULL, shown["waits_for"])
    assert int(shown["wait_us"]) > 0 and shown["since"]
    clients = {int(each["id"]): each for each in rows("CLIENTS")}
    assert (clients[row["id"]]["state"], clients[row["id"]]["waits_for"]) == ("waiting", "max_buffer")
    assert [each["activity"] for each in clients.values()].count("waiting") == 1
    assert [key for key, each in clients.items() if int(each["unsent_bytes"])] not in ([], [row["id"]])
    assert gateway.http.total("sluice_clients_waiting", database=database) == 1


def nobody_waits(gateway, database):
    assert not [row for row in gateway.http.state()["waiting"] if row["database"] == database]
    assert gateway.http.total("sluice_clients_waiting", database=database) == 0


@pytest.mark.parametrize("database", ["narrow", "narrow_lite"])
def test_max_buffer(gateway, database):
    """Bytes that a client does not take hold up its tenant, and nobody else."""
    with (connect(gateway, database) as deaf, connect(gateway, database) as other,
          connect(gateway, "lite") as elsewhere, connect(gateway, database),
          connect(gateway, "sluice", user="root") as console):
        ask_and_not_read(deaf, WIDE if database == "narrow" else WIDE_LITE)
        gateway.http.full(tenant=database)
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(value(other, "SELECT 1")), daemon=True)
        thread.start()
        for _ in range(5):
            assert value(elsewhere, "SELECT 1") == 1
            time.sleep(0.05)
        held_back(gateway, console.cursor(), database)
        assert not answers
        assert take_all(deaf) == 50000
        thread.join(60)
        assert answers == [1]
        nobody_waits(gateway, database)


@pytest.mark.parametrize("database", ["narrow", "narrow_lite"])
def test_who_leaves_while_max_buffer_holds_it_back(gateway, database):
    with connect(gateway, database) as deaf, connect(gateway, database) as other:
        ask_and_not_read(deaf, WIDE if database == "narrow" else WIDE_LITE)
        gateway.http.full(tenant=database)
        other.pgconn.send_query(b"SELECT 1")
        other.pgconn.flush()
        waits(gateway, database)
        other.close()
        servers.wait_until(lambda: gateway.http.total("sluice_clients", database=database) == 1,
                           what="it has left")
        nobody_waits(gateway, database)
        assert take_all(deaf) == 50000


# --- MariaDB

def my_connect(gateway, database, **options):
    options = {"user": "alice", "autocommit": True, **options}
    return pymysql.connect(host="127.0.0.1", port=gateway.port, password=mariadb.PASSWORD,
                           database=database, **options)


def ask(connection, statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
        return row[0] if row else None


@pytest.fixture(scope="module")
def my_running(my_server, folder):
    config = (
        mariadb.database(my_server, "one", "size = 1") + LIMITS
        + mariadb.database(my_server, "long", "size = 1") + 'transaction_timeout = "1s"\n'
        + mariadb.database(my_server, "tenants", "size = 2") + 'statement_timeout = "1h"\n'
        + mariadb.database(my_server, "narrow", "size = 4")
        + f'[databases.lite]\nengine = "sqlite"\nfile = "deadlines.db"\n{LIMITS}'
        + '[databases.narrow_lite]\nengine = "sqlite"\nfile = "narrow.db"\n'
        + TENANTS + f'[users.alice]\npassword = "{mariadb.PASSWORD}"\n'
        + ROOT.format(mariadb.PASSWORD))
    http = servers.free_port()
    listen = mariadb.LISTEN + f'http = "127.0.0.1:{http}"\n'
    with servers.Sluice(folder / "my_deadlines", config, listen=listen) as gateway:
        gateway.http = metrics.Http(http)
        yield gateway


def my_undone(my_server):
    def none():
        time.sleep(0.15)  # asked more often, InnoDB shows what it showed before
        return my_server.value("SELECT COUNT(*) FROM information_schema.innodb_trx") == 0
    servers.wait_until(none, what="it is rolled back")


@pytest.fixture
def my_gateway(my_server, my_running):
    my_server.sql("CREATE TABLE IF NOT EXISTS rows_of_deadlines (n int) ENGINE=InnoDB",
                  "TRUNCATE rows_of_deadlines", database="app")
    yield my_running
    assert my_running.process.poll() is None, "Sluice has ended"


@pytest.mark.clock
@pytest.mark.mariadb
def test_my_statement(my_gateway):
    with my_connect(my_gateway, "one") as client:
        number = ask(client, "SELECT CONNECTION_ID()")
        for _ in range(3):
            begin = time.monotonic()
            with pytest.raises(pymysql.err.MySQLError) as caught:
                ask(client, "SELECT COUNT(*), SUM(a.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b")
            assert late(begin, STATEMENT)
            assert caught.value.args == (
                3024, "canceling statement due to statement timeout "
                + said("one", "statement_timeout", STATEMENT))
            assert ask(client, "SELECT CONNECTION_ID()") == number


@pytest.mark.clock
@pytest.mark.mariadb
def test_my_tenants_limit(my_gateway):
    with my_connect(my_gateway, "tenants") as client:
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(client, "SELECT COUNT(*), SUM(a.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b")
        assert caught.value.args == (3024, "canceling statement due to statement timeout "
                                     "(tenants.tenants.statement_timeout = 600 ms)")


@pytest.mark.parametrize("database", ["narrow", "narrow_lite"])
def test_my_max_buffer(my_gateway, database):
    wide = "SELECT REPEAT('x', 1000) FROM seq_1_to_50000" if database == "narrow" else WIDE_LITE
    streaming = {"cursorclass": pymysql.cursors.SSCursor}
    with (my_connect(my_gateway, database, **streaming) as deaf,
          my_connect(my_gateway, database) as other, my_connect(my_gateway, database),
          my_connect(my_gateway, "sluice", user="root") as console):
        cursor = deaf.cursor()
        cursor.execute(wide)
        my_gateway.http.full(tenant=database)
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(ask(other, "SELECT 1")), daemon=True)
        thread.start()
        time.sleep(0.3)
        held_back(my_gateway, console.cursor(), database)
        assert not answers
        assert sum(1 for _ in cursor) == 50000
        thread.join(60)
        assert answers == [1]
        nobody_waits(my_gateway, database)


@pytest.mark.clock
@pytest.mark.mariadb
def test_my_idle_transaction(my_gateway):
    with my_connect(my_gateway, "one") as idle, my_connect(my_gateway, "one") as other:
        number = ask(idle, "SELECT CONNECTION_ID()")
        idle.begin()
        begin = time.monotonic()
        ask(idle, "INSERT INTO rows_of_deadlines VALUES (1)")
        assert ask(other, "SELECT COUNT(*) FROM rows_of_deadlines") == 0
        assert late(begin, IDLE)
        assert ask(other, "SELECT CONNECTION_ID()") == number
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(idle, "INSERT INTO rows_of_deadlines VALUES (2)")
        assert caught.value.args[0] == 3024
        assert caught.value.args[1].startswith(
            "transaction rolled back due to idle-in-transaction timeout "
            + said("one", "idle_transaction_timeout", IDLE))
        ask(idle, "INSERT INTO rows_of_deadlines VALUES (3)")
        assert ask(other, "SELECT GROUP_CONCAT(n) FROM rows_of_deadlines") == "3"


@pytest.mark.clock
@pytest.mark.mariadb
@pytest.mark.parametrize("end,fails", [("commit", True), ("rollback", False)])
def test_my_end_of_a_lost_transaction(my_gateway, my_server, end, fails):
    with my_connect(my_gateway, "one") as client:
        client.begin()
        ask(client, "INSERT INTO rows_of_deadlines VALUES (1)")
        my_undone(my_server)
        if fails:
            with pytest.raises(pymysql.err.MySQLError, match="idle_transaction_timeout"):
                client.commit()
        else:
            client.rollback()
        assert ask(client, "SELECT COUNT(*) FROM rows_of_deadlines") == 0


@pytest.mark.clock
@pytest.mark.mariadb
def test_my_transaction(my_gateway):
    with my_connect(my_gateway, "long") as client, my_connect(my_gateway, "long") as other:
        number = ask(client, "SELECT CONNECTION_ID()")
        begin = time.monotonic()
        client.begin()
        ask(client, "INSERT INTO rows_of_deadlines VALUES (1)")
        with pytest.raises(pymysql.err.MySQLError, match="long.transaction_timeout = 1000") as caught:
            while time.monotonic() - begin < 30:
                ask(client, "SELECT BENCHMARK(100000, MD5('a'))")
        assert caught.value.args[0] == 3024
        assert late(begin, 1000)
        assert ask(other, "SELECT CONNECTION_ID()") == number
        assert ask(other, "SELECT COUNT(*) FROM rows_of_deadlines") == 0
        assert ask(client, "SELECT CONNECTION_ID()") == number


# --- SQLite, by both protocols

SLOW = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000) "
        "SELECT count(*) FROM c")


@pytest.mark.clock
def test_sqlite_statement(gateway):
    with connect(gateway, "lite") as client:
        begin = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            client.execute(SLOW)
        assert late(begin, STATEMENT)
        assert caught.value.diag.message_primary == (
            "canceling statement due to statement timeout "
            + said("lite", "statement_timeout", STATEMENT))
        assert value(client, "SELECT 1") == 1


@pytest.mark.clock
def test_sqlite_writer_is_freed(gateway):
    with connect(gateway, "lite", autocommit=False) as idle, connect(gateway, "lite") as other:
        other.execute("CREATE TABLE IF NOT EXISTS t (n int)")
        begin = time.monotonic()
        idle.execute("INSERT INTO t VALUES (1)")
        other.execute("INSERT INTO t VALUES (2)")
        assert late(begin, IDLE)
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


@pytest.mark.clock
@pytest.mark.parametrize("prepare", [False, True])
def test_sqlite_transaction(gateway, prepare):
    with connect(gateway, "lite") as client, connect(gateway, "lite") as other:
        other.execute("CREATE TABLE IF NOT EXISTS t2 (n int)")
        begin = time.monotonic()
        client.execute("BEGIN")
        client.execute("SAVEPOINT s")
        with pytest.raises(psycopg.Error) as caught:
            while time.monotonic() - begin < 30:
                client.execute("INSERT INTO t2 VALUES (1)", prepare=prepare)
                time.sleep(0.05)
        assert late(begin, TRANSACTION)
        assert caught.value.sqlstate == "25P04"
        assert caught.value.diag.message_primary == (
            "transaction rolled back due to transaction timeout "
            + said("lite", "transaction_timeout", TRANSACTION))
        other.execute("INSERT INTO t2 VALUES (2)")
        assert client.execute("COMMIT", prepare=prepare, binary=prepare).statusmessage == "ROLLBACK"
        client.execute("BEGIN")
        time.sleep(TRANSACTION / 1000 + 0.7)
        with pytest.raises(psycopg.Error, match="lite.transaction_timeout"):
            client.execute("COMMIT", prepare=prepare, binary=prepare)
        assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert [n for n, in client.execute("SELECT n FROM t2")] == [2]
        other.execute("DROP TABLE t2")


@pytest.mark.clock
def test_my_sqlite_statement(my_gateway):
    with my_connect(my_gateway, "lite") as client:
        begin = time.monotonic()
        with pytest.raises(pymysql.err.MySQLError) as caught:
            ask(client, SLOW)
        assert late(begin, STATEMENT)
        assert caught.value.args == (3024, "canceling statement due to statement timeout "
                                     + said("lite", "statement_timeout", STATEMENT))
        assert ask(client, "SELECT 1") == 1


@pytest.mark.clock
@pytest.mark.parametrize("pause", [0.05, 5])
def test_my_sqlite_transaction(my_gateway, pause):
    """Never idle, or always."""
    setting = "transaction_timeout" if pause < 1 else "idle_transaction_timeout"
    with my_connect(my_gateway, "lite") as client, my_connect(my_gateway, "lite") as other:
        ask(other, "CREATE TABLE IF NOT EXISTS t (n int)")
        client.begin()
        begin = time.monotonic()
        with pytest.raises(pymysql.err.MySQLError, match=f"lite.{setting} = ") as caught:
            while time.monotonic() - begin < 30:
                ask(client, "INSERT INTO t VALUES (1)")
                if pause > 1:
                    ask(other, "INSERT INTO t VALUES (2)")  # waits for the writer
                time.sleep(min(pause, 0.1))
        assert caught.value.args[0] == 3024
        assert ask(client, "SELECT count(*) FROM t WHERE n = 1") == 0
        ask(client, "INSERT INTO t VALUES (3)")
        ask(other, "DROP TABLE t")
