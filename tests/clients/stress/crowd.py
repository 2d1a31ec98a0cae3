"""Runs a crowd of clients and gathers what was wrong."""
import asyncio
import time
import types

import mywire
import pgwire

from . import client, drivers, my_client, my_drivers

# Who takes part in each protocol: the clients, how they connect, and the drivers beside them.
POSTGRES = types.SimpleNamespace(Client=client.Client, open=pgwire.Connection.open,
                                 drivers=(drivers.asyncpg_client, drivers.psycopg_client))
MYSQL = types.SimpleNamespace(Client=my_client.Client, open=mywire.Connection.open,
                              drivers=(my_drivers.aiomysql_client, my_drivers.pymysql_client))


async def _crowd(side, target, clients, seconds, seed, driver_count, cancels):
    until = time.monotonic() + seconds
    tally, logins = {}, asyncio.Semaphore(50)

    async def connect(**options):
        async with logins:
            return await side.open(target["host"], target["port"], target["user"],
                                   target["database"], target["password"], timeout=60, **options)

    everyone = [side.Client(n, connect, seed, cancels and n % 5 == 0, tally)
                for n in range(1, clients + 1)]
    tasks = [asyncio.create_task(one.run(until)) for one in everyone]
    for n in range(driver_count):
        for kind in side.drivers:
            tasks.append(asyncio.create_task(kind(10_000 + n, target, until, tally)))
    # The first failure ends the run: what follows from it would hide it.
    done, pending = await asyncio.wait(tasks, timeout=seconds + 90,
                                       return_when=asyncio.FIRST_EXCEPTION)
    failures = [f"{type(task.exception()).__name__}: {task.exception()}"
                for task in done if task.exception()]
    if pending and not failures:
        stuck = [f"{one.number}: {one.deed} {one.counter}"
                 for one, task in zip(everyone, tasks) if task in pending]
        failures.append(f"{len(pending)} clients did not end: {stuck[:10]}")
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for one in everyone:
        one.abandon()
    await asyncio.sleep(0)
    return failures, [key for one in everyone for key in one.acknowledged], tally


def run(target, clients=200, seconds=20, seed=1, drivers=5, cancels=True, side=POSTGRES):
    """(failures, acknowledged transfers, {deed: times}). `target`: host, port, user, password,
    database."""
    return asyncio.run(_crowd(side, target, clients, seconds, seed, drivers, cancels))
