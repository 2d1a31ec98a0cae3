"""The same question asked with the drivers that people use: is every reply ours?"""
import asyncio
import random
import time

from .person import Mixed, expect


async def aiomysql_client(number, target, until, tally):
    import aiomysql
    import pymysql
    connection = await aiomysql.connect(
        host=target["host"], port=target["port"], user=target["user"], autocommit=True,
        password=target["password"], db=target["database"], connect_timeout=60)
    rng = random.Random(number)
    try:
        async with connection.cursor() as cursor:
            while time.monotonic() < until:
                n = rng.randrange(10**6)
                await cursor.execute("select %s, %s", (number, n))
                expect(await cursor.fetchall() == ((number, n),), "aiomysql", number)
                await connection.begin()
                await cursor.execute("insert into numbered (client) values (%s)", (number,))
                own = cursor.lastrowid
                await cursor.execute("select client from numbered where id = last_insert_id()")
                expect(await cursor.fetchall() == ((number,),), "aiomysql insert", number, own)
                await connection.rollback()
                try:
                    await cursor.execute(f"select missing_{number}")
                    raise Mixed("a missing column was found")
                except pymysql.err.OperationalError as error:
                    expect(f"missing_{number}" in error.args[1], "aiomysql", error)
                tally["aiomysql"] = tally.get("aiomysql", 0) + 1
    finally:
        connection.close()


async def pymysql_client(number, target, until, tally):
    """PyMySQL, in a thread of its own."""
    await asyncio.to_thread(_pymysql, number, target, until, tally)


def _pymysql(number, target, until, tally):
    import pymysql
    connection = pymysql.connect(**target, autocommit=False, connect_timeout=60)
    try:
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute("insert into numbered (client) values (%s), (%s)", (number, number))
                own = cursor.lastrowid
                cursor.execute("select last_insert_id(), row_count()")
                expect(cursor.fetchone()[0] == own, "PyMySQL insert", number)
                cursor.execute("select count(*) from numbered where id >= %s and client = %s",
                               (own, number))
                expect(cursor.fetchone()[0] == 2, "PyMySQL transaction", number)
                connection.rollback()
                tally["pymysql"] = tally.get("pymysql", 0) + 1
                time.sleep(0.01)  # leaves room for the others
    finally:
        connection.close()
