"""psycopg 3: extended protocol, pipelines, binary, COPY, cursors, prepared statements, pools."""
import asyncio
import datetime
import decimal
import threading
import uuid

import psycopg
import psycopg_pool
import pytest

from cancelling import cancelling
from psycopg.rows import dict_row


@pytest.fixture
def connection(target):
    with psycopg.connect(target.dsn()) as made:
        yield made


@pytest.mark.parametrize("binary", [False, True])
def test_values(connection, binary):
    cursor = connection.cursor(binary=binary)
    cursor.execute("SELECT %s::text, %s::text", ("ünï", None))
    assert cursor.fetchone() == ("ünï", None)


@pytest.mark.parametrize("binary", [False, True])
def test_table_values(connection, table, binary):
    with connection.cursor(binary=binary) as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)", (1, "a", -5))
        cursor.execute(f"INSERT INTO {table} VALUES (%b, %b, %b)", (2, "b", 2**31 - 1))
        cursor.execute(f"SELECT id, name, amount FROM {table} ORDER BY id")
        assert cursor.fetchall() == [(1, "a", -5), (2, "b", 2**31 - 1)]


@pytest.mark.postgres
@pytest.mark.parametrize("binary", [False, True])
def test_postgres_types(connection, binary):
    values = (datetime.datetime(1999, 12, 31, 23, 59, 59, 999999), datetime.date(2024, 2, 29),
              decimal.Decimal("-123.4500"), uuid.UUID(int=7), [1, None, 3], b"\0\1\xff", True, 2**62)
    row = connection.cursor(binary=binary).execute(
        "SELECT %s::timestamp, %s::date, %s::numeric, %s::uuid, %s::int[], %s::bytea, %s::bool,"
        " %s::int8", values).fetchone()
    assert row == values


def test_transaction_blocks(connection, table):
    with connection.transaction():
        connection.execute(f"INSERT INTO {table} VALUES (1, 'kept', 1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            with connection.transaction():
                connection.execute(f"INSERT INTO {table} VALUES (1, 'double', 1)")
    assert connection.execute(f"SELECT name FROM {table}").fetchall() == [("kept",)]


def test_error_inside_a_transaction(connection, table):
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM nowhere")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("SELECT 1")
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_prepared_after_the_threshold(target, table):
    with psycopg.connect(target.dsn(), prepare_threshold=2, autocommit=True) as connection:
        for n in range(20):
            connection.execute(f"INSERT INTO {table} VALUES (%s, %s, 0)", (n, f"n{n}"))
            row = connection.execute(f"SELECT name FROM {table} WHERE id = %s", (n,)).fetchone()
            assert row == (f"n{n}",)


def test_prepare_at_once_and_many(target, table):
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.prepared_max = 5
        for n in range(40):
            row = connection.execute(f"SELECT {n} + %s", (1,), prepare=True).fetchone()
            assert row == (n + 1,)


def test_executemany_returning(connection, table):
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, 'x', %s) RETURNING id",
                           [(n, n) for n in range(50)], returning=True)
        ids = [cursor.fetchone()[0]]
        while cursor.nextset():
            ids.append(cursor.fetchone()[0])
    assert ids == list(range(50))


def test_pipeline(target, table):
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        with connection.pipeline():
            cursors = [connection.execute(f"INSERT INTO {table} VALUES (%s, 'p', %s) RETURNING id",
                                          (n, n)) for n in range(200)]
            assert [c.fetchone()[0] for c in cursors] == list(range(200))


def test_pipeline_error_aborts_up_to_the_sync(target, table):
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            with connection.pipeline() as pipeline:
                connection.execute(f"INSERT INTO {table} VALUES (1, 'rolled back', 0)")
                connection.execute("SELECT * FROM nowhere")
                connection.execute(f"INSERT INTO {table} VALUES (2, 'skipped', 0)")
                pipeline.sync()
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        with connection.pipeline() as pipeline:
            connection.execute(f"INSERT INTO {table} VALUES (1, 'kept', 0)")
            pipeline.sync()
            connection.execute(f"INSERT INTO {table} VALUES (2, 'kept', 0)")
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)


def test_pipeline_in_a_transaction(connection, table):
    with connection.pipeline(), connection.transaction():
        for n in range(30):
            connection.execute(f"INSERT INTO {table} VALUES (%s, 'p', 0)", (n,))
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (30,)


@pytest.mark.postgres
def test_copy(connection, table):
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for n in range(10000):
                copy.write_row((n, f"row {n}", n))
        with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "int4"])
            rows = list(copy.rows())
    assert rows == [(n, f"row {n}", n) for n in range(10000)]


@pytest.mark.postgres
def test_copy_given_up_by_the_client(connection, table):
    with pytest.raises(psycopg.errors.QueryCanceled):  # CopyFail with psycopg's reason
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            copy.write_row((1, "a", 1))
            raise ZeroDivisionError
    connection.rollback()
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.postgres
@pytest.mark.parametrize("scrollable", [None, True])
def test_server_side_cursor(connection, scrollable):
    with connection.cursor("many", scrollable=scrollable) as cursor:
        cursor.execute("SELECT generate_series(1, 500)")
        assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
        if scrollable:
            cursor.scroll(0, mode="absolute")
            assert cursor.fetchone() == (1,)
        else:
            assert len(cursor.fetchall()) == 497


@pytest.mark.postgres
def test_large_values_both_ways(connection):
    blob = bytes(range(256)) * 40000
    assert connection.cursor(binary=True).execute("SELECT %b::bytea", (blob,)).fetchone()[0] == blob


def test_large_text_both_ways(connection, table):
    text = "äöü0123456789" * 100000
    connection.execute(f"INSERT INTO {table} VALUES (1, %s, 0)", (text,))
    assert connection.execute(f"SELECT name FROM {table}").fetchone() == (text,)


def test_stream(connection, table):
    connection.execute(f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
                           WHERE i < 5000) INSERT INTO {table} SELECT i, 'r', i FROM n""")
    with connection.cursor(row_factory=dict_row) as cursor:
        seen = [row["id"] for row in cursor.stream(f"SELECT id FROM {table} ORDER BY id")]
    assert seen == list(range(1, 5001))


def test_stream_abandoned(target, table):
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute(f"""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
                               WHERE i < 20000) INSERT INTO {table} SELECT i, 'r', i FROM n""")
        cursor = connection.cursor()
        for _ in cursor.stream(f"SELECT a.id FROM {table} a, {table} b LIMIT 3000000"):
            break
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.postgres
def test_cancel(connection):
    with cancelling(connection.cancel), pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(20)")
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_cancel_of_a_computation(connection):
    with cancelling(connection.cancel), pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
                              WHERE i < 2000000000) SELECT count(*) FROM n""")
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_pool(target):
    with psycopg_pool.ConnectionPool(target.dsn(), min_size=2, max_size=10) as pool:
        wrong = []

        def work(number):
            for turn in range(20):
                with pool.connection() as connection:
                    row = connection.execute("SELECT %s::text, %s::text",
                                             (f"w{number}", f"t{turn}")).fetchone()
                    if row != (f"w{number}", f"t{turn}"):
                        wrong.append(row)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(85)
        assert not wrong


def test_async_tasks(target, table):
    async def one(number):
        async with await psycopg.AsyncConnection.connect(target.dsn(), autocommit=True) as c:
            for turn in range(10):
                await c.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)",
                                (number * 100 + turn, f"n{number}", turn), prepare=True)
            cursor = await c.execute(f"SELECT count(*) FROM {table} WHERE name = %s",
                                     (f"n{number}",))
            return (await cursor.fetchone())[0]

    async def main():
        return await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(20))), 85)

    assert asyncio.run(main()) == [10] * 20


@pytest.mark.postgres
def test_async_cancel(target):
    async def main():
        async with await psycopg.AsyncConnection.connect(target.dsn(), autocommit=True) as c:
            task = asyncio.create_task(c.execute("SELECT pg_sleep(20)"))
            await asyncio.sleep(0.5)
            while not task.done():  # again, where the cancel came before the statement did
                c.cancel()
                await asyncio.wait([task], timeout=3)
            with pytest.raises(psycopg.errors.QueryCanceled):
                await task
            return (await (await c.execute("SELECT 5")).fetchone())[0]

    assert asyncio.run(main()) == 5


@pytest.mark.postgres
def test_async_notifications(target):
    with psycopg.connect(target.dsn(), autocommit=True) as listener, \
            psycopg.connect(target.dsn(), autocommit=True) as speaker:
        listener.execute("LISTEN news")
        for n in range(3):
            speaker.execute("SELECT pg_notify('news', %s)", (f"item {n}",))
        heard = []
        for notice in listener.notifies():
            heard.append(notice.payload)
            if len(heard) == 3:
                break
        assert heard == ["item 0", "item 1", "item 2"]


@pytest.mark.postgres
def test_function_call_message(connection):
    """Large objects go through FunctionCall ('F') in libpq."""
    import ctypes
    import ctypes.util
    pq = ctypes.CDLL(ctypes.util.find_library("pq"))
    pq.PQconnectdb.restype = ctypes.c_void_p
    pq.lo_creat.argtypes = [ctypes.c_void_p, ctypes.c_int]
    pq.lo_unlink.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    pq.PQfinish.argtypes = [ctypes.c_void_p]
    pq.PQstatus.argtypes = [ctypes.c_void_p]
    handle = pq.PQconnectdb(connection.info.dsn.encode() + b" password='alice secret'")
    assert pq.PQstatus(handle) == 0
    number = pq.lo_creat(handle, 0x60000)
    assert number > 0
    assert connection.execute("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = %s",
                              (number,)).fetchone() == (1,)
    assert pq.lo_unlink(handle, number) == 1
    pq.PQfinish(handle)
