"""psycopg2: simple protocol, named cursors, copy, notices, cancel from a thread."""
import datetime
import decimal
import io
import threading

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
import pytest

from cancelling import cancelling


@pytest.fixture
def connection(target):
    made = psycopg2.connect(target.dsn())
    yield made
    made.close()


def test_values(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, %s, %s, %s", ("it's \\ ünï", 42, None, 1.5))
        assert cursor.fetchone() == ("it's \\ ünï", 42, None, 1.5)
        cursor.execute("SELECT %s", ("日本語",))
        assert cursor.fetchone() == ("日本語",)


@pytest.mark.postgres
def test_postgres_types(connection):
    now = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, %s::numeric, %s::int[], %s::bytea, %s::jsonb",
                       (now, decimal.Decimal("12.340"), [1, 2, 3], psycopg2.Binary(b"\0\xff"),
                        psycopg2.extras.Json({"a": [1]})))
        row = cursor.fetchone()
    assert row[0] == now and row[1] == decimal.Decimal("12.340") and row[2] == [1, 2, 3]
    assert bytes(row[3]) == b"\0\xff" and row[4] == {"a": [1]}


def test_transactions(connection, table):
    with connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1, 'kept', 1)")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        with connection, connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} VALUES (2, 'dropped', 1)")
            cursor.execute(f"INSERT INTO {table} VALUES (1, 'double', 1)")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, name FROM {table}")
        assert cursor.fetchall() == [(1, "kept")]


def test_savepoints(connection, table):
    with connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1, 'a', 1)")
        cursor.execute("SAVEPOINT s")
        with pytest.raises(psycopg2.Error):
            cursor.execute("SELECT * FROM nowhere")
        cursor.execute("ROLLBACK TO SAVEPOINT s")
        cursor.execute(f"INSERT INTO {table} VALUES (2, 'b', 1)")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] == 2


def test_rowcount_and_executemany(connection, table):
    with connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, f"INSERT INTO {table} VALUES %s",
                                       [(n, f"n{n}", n) for n in range(1000)])
        cursor.execute(f"UPDATE {table} SET amount = 0 WHERE id < 10")
        assert cursor.rowcount == 10
        cursor.executemany(f"DELETE FROM {table} WHERE id = %s", [(1,), (2,)])
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (998,)


def test_returning(connection, table):
    with connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} (id, name) VALUES (7, 'x') RETURNING id, name")
        assert cursor.fetchone() == (7, "x")


@pytest.mark.postgres
def test_named_cursor(connection):
    with connection, connection.cursor("many") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT generate_series(1, 1000)")
        assert [row[0] for row in cursor] == list(range(1, 1001))


@pytest.mark.postgres
def test_copy(connection, table):
    with connection, connection.cursor() as cursor:
        cursor.copy_from(io.StringIO("1\ta\t5\n2\tb\t6\n"), table)
        out = io.StringIO()
        cursor.copy_expert(f"COPY {table} TO STDOUT", out)
    assert out.getvalue() == "1\ta\t5\n2\tb\t6\n"


@pytest.mark.postgres
def test_cancel(connection):
    with connection.cursor() as cursor:
        with cancelling(connection.cancel), pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT pg_sleep(60)")
        connection.rollback()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.postgres
def test_notices(connection):
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE WARNING 'careful'; END $$")
    assert "careful" in connection.notices[-1]


def test_pool_of_threads(target, table):
    pool = psycopg2.pool.ThreadedConnectionPool(1, 12, target.dsn())
    wrong = []

    def work(number):
        connection = pool.getconn()
        try:
            for turn in range(20):
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT %s, %s", (f"thread {number}", turn))
                    if cursor.fetchone() != (f"thread {number}", turn):
                        wrong.append(number)
        finally:
            pool.putconn(connection)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pool.closeall()
    assert not wrong


def test_isolation_level_and_autocommit(connection):
    connection.set_session(isolation_level="SERIALIZABLE", autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INTRANS
    connection.set_session(autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 2")
        assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE


def test_client_encoding(target):
    with psycopg2.connect(target.dsn(client_encoding="UTF8")) as connection:
        assert connection.encoding == "UTF8"
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'naïve'")
            assert cursor.fetchone() == ("naïve",)
    connection.close()
