"""aiomysql: a pool of connections, transactions and streaming cursors in asyncio."""
import asyncio

import aiomysql
import pymysql
import pytest


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 85))


def words(my, **options):
    found = my.words(**options)
    found["db"] = found.pop("database")
    return found


def test_pool(my, my_table):
    """Twenty workers over ten connections, each with transactions of its own."""
    async def scenario():
        async with aiomysql.create_pool(minsize=1, maxsize=10, **words(my)) as pool:
            async def worker(number):
                for turn in range(5):
                    async with pool.acquire() as connection, connection.cursor() as cursor:
                        await connection.begin()
                        await cursor.execute(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                                             (number * 100 + turn, f"worker {number}", turn))
                        await cursor.execute(f"SELECT name FROM {my_table} WHERE id = %s",
                                             (number * 100 + turn,))
                        assert await cursor.fetchone() == (f"worker {number}",)
                        if turn % 2:
                            await connection.rollback()
                        else:
                            await connection.commit()
            await asyncio.gather(*(worker(number) for number in range(20)))
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute(f"SELECT count(*), max(amount) FROM {my_table}")
                assert await cursor.fetchone() == (60, 4)

    run(scenario())


def test_streaming_cursor(my, my_table):
    async def scenario():
        async with aiomysql.connect(autocommit=True, **words(my)) as connection:
            async with connection.cursor() as cursor:
                await cursor.executemany(f"INSERT INTO {my_table} VALUES (%s, %s, %s)",
                                         [(n, f"row {n}", n) for n in range(2000)])
            async with connection.cursor(aiomysql.SSDictCursor) as cursor:
                await cursor.execute(f"SELECT id FROM {my_table} ORDER BY id")
                assert await cursor.fetchone() == {"id": 0}
                assert len(await cursor.fetchall()) == 1999

    run(scenario())


def test_errors(my, my_table):
    async def scenario():
        async with aiomysql.connect(autocommit=True, **words(my)) as connection:
            async with connection.cursor() as cursor:
                await cursor.execute(f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
                with pytest.raises(pymysql.err.IntegrityError):
                    await cursor.execute(f"INSERT INTO {my_table} VALUES (1, 'a', 1)")
                await cursor.execute("SELECT 1")
                assert await cursor.fetchone() == (1,)

    run(scenario())


def test_cancelled_task_closes_its_connection(my):
    async def scenario():
        async with aiomysql.create_pool(minsize=1, maxsize=2, autocommit=True, **words(my)) as pool:
            async def forever():
                async with pool.acquire() as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
                    await asyncio.sleep(60)
            task = asyncio.create_task(forever())
            await asyncio.sleep(0.2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute("SELECT 2")
                assert await cursor.fetchone() == (2,)

    run(scenario())
