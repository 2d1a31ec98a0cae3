"""What pooling by transaction must not break: session state follows its client, or pins it.

`crowd` is more clients than the pool has backends, so that they take turns on every backend.
"""
import contextlib
import threading

import psycopg
import pytest

import servers
from servers import clients, value

pytestmark = pytest.mark.postgres


def shuffle(connections):
    """Keeps all backends but one busy, each time another one, while the body runs."""
    for turn in range(servers.POOL_SIZE):
        holders = connections[turn:turn + servers.POOL_SIZE - 1]
        for holder in holders:
            holder.execute("BEGIN")
            holder.execute("SELECT 1")
        yield [c for c in connections if c not in holders]
        for holder in holders:
            holder.execute("ROLLBACK")


@pytest.mark.gateway
def test_few_backends_for_many_clients(crowd):
    pids = {value(c, "SELECT pg_backend_pid()") for c in crowd for _ in range(3)}
    assert 1 <= len(pids) <= servers.POOL_SIZE


def test_set_follows_the_client(crowd):
    for number, connection in enumerate(crowd):
        connection.execute(f"SET search_path TO s{number}, public")
        connection.execute(f"SET statement_timeout = '{1000 + number}s'")
    for free in shuffle(crowd):
        for connection in free:
            number = crowd.index(connection)
            assert value(connection, "SHOW search_path") == f"s{number}, public"
            assert value(connection, "SELECT current_setting('statement_timeout')::interval"
                                     " = %s::interval", f"{1000 + number}s")


def test_set_config_follows_the_client(crowd):
    for number, connection in enumerate(crowd):
        value(connection, "SELECT set_config('app.tenant', %s, false)", f"tenant {number}")
    for free in shuffle(crowd):
        for connection in free:
            assert value(connection, "SHOW app.tenant") == f"tenant {crowd.index(connection)}"


def test_nothing_leaks_to_a_new_client(pg, crowd):
    for connection in crowd:
        connection.execute("SET work_mem = '77MB'")
        connection.execute("SET application_name = 'leaky'")
        connection.close()
    with clients(pg, 2 * servers.POOL_SIZE) as fresh:
        for connection in fresh:
            assert value(connection, "SHOW work_mem") == "4MB"
            assert value(connection, "SHOW application_name") != "leaky"


def test_reset(crowd):
    for connection in crowd:
        connection.execute("SET work_mem = '9MB'")
        connection.execute("SET enable_seqscan = off")
    for connection in crowd:
        connection.execute("RESET work_mem")
    for free in shuffle(crowd):
        for connection in free:
            assert value(connection, "SHOW work_mem") == "4MB"
            assert value(connection, "SHOW enable_seqscan") == "off"
    for connection in crowd:
        connection.execute("RESET ALL")
        assert value(connection, "SHOW enable_seqscan") == "on"


def test_set_in_a_rolled_back_transaction(crowd):
    for connection in crowd:
        connection.execute("SET work_mem = '5MB'")
        with contextlib.suppress(ZeroDivisionError), connection.transaction():
            connection.execute("SET work_mem = '6MB'")
            raise ZeroDivisionError
    for free in shuffle(crowd):
        for connection in free:
            assert value(connection, "SHOW work_mem") == "5MB"


def test_set_local_ends_with_its_transaction(crowd):
    for connection in crowd:
        with connection.transaction():
            connection.execute("SET LOCAL work_mem = '6MB'")
            assert value(connection, "SHOW work_mem") == "6MB"
        assert value(connection, "SHOW work_mem") == "4MB"


def test_startup_options_follow_the_client(pg):
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(psycopg.connect(
            pg.dsn(application_name=f"app {n}", options="-c work_mem=%dMB -c geqo=off" % (5 + n)),
            autocommit=True)) for n in range(2 * servers.POOL_SIZE)]
        for free in shuffle(made):
            for connection in free:
                number = made.index(connection)
                assert value(connection, "SHOW application_name") == f"app {number}"
                assert value(connection, "SHOW work_mem") == f"{5 + number}MB"
                assert value(connection, "SHOW geqo") == "off"


def test_reset_goes_back_to_the_startup_options(pg):
    options = "-c work_mem=9MB -c TimeZone=Asia/Tokyo"
    with clients(pg, 2 * servers.POOL_SIZE, options=options) as crowd:
        for connection in crowd:
            connection.execute("SET work_mem = '1MB'")
            connection.execute("SET TimeZone = 'UTC'")
        for connection in crowd[::2]:
            connection.execute("RESET work_mem")
            connection.execute("RESET TimeZone")
        for connection in crowd[1::2]:
            connection.execute("RESET ALL")
        for connection in crowd:
            assert value(connection, "SHOW work_mem") == "9MB"
            assert value(connection, "SHOW TimeZone") == "Asia/Tokyo"
            assert connection.info.parameter_status("TimeZone") == "Asia/Tokyo"
            with pytest.raises(ZeroDivisionError), connection.transaction():
                connection.execute("SET work_mem = '2MB'")
                connection.execute("RESET work_mem")
                1 / 0
            assert value(connection, "SHOW work_mem") == "9MB"


def test_datestyle_is_reported(pg):
    with psycopg.connect(pg.dsn(), autocommit=True) as connection:
        connection.execute("SET DateStyle = 'German'")
        assert connection.info.parameter_status("DateStyle").startswith("German")
        connection.execute("SET TimeZone = 'Europe/Lisbon'")
        assert connection.info.parameter_status("TimeZone") == "Europe/Lisbon"


def test_set_role(crowd):
    crowd[0].execute("SET ROLE other_role")
    for connection in crowd[1:]:
        assert value(connection, "SELECT current_user") == "alice"
    assert value(crowd[0], "SELECT current_user") == "other_role"
    crowd[0].execute("RESET ROLE")
    assert value(crowd[0], "SELECT current_user") == "alice"


def test_temporary_table(crowd):
    for connection in crowd[:2]:
        connection.execute("CREATE TEMP TABLE mine (n int)")
    for number, connection in enumerate(crowd[:2]):
        connection.execute("INSERT INTO mine VALUES (%s)", (number,))
    for connection in crowd[2:]:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM mine")
    for number, connection in enumerate(crowd[:2]):
        assert connection.execute("SELECT n FROM mine").fetchall() == [(number,)]
        connection.execute("DROP TABLE mine")


def test_temporary_table_goes_with_its_client(pg):
    for _ in range(2 * servers.POOL_SIZE):
        with psycopg.connect(pg.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE left_behind (n int)")


def test_advisory_lock(crowd):
    first, second = crowd[:2]
    assert value(first, "SELECT pg_try_advisory_lock(42)")
    assert not value(second, "SELECT pg_try_advisory_lock(42)")
    for connection in crowd[1:]:
        value(connection, "SELECT 1")
    assert value(first, "SELECT pg_advisory_unlock(42)")
    assert value(second, "SELECT pg_try_advisory_lock(42)")
    assert value(second, "SELECT pg_advisory_unlock(42)")


def test_advisory_lock_goes_with_its_client(pg):
    with psycopg.connect(pg.dsn(), autocommit=True) as connection:
        assert value(connection, "SELECT pg_try_advisory_lock(43)")
    with psycopg.connect(pg.dsn(), autocommit=True) as connection:
        servers.wait_until(lambda: value(connection, "SELECT pg_try_advisory_lock(43)"), 60)
        connection.execute("SELECT pg_advisory_unlock_all()")


def test_cursor_with_hold(crowd):
    connection = crowd[0]
    connection.execute("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 10)")
    for other in crowd[1:]:
        value(other, "SELECT 1")
        with pytest.raises(psycopg.errors.InvalidCursorName):
            other.execute("FETCH 1 FROM held")
    assert connection.execute("FETCH 3 FROM held").fetchall() == [(1,), (2,), (3,)]
    connection.execute("CLOSE held")


def test_sql_prepare(crowd):
    for number, connection in enumerate(crowd[:3]):
        connection.execute(f"PREPARE plan AS SELECT {number} + $1")
    for other in crowd[3:]:
        value(other, "SELECT 1")
    for number, connection in enumerate(crowd[:3]):
        assert value(connection, "EXECUTE plan (10)") == number + 10
        connection.execute("DEALLOCATE plan")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        crowd[0].execute("EXECUTE plan (10)")


def test_same_name_for_different_statements(crowd):
    """Each client's _pg3_0 is its own, whichever backend it meets."""
    for turn in range(4):
        for number, connection in enumerate(crowd):
            assert connection.execute(f"SELECT {number} * 10 + %s", (turn,),
                                      prepare=True).fetchone() == (number * 10 + turn,)


def test_same_text_with_different_types(crowd):
    for connection, sample, expected in zip(crowd, [1, 100000, 2.5, True] * 3,
                                            ["smallint", "integer", "double precision",
                                             "boolean"] * 3):
        for _ in range(2):
            assert connection.execute("SELECT pg_typeof(%s)::text", (sample,),
                                      prepare=True).fetchone() == (expected,)


def test_named_statements_under_load(pg):
    wrong = []

    def work(number):
        with psycopg.connect(pg.dsn(), autocommit=True, prepare_threshold=0) as connection:
            for turn in range(60):
                row = connection.execute(f"SELECT {number % 7} * 1000 + %s", (turn,)).fetchone()
                if row != (number % 7 * 1000 + turn,):
                    wrong.append((number, turn, row))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(85)
    assert not wrong


@pytest.mark.parametrize("forget", ["DEALLOCATE ALL", "DISCARD ALL"])
def test_forgetting_everything(crowd, forget):
    def prepare(connection, text):
        return connection.pgconn.prepare(b"mine", text).status

    def run(connection):
        answer = connection.pgconn.exec_prepared(b"mine", None)
        return answer.get_value(0, 0) if answer.ntuples else answer.error_field(
            psycopg.pq.DiagnosticField.SQLSTATE)

    for number, connection in enumerate(crowd):
        assert prepare(connection, b"SELECT 100 + %d" % number) == \
            psycopg.pq.ExecStatus.COMMAND_OK
        connection.execute("SET work_mem = '8MB'")
    for number, connection in enumerate(crowd):
        assert run(connection) == b"%d" % (100 + number)
    for connection in crowd:
        connection.execute(forget)
    for number, connection in enumerate(crowd):
        assert run(connection) == b"26000"
        assert value(connection, "SHOW work_mem") == \
            ("8MB" if forget == "DEALLOCATE ALL" else "4MB")
        prepare(connection, b"SELECT 'again %d'" % number)
    for number, connection in enumerate(crowd):
        assert run(connection) == b"again %d" % number


@pytest.mark.gateway
def test_changed_result_type_is_invisible(crowd):
    """PostgreSQL answers 0A000 'cached plan must not change result type'; the client must not see."""
    one = crowd[0]
    one.execute("DROP TABLE IF EXISTS changing")
    one.execute("CREATE TABLE changing (a int)")
    one.execute("INSERT INTO changing VALUES (1)")
    for connection in crowd:
        assert len(connection.execute("SELECT * FROM changing", prepare=True).fetchone()) == 1
    one.execute("ALTER TABLE changing ADD COLUMN b text DEFAULT 'new'")
    for connection in crowd:
        assert connection.execute("SELECT * FROM changing", prepare=True).fetchone() == (1, "new")
    one.execute("DROP TABLE changing")


def test_lock_is_released_with_the_transaction(crowd):
    first, second = crowd[:2]
    with first.transaction():
        first.execute("SELECT pg_advisory_xact_lock(7)")
        assert not value(second, "SELECT pg_try_advisory_xact_lock(7)")
    assert value(second, "SELECT pg_try_advisory_xact_lock(7)")


def test_copy_among_clients(crowd):
    one = crowd[0]
    one.execute("DROP TABLE IF EXISTS copied")
    one.execute("CREATE TABLE copied (client int, n int)")

    def work(number):
        with crowd[number].cursor().copy("COPY copied FROM STDIN") as copy:
            for n in range(2000):
                copy.write_row((number, n))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(crowd))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(85)
    rows = one.execute("SELECT client, count(*), sum(n) FROM copied GROUP BY 1 ORDER BY 1").fetchall()
    assert rows == [(n, 2000, 1999 * 1000) for n in range(len(crowd))]
    one.execute("DROP TABLE copied")
