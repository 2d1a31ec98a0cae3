"""What pooling would break: session state of MySQL clients that share few backends."""
import random
import threading

import pymysql
import pytest

import servers
from servers import wait_until
from test_my_pymysql import rows, value


def connect(my_pool, count, **options):
    return [my_pool.connect(**options) for _ in range(count)]


@pytest.fixture
def made(my_server):
    """Creates a table of the given columns; its name."""
    names = []

    def make(columns="id INT PRIMARY KEY AUTO_INCREMENT, client INT"):
        names.append(f"mode_{len(names)}")
        my_server.sql(f"DROP TABLE IF EXISTS app.{names[-1]}",
                      f"CREATE TABLE app.{names[-1]} ({columns})")
        return names[-1]

    yield make


def in_threads(connections, work):
    """work(number, connection) for all at once; fails with what one of them failed with."""
    wrong = []

    def run(number, connection):
        try:
            work(number, connection)
        except Exception as error:  # noqa: BLE001: told below
            wrong.append(f"client {number}: {error!r}")

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(80)
    assert not wrong, "\n".join(wrong[:5])


# -- settings


def test_settings_follow_the_client(my_crowd):
    modes = ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "", "STRICT_ALL_TABLES"]
    for number, connection in enumerate(my_crowd):
        rows(connection, f"SET SESSION sort_buffer_size = {65536 + 1024 * number}, "
                         f"sql_mode = '{modes[number % 4]}'")
        rows(connection, f"SET time_zone = '+0{number % 10}:00'")

    def look(number, connection):
        for _ in range(20):
            found = rows(connection, "SELECT @@sort_buffer_size, @@sql_mode, @@time_zone")
            assert found == ((65536 + 1024 * number, modes[number % 4], f"+0{number % 10}:00"),)

    in_threads(my_crowd, look)


def test_a_newcomer_has_the_servers_settings(my_pool, my_crowd):
    default = value(my_crowd[0], "SELECT @@sort_buffer_size")
    for connection in my_crowd:
        rows(connection, "SET sort_buffer_size = 777216")
    for connection in connect(my_pool, servers.POOL_SIZE * 2):
        assert value(connection, "SELECT @@sort_buffer_size") == default
        connection.close()


def test_character_sets_follow(my_crowd):
    names = ["utf8mb4", "latin1", "cp1251"]
    for number, connection in enumerate(my_crowd):
        rows(connection, f"SET NAMES {names[number % 3]}")
    for _ in range(3):
        for number, connection in enumerate(my_crowd):
            assert rows(connection, "SELECT @@character_set_client, @@character_set_results") == (
                (names[number % 3],) * 2,)


def test_the_logins_character_set(my_pool):
    latin, utf8 = my_pool.connect(charset="latin1"), my_pool.connect()
    for _ in range(5):
        assert rows(latin, "SELECT 'é', @@character_set_connection, HEX(CAST('é' AS BINARY))") == (
            ("é", "latin1", "E9"),)
        assert rows(utf8, "SELECT '🐬', @@character_set_connection") == (("🐬", "utf8mb4"),)


def test_the_database_follows(my_crowd, my_server):
    """app_two is a database of the gateway, too; app_three only the server knows."""
    names = ["app", "app_two", "app_three"]
    for number, connection in enumerate(my_crowd):
        if number % 2:
            rows(connection, f"USE {names[number % 3]}")
        else:
            connection.select_db(names[number % 3])
    for _ in range(3):
        for number, connection in enumerate(my_crowd):
            assert value(connection, "SELECT DATABASE()") == names[number % 3]
    with pytest.raises(pymysql.err.OperationalError) as error:
        my_crowd[0].select_db("mysql")
    assert error.value.args[0] == 1044
    assert value(my_crowd[0], "SELECT DATABASE()") == "app"


def test_isolation_levels_follow(my_crowd):
    levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
    for number, connection in enumerate(my_crowd):
        rows(connection, f"SET SESSION TRANSACTION ISOLATION LEVEL {levels[number % 3]}")
    for _ in range(3):
        for number, connection in enumerate(my_crowd):
            assert value(connection, "SELECT @@tx_isolation").replace("-", " ") == levels[number % 3]


def test_isolation_of_the_next_transaction_alone(my_crowd, made):
    """SET TRANSACTION without SESSION is for the client's next transaction and nobody else's."""
    table = made()
    reader, writer = my_crowd[:2]
    rows(reader, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    for connection in my_crowd[1:]:
        value(connection, "SELECT 1")
    reader.begin()
    assert value(reader, f"SELECT count(*) FROM {table}") == 0
    rows(writer, f"INSERT INTO {table} (client) VALUES (1)")
    assert value(reader, f"SELECT count(*) FROM {table}") == 1  # repeatable read would say 0
    reader.commit()
    reader.begin()
    assert value(reader, f"SELECT count(*) FROM {table}") == 1
    rows(writer, f"INSERT INTO {table} (client) VALUES (1)")
    assert value(reader, f"SELECT count(*) FROM {table}") == 1
    reader.commit()


def test_settings_within_procedures_follow(my_crowd):
    rows(my_crowd[0], "CREATE OR REPLACE PROCEDURE change_it(n INT) "
                      "BEGIN SET SESSION sort_buffer_size = n; SELECT n; END")
    for number, connection in enumerate(my_crowd[:4]):
        rows(connection, f"CALL change_it({131072 + 4096 * number})")
    for _ in range(3):
        for number, connection in enumerate(my_crowd[:4]):
            assert value(connection, "SELECT @@sort_buffer_size") == 131072 + 4096 * number


def test_quotes_in_either_mode(my_crowd):
    rows(my_crowd[0], "SET sql_mode = 'ANSI_QUOTES'")
    rows(my_crowd[1], "SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
    for _ in range(4):
        assert value(my_crowd[0], 'SELECT "n" FROM (SELECT 5 AS n) t') == 5
        with my_crowd[1].cursor() as cursor:
            cursor.execute("SELECT 'a\\', ' -- '")
            assert cursor.fetchone() == ("a\\", " -- ")
        assert value(my_crowd[2], "SELECT \"it's\"") == "it's"


def test_a_clients_clock(my_crowd):
    """SET timestamp stops NOW() for one client."""
    rows(my_crowd[0], "SET timestamp = 1000000000")
    for _ in range(3):
        assert value(my_crowd[0], "SELECT UNIX_TIMESTAMP(NOW())") == 1000000000
        assert value(my_crowd[1], "SELECT UNIX_TIMESTAMP(NOW())") > 1600000000


# -- what pins


def pinned_and_others(my_crowd):
    return my_crowd[:2], my_crowd[2:]


def test_user_variables(my_crowd):
    own, others = pinned_and_others(my_crowd)
    for number, connection in enumerate(own):
        rows(connection, f"SET @me = {number}, @text = 'client {number}'")
    for _ in range(3):
        for connection in others:
            assert value(connection, "SELECT 1") == 1
        for number, connection in enumerate(own):
            assert rows(connection, "SELECT @me, @text") == ((number, f"client {number}"),)
    for connection in own:
        connection.close()
    for connection in others:
        assert value(connection, "SELECT @me") is None  # nothing is left on any backend


def test_user_variables_set_within_a_select(my_crowd):
    own, others = pinned_and_others(my_crowd)
    for number, connection in enumerate(own):
        assert value(connection, f"SELECT @counter := {number * 10}") == number * 10
    for turn in range(1, 4):
        for connection in others:
            value(connection, "SELECT 1")
        for number, connection in enumerate(own):
            assert value(connection, "SELECT @counter := @counter + 1") == number * 10 + turn
    rows(own[0], "SELECT 5, 6 INTO @a, @b")
    for connection in others:
        value(connection, "SELECT 1")
    assert rows(own[0], "SELECT @a, @b") == ((5, 6),)


def test_temporary_tables(my_crowd):
    own, others = pinned_and_others(my_crowd)
    for number, connection in enumerate(own):
        rows(connection, "CREATE TEMPORARY TABLE mine (n INT)")
        rows(connection, f"INSERT INTO mine VALUES ({number})")
    for _ in range(3):
        for connection in others:
            with pytest.raises(pymysql.err.ProgrammingError):
                value(connection, "SELECT * FROM mine")
        for number, connection in enumerate(own):
            assert rows(connection, "SELECT n FROM mine") == ((number,),)
    own[0].close()  # without DROP
    for connection in others:
        with pytest.raises(pymysql.err.ProgrammingError):
            value(connection, "SELECT * FROM mine")


def test_locks_by_name(my_crowd):
    one, other, others = my_crowd[0], my_crowd[1], my_crowd[2:]
    assert value(one, "SELECT GET_LOCK('sluice', 1)") == 1
    for connection in others:
        value(connection, "SELECT 1")
    assert value(other, "SELECT GET_LOCK('sluice', 0)") == 0
    assert value(other, "SELECT IS_FREE_LOCK('sluice')") == 0
    assert value(one, "SELECT RELEASE_LOCK('sluice')") == 1
    assert value(other, "SELECT GET_LOCK('sluice', 0)") == 1
    other.close()
    wait_until(lambda: value(one, "SELECT GET_LOCK('sluice', 0)") == 1, 60,
               "the lock of a client that left is free")
    assert value(one, "SELECT RELEASE_LOCK('sluice')") == 1


def test_locks_that_no_text_shows(my_crowd, my_server):
    """Taken within a procedure, and behind more text than is read: they do not outlive the lease."""
    my_server.sql("CREATE OR REPLACE PROCEDURE app.takes_lock() DO GET_LOCK('hidden', 0)")
    rows(my_crowd[0], "CALL takes_lock()")
    my_crowd[0].commit()
    assert value(my_crowd[0], f"SELECT '{'x' * 6_000_000}' = '' OR GET_LOCK('behind', 0) "
                              "OR (@behind := 7)") == 1
    my_crowd[0].commit()
    for name in "hidden", "behind":
        wait_until(lambda: value(my_crowd[1], f"SELECT IS_USED_LOCK('{name}')") is None, 60,
                   f"the lock '{name}' is free")
    for connection in my_crowd[1:]:
        assert value(connection, "SELECT @behind") is None


def test_lock_tables(my_crowd, made):
    table = made()
    one, other = my_crowd[:2]
    rows(one, f"LOCK TABLES {table} WRITE")
    for connection in my_crowd[2:]:
        value(connection, "SELECT 1")
    rows(one, f"INSERT INTO {table} (client) VALUES (1)")
    rows(other, "SET lock_wait_timeout = 1")
    with pytest.raises(pymysql.err.OperationalError) as error:
        rows(other, f"SELECT * FROM {table}")
    assert error.value.args[0] == 1205
    rows(one, "UNLOCK TABLES")
    assert value(other, f"SELECT count(*) FROM {table}") == 1


def test_text_prepare(my_crowd):
    own, others = pinned_and_others(my_crowd)
    for number, connection in enumerate(own):
        rows(connection, f"PREPARE mine FROM 'SELECT {number}, 1 + 1'")
    for _ in range(3):
        for connection in others:
            with pytest.raises(pymysql.err.OperationalError) as error:
                rows(connection, "EXECUTE mine")
            assert error.value.args[0] == 1243
        for number, connection in enumerate(own):
            assert rows(connection, "EXECUTE mine") == ((number, 2),)
    for connection in own:
        rows(connection, "DEALLOCATE PREPARE mine")


# -- what belongs to the statement before


def test_last_insert_id_of_many(my_crowd, made):
    """Clients insert at once, and ask at once: each hears its own number."""
    table = made()

    def work(number, connection):
        with connection.cursor() as cursor:
            for turn in range(25):
                cursor.execute(f"INSERT INTO {table} (client) VALUES ({number})")
                own = cursor.lastrowid
                if turn % 3 == 0:
                    value(connection, "SELECT 1")
                assert value(connection, "SELECT LAST_INSERT_ID()") == own
                assert value(connection, f"SELECT client FROM {table} WHERE id = %s", own) == number

    in_threads(my_crowd, work)


def test_warnings_of_what_has_to_be_cleaned_up(my_crowd, my_pool):
    """A call may leave locks: they are released, and its warnings can still be asked for."""
    with my_pool.connect() as connection:
        rows(connection, "CREATE OR REPLACE PROCEDURE warning_x() DROP TABLE IF EXISTS nowhere_x")

    def work(number, connection):
        for _ in range(10):
            rows(connection, "CALL warning_x()")
            found = rows(connection, "SHOW WARNINGS")
            assert len(found) == 1 and "nowhere_x" in found[0][2], found
            rows(connection, "CALL warning_x()")
            assert value(connection, "SHOW COUNT(*) WARNINGS") == 1

    in_threads(my_crowd, work)


def test_last_insert_id_within_an_insert(my_crowd, made):
    parent, child = made(), made("id INT PRIMARY KEY AUTO_INCREMENT, parent INT, client INT")

    def work(number, connection):
        with connection.cursor() as cursor:
            for _ in range(10):
                cursor.execute(f"INSERT INTO {parent} (client) VALUES ({number})")
                own = cursor.lastrowid
                cursor.execute(f"INSERT INTO {child} (parent, client) "
                               f"VALUES (LAST_INSERT_ID(), {number})")
                assert value(connection, f"SELECT parent FROM {child} WHERE id = LAST_INSERT_ID()"
                             ) == own

    in_threads(my_crowd, work)
    assert rows(my_crowd[0], f"SELECT count(*) FROM {child} c JOIN {parent} p ON p.id = c.parent "
                             "WHERE p.client <> c.client") == ((0,),)


def test_no_last_insert_id_of_others(my_crowd, made):
    table = made()
    rows(my_crowd[0], f"INSERT INTO {table} (client) VALUES (1)")
    for connection in my_crowd[1:]:
        assert value(connection, "SELECT LAST_INSERT_ID()") == 0


def test_warnings(my_crowd):
    def work(number, connection):
        for turn in range(10):
            rows(connection, f"SELECT CAST('{number}x{turn}' AS INT)")
            found = rows(connection, "SHOW WARNINGS")
            assert len(found) == 1 and f"'{number}x{turn}'" in found[0][2], found
            rows(connection, f"SELECT CAST('{number}x{turn}' AS INT)")
            assert value(connection, "SHOW COUNT(*) WARNINGS") == 1
            value(connection, "SELECT count(*) FROM information_schema.engines")
            assert rows(connection, "SHOW WARNINGS") == ()

    in_threads(my_crowd, work)


def test_errors_can_be_shown(my_crowd):
    def work(number, connection):
        for _ in range(10):
            with pytest.raises(pymysql.err.ProgrammingError):
                rows(connection, f"SELECT * FROM missing_{number}")
            found = rows(connection, "SHOW ERRORS")
            assert len(found) == 1 and f"missing_{number}" in found[0][2], found

    in_threads(my_crowd, work)


def test_found_rows_and_row_count(my_crowd, made):
    table = made()
    rows(my_crowd[0], f"INSERT INTO {table} (client) SELECT seq FROM seq_1_to_100")

    def work(number, connection):
        for _ in range(10):
            rows(connection, f"SELECT SQL_CALC_FOUND_ROWS * FROM {table} WHERE id <= {number + 20} "
                             "LIMIT 5")
            assert value(connection, "SELECT FOUND_ROWS()") == number + 20
            rows(connection, f"SELECT * FROM {table} LIMIT {number + 1}")
            assert value(connection, "SELECT FOUND_ROWS()") == number + 1
            rows(connection, f"INSERT INTO {table} (client) SELECT -1 FROM seq_1_to_{number + 1}")
            assert value(connection, "SELECT ROW_COUNT()") == number + 1

    in_threads(my_crowd, work)


# -- transactions


def test_without_autocommit(my_crowd, made):
    """Clients with autocommit=0 hold a backend from their first statement to the commit only."""
    table = made()
    quiet = my_crowd[:-1]
    for connection in quiet:
        connection.autocommit(False)

    def work(number, connection):
        for turn in range(6):
            rows(connection, f"INSERT INTO {table} (client) VALUES ({number})")
            count = value(connection, f"SELECT count(*) FROM {table} WHERE client = {number}")
            assert count == turn // 2 + 1
            if turn % 2:
                connection.commit()
            else:
                connection.rollback()

    in_threads(quiet, work)
    witness = my_crowd[-1]
    assert value(witness, "SELECT @@autocommit") == 1
    assert value(witness, f"SELECT count(*) FROM {table}") == 3 * len(quiet)
    rows(quiet[0], f"INSERT INTO {table} (client) VALUES (-1)")
    assert value(witness, f"SELECT count(*) FROM {table} WHERE client = -1") == 0
    quiet[0].close()  # rolls back
    assert value(witness, f"SELECT count(*) FROM {table} WHERE client = -1") == 0


def test_transactions_of_many(my_crowd, made):
    table = made("id INT PRIMARY KEY, n INT")
    rows(my_crowd[0], f"INSERT INTO {table} SELECT seq, 0 FROM seq_1_to_5")

    def work(number, connection):
        rng = random.Random(number)
        for turn in range(20):
            connection.begin()
            key = rng.randrange(1, 6)
            before = value(connection, f"SELECT n FROM {table} WHERE id = {key} FOR UPDATE")
            rows(connection, f"UPDATE {table} SET n = n + 1 WHERE id = {key}")
            assert value(connection, f"SELECT n FROM {table} WHERE id = {key}") == before + 1
            if turn % 4 == 3:
                connection.rollback()
            else:
                connection.commit()

    in_threads(my_crowd, work)
    assert value(my_crowd[0], f"SELECT sum(n) FROM {table}") == len(my_crowd) * 15


def test_an_error_does_not_end_a_transaction(my_crowd, made):
    table = made("id INT PRIMARY KEY")
    one = my_crowd[0]
    one.begin()
    rows(one, f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(pymysql.err.IntegrityError):
        rows(one, f"INSERT INTO {table} VALUES (1)")
    for connection in my_crowd[1:]:
        assert value(connection, f"SELECT count(*) FROM {table}") == 0
    rows(one, f"INSERT INTO {table} VALUES (2)")
    one.commit()
    assert value(my_crowd[1], f"SELECT count(*) FROM {table}") == 2


def test_savepoints_chains_and_read_only(my_crowd, made):
    table = made("id INT PRIMARY KEY")
    one, other = my_crowd[:2]
    one.begin()
    rows(one, f"INSERT INTO {table} VALUES (1)")
    rows(one, "SAVEPOINT here")
    rows(one, f"INSERT INTO {table} VALUES (2)")
    rows(one, "ROLLBACK TO here")
    rows(one, "COMMIT AND CHAIN")  # a new transaction at once
    rows(one, f"INSERT INTO {table} VALUES (3)")
    assert rows(other, f"SELECT id FROM {table}") == ((1,),)
    rows(one, "ROLLBACK")
    rows(one, "START TRANSACTION READ ONLY")
    with pytest.raises(pymysql.err.OperationalError) as error:
        rows(one, f"INSERT INTO {table} VALUES (4)")
    assert error.value.args[0] == 1792
    rows(one, "COMMIT")
    rows(other, f"INSERT INTO {table} VALUES (5)")
    # DDL commits by itself.
    one.begin()
    rows(one, f"INSERT INTO {table} VALUES (6)")
    rows(one, f"CREATE TABLE IF NOT EXISTS {table}_ddl (n INT)")
    assert value(other, f"SELECT count(*) FROM {table}") == 3
    rows(one, f"DROP TABLE {table}_ddl")


def test_deadlock(my_crowd, made):
    """The victim's transaction is over by the server's word, and its backend is free again."""
    table = made("id INT PRIMARY KEY, n INT")
    rows(my_crowd[0], f"INSERT INTO {table} VALUES (1, 0), (2, 0)")
    codes = []
    barrier = threading.Barrier(2)

    def work(number, connection):
        for _ in range(5):
            connection.begin()
            try:
                rows(connection, f"UPDATE {table} SET n = n + 1 WHERE id = {number + 1}")
                barrier.wait(20)
                rows(connection, f"UPDATE {table} SET n = n + 1 WHERE id = {2 - number}")
                connection.commit()
            except pymysql.err.OperationalError as error:
                codes.append(error.args[0])
                assert value(connection, "SELECT 1") == 1
                connection.rollback()
            barrier.wait(20)

    in_threads(my_crowd[:2], work)
    assert set(codes) == {1213} and 5 <= len(codes) <= 10


def test_left_in_a_transaction(my_pool, my_crowd, made):
    table = made("id INT PRIMARY KEY")
    for number in range(3 * servers.POOL_SIZE):
        connection = my_pool.connect()
        connection.begin()
        rows(connection, f"INSERT INTO {table} VALUES ({number})")
        connection._force_close()  # no COM_QUIT
    # Later requests are served, and see nothing of it.
    for connection in my_crowd:
        wait_until(lambda: value(connection, f"SELECT count(*) FROM {table} FOR UPDATE") == 0, 60)


# -- multi-statements and procedures


def results(cursor):
    found = [cursor.fetchall()]
    while cursor.nextset():
        found.append(cursor.fetchall())
    return found


@pytest.fixture
def multi_crowd(my_pool):
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    made = connect(my_pool, 3 * servers.POOL_SIZE, client_flag=flag)
    yield made
    for connection in made:
        connection.close()


def test_multi_statements_with_settings_and_transactions(multi_crowd, made):
    table = made("id INT PRIMARY KEY")

    def work(number, connection):
        with connection.cursor() as cursor:
            cursor.execute(f"SET sort_buffer_size = {65536 + 1024 * number}; BEGIN; "
                           f"INSERT INTO {table} VALUES ({number}); SELECT {number}")
            assert results(cursor)[-1] == ((number,),)
            cursor.execute(f"SELECT count(*) FROM {table} WHERE id = {number}; COMMIT; "
                           "SELECT @@sort_buffer_size")
            assert results(cursor) == [((1,),), (), ((65536 + 1024 * number,),)]
            for _ in range(5):
                assert value(connection, "SELECT @@sort_buffer_size") == 65536 + 1024 * number

    in_threads(multi_crowd, work)


def test_an_error_within_multi_statements(multi_crowd, made):
    table = made("id INT PRIMARY KEY")
    for number, connection in enumerate(multi_crowd):
        with connection.cursor() as cursor:
            cursor.execute(f"BEGIN; INSERT INTO {table} VALUES ({number}); SELECT 1/0; SELECT nope; "
                           "COMMIT")
            with pytest.raises(pymysql.err.OperationalError) as error:
                results(cursor)
            assert error.value.args[0] == 1054
        connection.rollback()  # the transaction was still open
    assert value(multi_crowd[0], f"SELECT count(*) FROM {table}") == 0


def test_procedures_with_several_results(my_crowd):
    rows(my_crowd[0], "CREATE OR REPLACE PROCEDURE several(n INT) BEGIN "
                      "SELECT n; SELECT seq + n FROM seq_1_to_500; DO SLEEP(0.001); "
                      "SELECT n, 'end'; END")

    def work(number, connection):
        with connection.cursor() as cursor:
            for _ in range(5):
                cursor.execute(f"CALL several({number})")
                found = results(cursor)
                assert found[0] == ((number,),) and found[2] == ((number, "end"),)
                assert [row[0] for row in found[1]] == [n + number for n in range(1, 501)]

    in_threads(my_crowd, work)


def test_streaming_among_others(my_crowd):
    """A client that reads slowly keeps its own place."""
    slow = my_crowd[0].cursor(pymysql.cursors.SSCursor)
    slow.execute("SELECT seq, REPEAT('x', 500) FROM seq_1_to_30000")
    for turn, connection in enumerate(my_crowd[1:]):
        assert slow.fetchone()[0] == turn + 1
        assert value(connection, f"SELECT {turn}") == turn
    assert sum(1 for _ in slow) == 30000 - len(my_crowd) + 1
    slow.close()
