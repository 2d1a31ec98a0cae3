#!/usr/bin/python3
"""What a Python asyncio service does to its database, measured: handlers that connect for each
request, and handlers that share a driver's pool.

    asyncio_service.py --postgres postgresql://app:secret@127.0.0.1:6432/app
    asyncio_service.py --mysql mysql://app:secret@127.0.0.1:6033/app

Run it once with the database's own address and once with Sluice's: nothing else changes.
"""
import argparse
import asyncio
import json
import statistics
import time
import urllib.parse


class Postgres:
    def __init__(self, url):
        self.url = url

    async def connect(self):
        import asyncpg
        return await asyncpg.connect(self.url)

    async def open_pool(self, size):
        import asyncpg
        self.pool = await asyncpg.create_pool(self.url, min_size=size, max_size=size)

    async def close_pool(self):
        await self.pool.close()

    async def request(self, connection):
        async with connection.transaction():
            first = await connection.fetchval("SELECT $1::int + 1", 41)
            return first + await connection.fetchval("SELECT count(*) FROM generate_series(1, 5)")

    def pooled(self):
        return self.pool.acquire()

    async def close(self, connection):
        await connection.close()


class Mysql:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.options = {"host": parts.hostname, "port": parts.port or 3306, "user": parts.username,
                        "password": urllib.parse.unquote(parts.password or ""),
                        "db": parts.path.lstrip("/"), "autocommit": True}

    async def connect(self):
        import aiomysql
        return await aiomysql.connect(**self.options)

    async def open_pool(self, size):
        import aiomysql
        self.pool = await aiomysql.create_pool(minsize=size, maxsize=size, **self.options)

    async def close_pool(self):
        self.pool.close()
        await self.pool.wait_closed()

    async def request(self, connection):
        await connection.begin()
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT %s + 1", (41,))
            first = (await cursor.fetchone())[0]
            await cursor.execute("SELECT 5")
            result = first + (await cursor.fetchone())[0]
        await connection.commit()
        return result

    def pooled(self):
        return self.pool.acquire()

    async def close(self, connection):
        await connection.ensure_closed()


async def handle(database, way):
    """One request to the service."""
    if way == "pool":
        async with database.pooled() as connection:
            return await database.request(connection)
    connection = await database.connect()
    try:
        return await database.request(connection)
    finally:
        await database.close(connection)


async def measure(database, way, tasks, seconds):
    times, failures = [], 0
    if way == "pool":
        await database.open_pool(tasks)
    until = time.monotonic() + seconds

    async def visitor():
        nonlocal failures
        while time.monotonic() < until:
            start = time.perf_counter()
            try:
                assert await handle(database, way) == 47
                times.append(time.perf_counter() - start)
            except Exception as wrong:  # counted and shown: too many connections, ...
                failures += 1
                if failures == 1:
                    print(f"  first failure: {type(wrong).__name__}: {wrong}")
                await asyncio.sleep(0.01)

    await asyncio.gather(*(visitor() for _ in range(tasks)))
    if way == "pool":
        await database.close_pool()
    times.sort()
    return {"way": way, "requests_per_second": round(len(times) / seconds),
            "p50_ms": round(1000 * statistics.median(times), 2) if times else None,
            "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2) if times else None,
            "failures": failures}


async def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--postgres")
    options.add_argument("--mysql")
    options.add_argument("--tasks", type=int, default=50, help="requests at the same time")
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows = []
    databases = [kind(url) for kind, url in ((Postgres, given.postgres), (Mysql, given.mysql))
                 if url]
    for database in databases:
        for way in ("connect", "pool"):
            row = await measure(database, way, given.tasks, given.seconds)
            rows.append({"driver": type(database).__name__.lower(), **row})
            if not given.json:
                print(rows[-1])
    if given.json:
        print(json.dumps(rows))


asyncio.run(main())
