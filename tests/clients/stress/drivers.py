"""The same question asked with the drivers that people use: is every reply ours?"""
import random
import time

from .person import Mixed, expect


async def asyncpg_client(number, target, until, tally):
    """A connection with asyncpg's automatic prepared statements."""
    import asyncpg
    connection = await asyncpg.connect(
        host=target["host"], port=target["port"], user=target["user"], ssl=False,
        password=target["password"], database=target["database"], timeout=60, command_timeout=60)
    rng = random.Random(number)
    try:
        while time.monotonic() < until:
            n = rng.randrange(10**6)
            expect(await connection.fetchval("select $1::int", n) == n, "asyncpg", number)
            row = await connection.fetchrow(f"select {number} as me, $1::text as text", str(n))
            expect((row["me"], row["text"]) == (number, str(n)), "asyncpg", number, row)
            async with connection.transaction():
                await connection.execute("create temp table a (n int) on commit drop")
                await connection.executemany("insert into a values ($1)",
                                             [(number,), (number,)])
                expect(await connection.fetchval("select sum(n) from a") == 2 * number,
                       "asyncpg transaction", number)
            try:
                await connection.fetchval("select 1/$1::int", 0)
                raise Mixed("division by zero passed")
            except asyncpg.DivisionByZeroError:
                pass
            tally["asyncpg"] = tally.get("asyncpg", 0) + 1
    finally:
        connection.terminate()


async def psycopg_client(number, target, until, tally):
    """psycopg 3, async, pipeline mode and prepared statements."""
    import psycopg
    connection = await psycopg.AsyncConnection.connect(
        host=target["host"], port=target["port"], user=target["user"], sslmode="disable",
        password=target["password"], dbname=target["database"], autocommit=True)
    rng = random.Random(number)
    try:
        while time.monotonic() < until:
            n = rng.randrange(10**6)
            cursor = await connection.execute("select %s::int, %s::int", (number, n), prepare=True)
            expect(await cursor.fetchone() == (number, n), "psycopg", number)
            async with connection.pipeline():
                first = await connection.execute("select %s::text", (f"{number}",))
                second = await connection.execute("select %s::int", (n,))
                expect(await first.fetchone() == (f"{number}",), "psycopg pipeline", number)
                expect(await second.fetchone() == (n,), "psycopg pipeline", number)
            async with connection.transaction():
                cursor = await connection.execute(f"select {number}")
                expect(await cursor.fetchone() == (number,), "psycopg transaction", number)
            tally["psycopg"] = tally.get("psycopg", 0) + 1
    finally:
        await connection.close()
