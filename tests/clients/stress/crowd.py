"""Runs a crowd of clients and gathers what was wrong."""
import asyncio
import time

import pgwire

from .client import Client
from .drivers import asyncpg_client, psycopg_client


async def _crowd(target, clients, seconds, seed, drivers, cancels):
    until = time.monotonic() + seconds
    tally, logins = {}, asyncio.Semaphore(50)

    async def connect(parameters):
        async with logins:
            return await pgwire.Connection.open(
                target["host"], target["port"], target["user"], target["database"],
                target["password"], parameters, timeout=60)

    everyone = [Client(n, connect, seed, cancels and n % 5 == 0, tally)
                for n in range(1, clients + 1)]
    tasks = [asyncio.create_task(one.run(until)) for one in everyone]
    for n in range(drivers):
        for kind in (asyncpg_client, psycopg_client):
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
        if one.connection:
            one.connection.abort()
    await asyncio.sleep(0)
    return failures, [key for one in everyone for key in one.acknowledged], tally


def run(target, clients=200, seconds=20, seed=1, drivers=5, cancels=True):
    """(failures, acknowledged transfers, {deed: times}). `target`: host, port, user, password,
    database."""
    return asyncio.run(_crowd(target, clients, seconds, seed, drivers, cancels))
