"""asyncpg: binary extended protocol, named statements always, portals with row limits."""
import asyncio

import asyncpg
import pytest


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 85))


async def connect(target, **options):
    return await asyncpg.connect(host=target.host, port=target.port, user=target.user,
                                 password=target.password, database=target.database, ssl=False,
                                 timeout=30, **options)


def with_connection(target, body, **options):
    async def main():
        connection = await connect(target, **options)
        try:
            return await body(connection)
        finally:
            await connection.close()
    return run(main())


def test_fetch(target, table):
    async def body(c):
        await c.execute(f"INSERT INTO {table} VALUES (1, 'a', 10), (2, 'b', NULL)")
        assert await c.fetchval(f"SELECT name FROM {table} WHERE id = $1", 2) == "b"
        rows = await c.fetch(f"SELECT * FROM {table} ORDER BY id")
        assert [tuple(row) for row in rows] == [(1, "a", 10), (2, "b", None)]
        assert list(rows[0].keys()) == ["id", "name", "amount"]
    with_connection(target, body)


def test_execute_status(target, table):
    async def body(c):
        assert await c.execute(f"INSERT INTO {table} VALUES ($1, $2, $3)", 1, "a", 5) == "INSERT 0 1"
        assert await c.execute(f"UPDATE {table} SET amount = 6") == "UPDATE 1"
        assert await c.execute(f"DELETE FROM {table}") == "DELETE 1"
    with_connection(target, body)


def test_prepared(target, table):
    async def body(c):
        await c.executemany(f"INSERT INTO {table} VALUES ($1, $2, $3)",
                            [(n, f"n{n}", n) for n in range(100)])
        statement = await c.prepare(f"SELECT name FROM {table} WHERE id = $1")
        for n in range(100):
            assert await statement.fetchval(n) == f"n{n}"
        assert [a.name for a in statement.get_attributes()] == ["name"]
    with_connection(target, body)


def test_transactions(target, table):
    async def body(c):
        async with c.transaction():
            await c.execute(f"INSERT INTO {table} VALUES (1, 'kept', 0)")
            with pytest.raises(asyncpg.UniqueViolationError):
                async with c.transaction():
                    await c.execute(f"INSERT INTO {table} VALUES (1, 'double', 0)")
        with pytest.raises(ZeroDivisionError):
            async with c.transaction():
                await c.execute(f"INSERT INTO {table} VALUES (2, 'dropped', 0)")
                raise ZeroDivisionError
        assert [r["name"] for r in await c.fetch(f"SELECT name FROM {table}")] == ["kept"]
    with_connection(target, body)


def test_cursor(target, table):
    async def body(c):
        await c.executemany(f"INSERT INTO {table} VALUES ($1, 'x', 0)", [(n,) for n in range(500)])
        async with c.transaction():
            seen = [row["id"] async for row in
                    c.cursor(f"SELECT id FROM {table} ORDER BY id", prefetch=7)]
            assert seen == list(range(500))
            cursor = await c.cursor(f"SELECT id FROM {table} ORDER BY id")
            assert [r["id"] for r in await cursor.fetch(3)] == [0, 1, 2]
            if not target.sqlite:
                assert await cursor.forward(10) == 10
                assert (await cursor.fetchrow())["id"] == 13
    with_connection(target, body)


@pytest.mark.postgres
def test_types(target):
    async def body(c):
        import datetime
        import decimal
        import uuid
        values = (datetime.datetime(2024, 2, 29, 1, 2, 3, 4), decimal.Decimal("12.50"),
                  uuid.UUID(int=9), ["a", None], b"\0x", 2.5, datetime.timedelta(days=2))
        row = await c.fetchrow("SELECT $1::timestamp, $2::numeric, $3::uuid, $4::text[], $5::bytea,"
                               " $6::float8, $7::interval", *values)
        assert tuple(row) == values
    with_connection(target, body)


@pytest.mark.postgres
def test_introspection_of_unknown_types(target, table):
    async def body(c):
        await c.execute(f"DROP TYPE IF EXISTS mood_{table}")
        await c.execute(f"CREATE TYPE mood_{table} AS ENUM ('sad', 'happy')")
        assert await c.fetchval(f"SELECT $1::mood_{table}", "happy") == "happy"
        await c.execute(f"DROP TYPE mood_{table}")
    with_connection(target, body)


@pytest.mark.postgres
def test_copy(target, table):
    async def body(c):
        rows = [(n, f"row {n}", n) for n in range(5000)]
        assert await c.copy_records_to_table(table, records=rows) == "COPY 5000"
        import io
        out = io.BytesIO()
        await c.copy_from_query(f"SELECT * FROM {table} ORDER BY id", output=out, format="csv")
        assert out.getvalue().splitlines()[4999] == b"4999,row 4999,4999"
    with_connection(target, body)


@pytest.mark.postgres
@pytest.mark.clock
def test_timeout_cancels(target):
    async def body(c):
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await c.execute("SELECT pg_sleep(10)", timeout=0.3)
            assert await c.fetchval("SELECT 1") == 1
        with pytest.raises(asyncio.TimeoutError):
            await c.fetchval("SELECT pg_sleep($1)", 10, timeout=0.3)
        assert await c.fetchval("SELECT 2") == 2
    with_connection(target, body)


@pytest.mark.clock
def test_timeout_cancels_a_computation(target):
    async def body(c):
        with pytest.raises(asyncio.TimeoutError):
            await c.fetch("""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
                             WHERE i < 2000000000) SELECT count(*) FROM n""", timeout=1)
        assert await c.fetchval("SELECT 1") == 1
    with_connection(target, body)


def test_pool_of_many_tasks(target, table):
    """More connections than backends, each with named statements of its own."""
    async def main():
        async with asyncpg.create_pool(
                host=target.host, port=target.port, user=target.user, password=target.password,
                database=target.database, ssl=False, min_size=2, max_size=16) as pool:

            async def one(number):
                for turn in range(10):
                    async with pool.acquire() as c, c.transaction():
                        await c.execute(f"INSERT INTO {table} VALUES ($1, $2, $3)",
                                        number * 100 + turn, f"n{number}", turn)
                        value = await c.fetchval(f"SELECT name FROM {table} WHERE id = $1",
                                                 number * 100 + turn)
                        assert value == f"n{number}"

            await asyncio.gather(*(one(n) for n in range(30)))
            assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 300
    run(main())


@pytest.mark.postgres
def test_listen(target):
    async def main():
        listener, speaker = await connect(target), await connect(target)
        heard = asyncio.Queue()
        await listener.add_listener("wire", lambda *event: heard.put_nowait(event[3]))
        await speaker.execute("SELECT pg_notify('wire', 'one')")
        assert await asyncio.wait_for(heard.get(), 60) == "one"
        await speaker.execute("NOTIFY wire, 'two'")
        assert await asyncio.wait_for(heard.get(), 60) == "two"
        await listener.close()
        await speaker.close()
    run(main())


def test_syntax_error_leaves_the_connection_usable(target):
    async def body(c):
        for _ in range(3):
            with pytest.raises(asyncpg.PostgresSyntaxError):
                await c.fetch("SELEKT 1")
        assert await c.fetchval("SELECT 1") == 1
    with_connection(target, body)


@pytest.mark.postgres
def test_settings(target):
    async def body(c):
        assert await c.fetchval("SHOW application_name") == "probe"
        await c.execute("SET search_path TO public, pg_temp")
        assert await c.fetchval("SHOW search_path") == "public, pg_temp"
        await c.reset()
        assert "$user" in await c.fetchval("SHOW search_path")
    with_connection(target, body, server_settings={"application_name": "probe"})
