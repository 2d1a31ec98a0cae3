"""mysqlclient (MySQLdb): MariaDB Connector/C underneath, with its extended capabilities."""
import contextlib

import MySQLdb
import MySQLdb.cursors
import pytest


def connect(my, **options):
    return contextlib.closing(MySQLdb.connect(
        host=my.host, port=my.port, user=my.user, password=my.password, database=my.database,
        **{"charset": "utf8mb4", "autocommit": True, "connect_timeout": 20, **options}))


def rows(connection, sql, *parameters):
    cursor = connection.cursor()
    cursor.execute(sql, parameters or None)
    found = cursor.fetchall()
    cursor.close()
    return found


def test_round_trip(my, my_table):
    with connect(my) as connection:
        cursor = connection.cursor()
        assert cursor.execute(f"INSERT INTO {my_table} VALUES (%s, %s, %s)", (1, "ünö", 10)) == 1
        assert cursor.executemany(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                                  [(n, f"row {n}", n) for n in range(2, 30)]) == 28
        assert rows(connection, f"SELECT * FROM {my_table} WHERE id = 1") == ((1, "ünö", 10),)
        assert cursor.execute(f"UPDATE {my_table} SET amount = 0") == 29


def test_transactions(my, my_table):
    with connect(my, autocommit=False) as one, connect(my) as other:
        rows(one, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        assert rows(other, f"SELECT count(*) FROM {my_table}") == ((0,),)
        one.rollback()
        rows(one, f"INSERT INTO {my_table} VALUES (2, 'b', 1)")
        one.commit()
        assert rows(other, f"SELECT id FROM {my_table}") == ((2,),)


def test_errors(my, my_table):
    with connect(my) as connection:
        rows(connection, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        with pytest.raises(MySQLdb.IntegrityError) as error:
            rows(connection, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        assert error.value.args[0] == 1062
        with pytest.raises(MySQLdb.ProgrammingError):
            rows(connection, "nonsense")
        assert rows(connection, "SELECT 1") == ((1,),)


def test_streaming_cursor(my, my_table):
    with connect(my) as connection:
        cursor = connection.cursor()
        cursor.executemany(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                           [(n, f"row {n}", n) for n in range(3000)])
        streamed = connection.cursor(MySQLdb.cursors.SSDictCursor)
        streamed.execute(f"SELECT id FROM {my_table} ORDER BY id")
        assert streamed.fetchone() == {"id": 0}
        assert sum(row["id"] for row in streamed) == sum(range(3000))
        streamed.close()
        assert rows(connection, "SELECT 1") == ((1,),)


def test_insert_id_and_info(my, request):
    name = f"auto_c_{my.name.replace('-', '_')}"
    with connect(my) as connection:
        key = "INTEGER PRIMARY KEY" if my.sqlite else "INTEGER PRIMARY KEY AUTO_INCREMENT"
        rows(connection, f"DROP TABLE IF EXISTS {name}")
        rows(connection, f"CREATE TABLE {name} (id {key}, name TEXT)")
        rows(connection, f"INSERT INTO {name} (name) VALUES ('x')")
        assert connection.insert_id() == 1
        assert rows(connection, "SELECT LAST_INSERT_ID()") == ((1,),)
        rows(connection, f"DROP TABLE {name}")


def test_ping_thread_id_and_select_db(my):
    with connect(my) as connection:
        connection.ping()
        assert connection.thread_id() > 0
        connection.select_db(my.database)
        assert rows(connection, "SELECT 1") == ((1,),)


@pytest.mark.mariadb
def test_several_results(my):
    from MySQLdb.constants import CLIENT
    with connect(my, client_flag=CLIENT.MULTI_STATEMENTS) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1; SELECT 2; DO 0")
        assert cursor.fetchall() == ((1,),)
        assert cursor.nextset() == 1 and cursor.fetchall() == ((2,),)
        while cursor.nextset():
            pass
        assert rows(connection, "SELECT 3") == ((3,),)


@pytest.mark.mariadb
def test_change_user(my):
    with connect(my) as connection:
        rows(connection, "SET @mine = 1")
        rows(connection, "SET SESSION sort_buffer_size = 123456")
        connection.change_user("alice", my.password, my.database)
        assert rows(connection, "SELECT @mine")[0][0] is None
        assert rows(connection, "SELECT @@sort_buffer_size <> 123456, @@character_set_client") == (
            (1, "utf8mb4"),)
        with pytest.raises(MySQLdb.OperationalError):
            connection.change_user("alice", "wrong", my.database)


@pytest.mark.mariadb
def test_found_rows_flag(my, my_table):
    """CLIENT_FOUND_ROWS changes what UPDATE counts, for this client alone."""
    from MySQLdb.constants import CLIENT
    with connect(my) as plain, connect(my, client_flag=CLIENT.FOUND_ROWS) as found:
        rows(plain, f"INSERT INTO {my_table} VALUES (1, 'a', 1), (2, 'b', 1)")
        for _ in range(5):
            cursor = plain.cursor()
            assert cursor.execute(f"UPDATE {my_table} SET amount = 1") == 0
            cursor = found.cursor()
            assert cursor.execute(f"UPDATE {my_table} SET amount = 1") == 2


@pytest.mark.mariadb
def test_warnings(my):
    with connect(my) as connection:
        rows(connection, "SELECT CAST('abc' AS INT)")
        assert connection.warning_count() == 1
        assert connection.show_warnings()[0][1] == 1292
