"""PyMySQL: the DB-API, cursors of every kind, types, errors, TLS-less logins."""
import datetime
import decimal

import pymysql
import pymysql.cursors
import pytest


def rows(connection, sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall()


def value(connection, sql, *parameters):
    return rows(connection, sql, *parameters)[0][0]


def test_round_trip(my, my_table):
    with my.connect() as connection, connection.cursor() as cursor:
        assert cursor.execute(f"INSERT INTO {my_table} VALUES (%s, %s, %s)", (1, "ünö", 10)) == 1
        assert cursor.executemany(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                                  [(n, f"row {n}", None) for n in range(2, 50)]) == 48
        assert cursor.execute(f"SELECT * FROM {my_table} ORDER BY id") == 49
        assert [column[0] for column in cursor.description] == ["id", "name", "amount"]
        assert cursor.fetchone() == (1, "ünö", 10)
        assert cursor.fetchmany(2) == ((2, "row 2", None), (3, "row 3", None))
        assert len(cursor.fetchall()) == 46
        assert cursor.execute(f"UPDATE {my_table} SET amount = 1 WHERE id > 10") == 39
        assert cursor.execute(f"DELETE FROM {my_table} WHERE id > 10") == 39
        assert value(connection, f"SELECT count(*) FROM {my_table}") == 10


def test_dictionaries_and_strings(my, my_table):
    text = "quote ' double \" backslash \\ newline \n percent % unicode 🐬"
    with my.connect(cursorclass=pymysql.cursors.DictCursor) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {my_table} (id, name) VALUES (%(id)s, %(name)s)",
                           {"id": 1, "name": text})
            cursor.execute(f"SELECT id, name FROM {my_table} WHERE name = %s", (text,))
            assert cursor.fetchall() == [{"id": 1, "name": text}]


def test_transactions(my, my_table):
    with my.connect(autocommit=False) as one, my.connect() as other:
        rows(one, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        assert value(other, f"SELECT count(*) FROM {my_table}") == 0
        one.rollback()
        rows(one, f"INSERT INTO {my_table} VALUES (2, 'b', 1)")
        one.commit()
        assert rows(other, f"SELECT id FROM {my_table}") == ((2,),)
        one.begin()
        rows(one, f"DELETE FROM {my_table}")
        one.rollback()
        assert value(one, f"SELECT count(*) FROM {my_table}") == 1
        one.rollback()


def test_errors_leave_the_connection_usable(my, my_table):
    with my.connect() as connection:
        rows(connection, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        with pytest.raises(pymysql.err.IntegrityError) as error:
            rows(connection, f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
        assert error.value.args[0] == 1062
        with pytest.raises(pymysql.err.ProgrammingError) as error:
            rows(connection, "SELECT * FROM no_such_table")
        assert error.value.args[0] == 1146
        with pytest.raises(pymysql.err.ProgrammingError) as error:
            rows(connection, "SELEC 1")
        assert error.value.args[0] == 1064
        with pytest.raises(pymysql.err.OperationalError) as error:
            rows(connection, f"SELECT no_such_column FROM {my_table}")
        assert error.value.args[0] == 1054
        assert value(connection, "SELECT 1") == 1


def test_large_values(my, my_table):
    with my.connect(max_allowed_packet=64 * 2**20) as connection:
        for size in (250, 251, 65535, 65536, 3_000_000):
            text = "x" * (size - 1) + "ü"
            rows(connection, f"REPLACE INTO {my_table} VALUES (%s, %s, 0)", size, "y" * 10)
            assert value(connection, "SELECT %s", text) == text


def test_streaming_cursor(my, my_table):
    with my.connect() as connection:
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                               [(n, f"row {n}", n) for n in range(5000)])
        with connection.cursor(pymysql.cursors.SSCursor) as cursor:
            cursor.execute(f"SELECT id FROM {my_table} ORDER BY id")
            assert cursor.fetchone() == (0,)
            assert cursor.fetchmany(10) == [(n,) for n in range(1, 11)]
            assert sum(row[0] for row in cursor) == sum(range(11, 5000))
        with connection.cursor(pymysql.cursors.SSCursor) as cursor:
            cursor.execute(f"SELECT id FROM {my_table}")
            cursor.fetchone()  # the rest is read when the cursor closes
        assert value(connection, "SELECT 42") == 42


def test_last_insert_id(my, request):
    name = f"auto_{request.node.name.split('[')[1][:-1].replace('-', '_')}"
    with my.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        key = "INTEGER PRIMARY KEY" if my.sqlite else "INTEGER PRIMARY KEY AUTO_INCREMENT"
        cursor.execute(f"CREATE TABLE {name} (id {key}, name TEXT)")
        for expected in (1, 2, 3):
            cursor.execute(f"INSERT INTO {name} (name) VALUES ('x')")
            assert cursor.lastrowid == expected
            assert value(connection, "SELECT LAST_INSERT_ID()") == expected
        cursor.execute(f"DROP TABLE {name}")


def test_ping_and_select_db(my):
    with my.connect() as connection:
        connection.ping(reconnect=False)
        connection.select_db(my.database)
        assert value(connection, "SELECT DATABASE()") in ("app", my.database)
        assert connection.get_server_info()
        assert connection.character_set_name() == "utf8mb4"


@pytest.mark.mariadb
def test_types(my):
    with my.connect() as connection:
        row = rows(connection, """
            SELECT 1, -1, 18446744073709551615, 1.5e0, 1.50, DATE '2024-02-29',
                   TIMESTAMP '2024-02-29 12:34:56.789', TIME '-30:00:00.5', NULL, x'00ff',
                   CAST('é' AS CHAR CHARACTER SET latin1), b'101' + 0, '', JSON_ARRAY(1, NULL)""")
        assert row == ((1, -1, 18446744073709551615, 1.5, decimal.Decimal("1.50"),
                        datetime.date(2024, 2, 29),
                        datetime.datetime(2024, 2, 29, 12, 34, 56, 789000),
                        -datetime.timedelta(hours=30, milliseconds=500), None, b"\x00\xff", "é", 5,
                        "", "[1, null]"),)


@pytest.mark.mariadb
def test_several_results(my):
    options = {"client_flag": pymysql.constants.CLIENT.MULTI_STATEMENTS}
    with my.connect(**options) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2, 3; DO 0; SELECT 4 FROM DUAL WHERE FALSE; SELECT 5")
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
        assert found == [((1,),), ((2, 3),), (), (), ((5,),)]
        cursor.execute("SELECT 1; SELECT * FROM nowhere; SELECT 3")
        with pytest.raises(pymysql.err.ProgrammingError):
            cursor.nextset()
        assert value(connection, "SELECT 6") == 6


@pytest.mark.mariadb
def test_without_multi_statements_they_are_refused(my):
    with my.connect() as connection:
        with pytest.raises(pymysql.err.ProgrammingError) as error:
            rows(connection, "SELECT 1; SELECT 2")
        assert error.value.args[0] == 1064


@pytest.mark.mariadb
def test_procedures(my):
    name = f"p_{my.name.replace('-', '_')}"
    with my.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP PROCEDURE IF EXISTS {name}")
        cursor.execute(f"CREATE PROCEDURE {name}(IN a INT, OUT b INT) "
                       "BEGIN SELECT a; SELECT a + 1, 'x'; SET b = a * 2; END")
        cursor.callproc(name, (5, 0))
        assert cursor.fetchall() == ((5,),)
        assert cursor.nextset() and cursor.fetchall() == ((6, "x"),)
        assert cursor.nextset() and not cursor.nextset()
        cursor.execute(f"SELECT @_{name}_1")  # a user variable set by callproc
        assert cursor.fetchone() == (10,)
        cursor.execute(f"DROP PROCEDURE {name}")


@pytest.mark.mariadb
def test_load_data_local(my, my_table, tmp_path):
    lines = [f"{n}\tname {n}\t{n * 2}\n" for n in range(20_000)]
    (tmp_path / "data.tsv").write_text("".join(lines))
    with my.connect(local_infile=True) as connection:
        sql = f"LOAD DATA LOCAL INFILE '{tmp_path}/data.tsv' INTO TABLE {my_table}"
        rows(connection, sql)
        assert value(connection, f"SELECT sum(amount) FROM {my_table}") == 2 * sum(range(20_000))
        with pytest.raises(pymysql.err.OperationalError) as error:
            rows(connection, sql.replace("data.tsv", "missing.tsv"))
        assert error.value.args[0] == 1017
    with my.connect(local_infile=False) as connection:  # no such capability: the server refuses
        with pytest.raises(pymysql.err.Error) as error:
            rows(connection, sql)
        assert error.value.args[0] in (1148, 1235, 4166)
        assert value(connection, "SELECT 1") == 1


def test_wrong_passwords_and_databases(my):
    with pytest.raises(pymysql.err.OperationalError) as error:
        my.connect(password="wrong")
    assert error.value.args[0] == 1045
    with pytest.raises(pymysql.err.OperationalError) as error:
        my.connect(user="nobody")
    assert error.value.args[0] == 1045
    with pytest.raises(pymysql.err.OperationalError) as error:
        my.connect(database="no_such_database")
    assert error.value.args[0] in (1044, 1049)
