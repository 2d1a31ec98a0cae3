"""PREPARE, cursors and binary COPY of PostgreSQL clients on a SQLite file."""
import asyncio
import datetime
import decimal

import asyncpg
import psycopg
import psycopg2
import pytest

import servers

pytestmark = pytest.mark.gateway
CONFIG = f"""
[databases.lite]
engine = "sqlite"
file = "lite.db"
[users.alice]
password = "{servers.PASSWORD}"
"""


@pytest.fixture(scope="module")
def lite(folder):
    with servers.Sluice(folder / "cursors", CONFIG) as running:
        target = servers.Target("sluice-sqlite", running.port, "lite", "alice", servers.PASSWORD)
        with psycopg.connect(target.dsn(), autocommit=True) as made:
            made.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY, word TEXT)")
            made.execute("INSERT INTO numbers SELECT x, 'w' || x FROM generate_series(1, 1000) "
                         "AS g(x)")
        yield target


@pytest.fixture
def connection(lite):
    with psycopg.connect(lite.dsn(), autocommit=True) as made:
        yield made


def refused(connection, sql):
    with pytest.raises(psycopg.Error) as raised:
        connection.execute(sql)
    return raised.value.sqlstate


@pytest.mark.parametrize("binary", [False, True])
def test_psycopg3_server_cursor(lite, binary):
    with psycopg.connect(lite.dsn()) as connection:
        with connection.cursor(name="all of them", binary=binary) as cursor:
            cursor.execute("SELECT n, word FROM numbers WHERE n > %s ORDER BY n", (990,))
            assert [column.name for column in cursor.description] == ["n", "word"]
            assert cursor.fetchone() == (991, "w991")
            assert cursor.fetchmany(3) == [(992, "w992"), (993, "w993"), (994, "w994")]
            cursor.scroll(2)
            assert cursor.fetchall() == [(997, "w997"), (998, "w998"), (999, "w999"),
                                         (1000, "w1000")]
            assert cursor.fetchone() is None
        with connection.cursor(name="again") as cursor:
            cursor.itersize = 7
            cursor.execute("SELECT n FROM numbers ORDER BY n")
            assert [row[0] for row in cursor] == list(range(1, 1001))
        connection.commit()


def test_psycopg2_named_cursor(lite):
    connection = psycopg2.connect(lite.dsn())
    try:
        with connection.cursor(name="slow", withhold=False) as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT n, word FROM numbers WHERE n <= %s ORDER BY n", (250,))
            assert [row[0] for row in cursor] == list(range(1, 251))
        connection.commit()
        with connection.cursor(name="held", withhold=True) as cursor:
            with pytest.raises(psycopg2.Error) as raised:
                cursor.execute("SELECT 1")
            assert raised.value.pgcode == "0A000"
            assert "WITH HOLD" in str(raised.value)
    finally:
        connection.close()


def test_cursor_statements(connection):
    connection.execute("BEGIN")
    done = connection.execute("DECLARE c NO SCROLL CURSOR WITHOUT HOLD FOR "
                              "SELECT n FROM numbers ORDER BY n")
    assert done.statusmessage == "DECLARE CURSOR"

    def fetch(words):
        found = connection.execute(words)
        return [row[0] for row in found.fetchall()], found.statusmessage

    assert fetch("FETCH c") == ([1], "FETCH 1")
    assert fetch("FETCH NEXT FROM c") == ([2], "FETCH 1")
    assert fetch("FETCH 3 IN c") == ([3, 4, 5], "FETCH 3")
    assert fetch("FETCH FORWARD 2 FROM c") == ([6, 7], "FETCH 2")
    assert connection.execute("MOVE 10 FROM c").statusmessage == "MOVE 10"
    assert fetch("FETCH RELATIVE 3 FROM c") == ([20], "FETCH 1")
    assert fetch("FETCH ABSOLUTE 100 FROM c") == ([100], "FETCH 1")
    assert fetch("FETCH 0 FROM c") == ([], "FETCH 0")
    assert connection.execute("MOVE ABSOLUTE 990 FROM c").statusmessage.startswith("MOVE")
    assert fetch("FETCH ALL FROM c")[0] == list(range(991, 1001))
    assert fetch("FETCH c") == ([], "FETCH 0")
    assert connection.execute("CLOSE c").statusmessage == "CLOSE CURSOR"
    connection.execute("COMMIT")
    assert refused(connection, "FETCH c") == "34000"
    assert refused(connection, "DECLARE c CURSOR FOR SELECT 1") == "25P01"


def test_cursor_errors(connection):
    for words, state in (("DECLARE c SCROLL CURSOR FOR SELECT 1", "0A000"),
                         ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "0A000"),
                         ("DECLARE c CURSOR FOR DELETE FROM numbers RETURNING n", "42P11"),
                         ("DECLARE c CURSOR FOR SELECT * FROM nowhere", "42P01"),
                         ("DECLARE c CURSOR", "42601"), ("FETCH SOME FROM c", "42601"),
                         ("FETCH c", "34000"), ("MOVE c", "34000"), ("CLOSE c", "34000")):
        connection.execute("BEGIN")
        assert refused(connection, words) == state, words
        assert refused(connection, "SELECT 1") == "25P02"
        connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    connection.execute("DECLARE c CURSOR FOR SELECT n FROM numbers")
    assert connection.execute("FETCH 2 FROM c").fetchall() == [(1,), (2,)]
    assert refused(connection, "FETCH BACKWARD 1 FROM c") == "55000"
    connection.execute("ROLLBACK")


def test_cursors_end_with_their_transaction(connection):
    connection.execute("BEGIN")
    connection.execute("DECLARE a CURSOR FOR SELECT n FROM numbers")
    connection.execute("DECLARE b CURSOR FOR SELECT n + 1 FROM numbers")
    assert connection.execute("FETCH a").fetchone() == (1,)
    assert connection.execute("FETCH b").fetchone() == (2,)
    # Rows that the same transaction writes do not stop it.
    connection.execute("INSERT INTO numbers VALUES (5000, 'new')")
    assert connection.execute("FETCH a").fetchone() == (2,)
    connection.execute("CLOSE ALL")
    assert refused(connection, "FETCH a") == "34000"
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    connection.execute("DECLARE a CURSOR FOR SELECT n FROM numbers")
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    connection.execute("DECLARE a CURSOR FOR SELECT count(*) FROM numbers")
    assert connection.execute("FETCH ALL FROM a").fetchall() == [(1000,)]
    connection.execute("COMMIT")


@pytest.mark.parametrize("prepare", [False, True])
def test_prepare_and_execute(connection, prepare):
    def run(sql):
        return connection.execute(sql, prepare=prepare)

    assert run("PREPARE one (int, text) AS SELECT n, word || $2 FROM numbers WHERE n = $1"
               ).statusmessage == "PREPARE"
    assert run("EXECUTE one(3, '!')").fetchall() == [(3, "w3!")]
    assert run("EXECUTE one(1 + 1, upper('x'))").fetchall() == [(2, "w2X")]
    assert refused(connection, "EXECUTE one(1)") == "42601"
    assert refused(connection, "EXECUTE one('x', 'y')") == "22P02"
    assert refused(connection, "PREPARE one AS SELECT 1") == "42P05"
    assert refused(connection, "EXECUTE two") == "26000"
    assert refused(connection, "PREPARE bad AS SELECT * FROM nowhere") == "42P01"
    assert refused(connection, "PREPARE bad AS") == "42601"
    run("PREPARE add AS INSERT INTO numbers VALUES ($1, $2)")
    assert run("EXECUTE add(6000, 'six')").statusmessage == "INSERT 0 1"
    assert run("DELETE FROM numbers WHERE n = 6000").rowcount == 1
    assert run("DEALLOCATE one").statusmessage == "DEALLOCATE"
    assert refused(connection, "EXECUTE one(1, '')") == "26000"
    run("DEALLOCATE ALL")
    assert refused(connection, "EXECUTE add(1, '')") == "26000"


ROWS = [(1, "one", 1.5, True, datetime.date(2024, 2, 29), b"\x00\xff", decimal.Decimal("12.50")),
        (2, None, None, False, None, None, None), (3, "", -0.0, None, None, b"", decimal.Decimal(0))]
COLUMNS = ("id", "word", "ratio", "flag", "day", "raw", "price")


@pytest.fixture
def copies(connection):
    connection.execute("CREATE TABLE copies (id INTEGER PRIMARY KEY, word TEXT, ratio DOUBLE "
                       "PRECISION, flag BOOLEAN, day DATE, raw BYTEA, price NUMERIC(10, 2))")
    yield "copies"
    connection.execute("DROP TABLE copies")


def test_asyncpg_copies_records(lite, copies):
    async def run():
        connection = await asyncpg.connect(lite.url(), timeout=30)
        assert await connection.copy_records_to_table(
            copies, records=ROWS, columns=COLUMNS) == "COPY 3"
        found = await connection.fetch("SELECT * FROM copies ORDER BY id")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.copy_records_to_table(copies, records=[(9,), (1,)], columns=["id"])
        assert await connection.fetchval("SELECT count(*) FROM copies") == 3
        many = [(n, f"word {n}") for n in range(10, 2010)]
        await connection.copy_records_to_table(copies, records=many, columns=["id", "word"])
        assert await connection.fetchval("SELECT count(*) FROM copies") == 2003
        await connection.close()
        return [tuple(row) for row in found]

    assert asyncio.run(run()) == ROWS


@pytest.mark.parametrize("typed", [False, True])
def test_psycopg3_copies_binary(connection, copies, typed):
    types = ["int8", "text", "float8", "bool", "date", "bytea", "numeric"]
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY copies ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy:
            if typed:
                copy.set_types(types)
            for row in ROWS:
                copy.write_row(row)
        assert cursor.rowcount == 3
        assert cursor.execute("SELECT * FROM copies ORDER BY id").fetchall() == ROWS
        with cursor.copy("COPY (SELECT * FROM copies ORDER BY id) TO STDOUT (FORMAT BINARY)"
                         ) as copy:
            copy.set_types(types)
            assert list(copy.rows()) == ROWS
        with cursor.copy("COPY (SELECT id FROM copies WHERE id > 5) TO STDOUT BINARY") as copy:
            whole = b"".join(bytes(piece) for piece in copy)
        assert whole == b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


@pytest.mark.parametrize("data", [
    b"no such thing, but long enough", b"PGCOPY\n\xff\r\n\0" + b"\0\1\0\0" + bytes(4),
    b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\2", b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\0\0\0",
    b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\0\0\0\3abc",
    b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\x7f\xff\xff\xff\1",
    b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\xff\xff\xff\xfe"])
def test_bad_binary_copy(connection, copies, data):
    with pytest.raises(psycopg.Error) as raised:
        with connection.cursor().copy("COPY copies (id) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(data)
    assert raised.value.sqlstate in ("22P04", "22P03"), raised.value
    assert connection.execute("SELECT count(*) FROM copies").fetchone() == (0,)
