"""aiosqlite in one process, a connection for each client. Usage: LOAD CLIENTS SECONDS ROWS

Prints {"tps", "p50", "p99", "p999" (ms), "failed", "cpu" (µs a statement)} as JSON.
"""
import asyncio
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time

import aiosqlite

LOAD, CLIENTS, SECONDS, ROWS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
SHARE_OF_WRITES = {"point SELECT": 0, "INSERT": 1, "90/10 mix": 0.1}[LOAD]
PAYLOAD = "p" * 96


def fill(path):
    with sqlite3.connect(path) as file:
        file.executescript(f"""PRAGMA journal_mode=WAL;
CREATE TABLE account(id integer primary key, branch integer, balance integer, filler text);
CREATE TABLE entry(id integer primary key, k integer, payload text, n integer);
CREATE INDEX entry_k ON entry(k);
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ROWS})
INSERT INTO account SELECT n, n % 10, n, '{'f' * 80}' FROM c;""")


async def client(file, until, latencies, failures):
    while (began := time.perf_counter()) < until:
        try:
            if random.random() < SHARE_OF_WRITES:
                await file.execute("INSERT INTO entry(k, payload, n) VALUES (?, ?, 5)",
                                   (random.randint(1, 1_000_000), PAYLOAD))
            else:
                async with file.execute("SELECT balance FROM account WHERE id = ?",
                                        (random.randint(1, ROWS),)) as cursor:
                    await cursor.fetchall()
        except sqlite3.OperationalError:
            failures.append(1)
        latencies.append(time.perf_counter() - began)


async def main():
    latencies, failures = [], []
    with tempfile.TemporaryDirectory(prefix="aiosqlite-") as folder:
        path = folder + "/bench.db"
        fill(path)
        files = []
        for _ in range(CLIENTS):
            file = await aiosqlite.connect(path, isolation_level=None, timeout=5)
            await file.execute("PRAGMA synchronous=FULL")
            files.append(file)
        begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.gather(*(client(file, begun + SECONDS, latencies, failures)
                               for file in files))
        took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
        for file in files:
            await file.close()
    latencies.sort()
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime

    def at(share):
        return 1000 * latencies[min(len(latencies) - 1, int(len(latencies) * share))]
    print(json.dumps({"tps": (len(latencies) - len(failures)) / took, "p50": at(0.5),
                      "p99": at(0.99), "p999": at(0.999), "failed": len(failures),
                      "cpu": 1e6 * cpu / len(latencies)}))


asyncio.run(main())
