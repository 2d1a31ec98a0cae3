"""Tenants with limits 1 to 8, 400 clients, two workers: what a log on the real server says of how
many statements of each ran at the same time. SLUICE_EXACT_SECONDS: how long on each server."""
import asyncio
import os
import pathlib
import sys
import time

import pytest

import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import mywire  # noqa: E402
import pgwire  # noqa: E402

pytestmark = pytest.mark.gateway
SECONDS = float(os.environ.get("SLUICE_EXACT_SECONDS", "3"))
LIMITS = range(1, 9)
CLIENTS = 400

# The trigger writes down when its statement ran, and takes its time.
PG_LOG = """
DROP TABLE IF EXISTS exact_log;
CREATE TABLE exact_log (tenant integer, began float8, ended float8);
CREATE OR REPLACE FUNCTION exact_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.began := extract(epoch FROM clock_timestamp());
    PERFORM pg_sleep(0.015);
    NEW.ended := extract(epoch FROM clock_timestamp());
    RETURN NEW;
END $$;
CREATE TRIGGER note BEFORE INSERT ON exact_log FOR EACH ROW EXECUTE FUNCTION exact_note();
GRANT ALL ON exact_log TO alice;
"""
MY_LOG = (
    "DROP TABLE IF EXISTS exact_log",
    "CREATE TABLE exact_log (tenant INT, began DOUBLE, ended DOUBLE)",
    "CREATE TRIGGER note BEFORE INSERT ON exact_log FOR EACH ROW BEGIN "
    "SET NEW.began = UNIX_TIMESTAMP(SYSDATE(6)); DO SLEEP(0.015); "
    "SET NEW.ended = UNIX_TIMESTAMP(SYSDATE(6)); END")


def config(table):
    tenants = "".join(f"[tenants.t{limit}]\nmax_concurrent = {limit}\n" for limit in LIMITS)
    return f"""
[gateway]
workers = 2
drain_timeout = "2s"
{table}
[users.alice]
password = "{servers.PASSWORD}"
[tenants]
key = "user_suffix"
{tenants}"""


async def load(open_client, statement):
    """Every client runs one statement after the other until the time is over; how many each client
    of each tenant ran."""
    gate = asyncio.Semaphore(50)
    started = asyncio.Event()
    counts = {limit: [] for limit in LIMITS}
    end = 0.0

    async def client(limit):
        async with gate:
            connection = await open_client(f"alice@t{limit}")
        await started.wait()
        done = 0
        # A slow machine has time for two rounds, too.
        while time.monotonic() < end or done < 2:
            await statement(connection, limit)
            done += 1
        counts[limit].append(done)
        await connection.close()

    tasks = [asyncio.ensure_future(client(1 + number % len(LIMITS))) for number in range(CLIENTS)]
    await asyncio.sleep(0)
    while gate.locked() or any(task.done() for task in tasks):
        await asyncio.sleep(0.05)
        for task in tasks:
            if task.done():
                task.result()
    await asyncio.sleep(0.3)
    end = time.monotonic() + SECONDS
    started.set()
    await asyncio.gather(*tasks)
    return counts


def judge(rows, counts):
    """`rows`: tenant, began, ended. Together at most the limit ran, and again and again just that."""
    slow = servers.slowness()
    for limit in LIMITS:
        events = []
        for tenant, began, ended in rows:
            if tenant == limit:
                events += [(began, 1), (ended, -1)]
        assert len(events) == 2 * sum(counts[limit])
        # Ends first: a statement may begin in the very microsecond in which another ended.
        events.sort()
        running, before, used = 0, events[0][0], 0.0
        most = [0, 0, 0]
        for number, (at, change) in enumerate(events):
            used += running * (at - before)
            before = at
            running += change
            third = 3 * number // len(events)
            most[third] = max(most[third], running)
        # No place is lost in the course of time, nor handed on late.
        assert most == [limit] * 3, f"limit {limit}: {most} at once"
        mean = used / (events[-1][0] - events[0][0])
        assert mean > 0.4 * limit / slow, f"limit {limit}: {mean} on average"
        # First come, first served: they take turns (where the clients' side keeps up, exactly).
        fewest, most_often = min(counts[limit]), max(counts[limit])
        assert most_often <= 4 * fewest + 2, (limit, sorted(counts[limit]))


def test_postgres(cluster, own_gateway):
    cluster.sql(PG_LOG)
    gateway = own_gateway(config(f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"
pool = {{ size = 40 }}
"""))

    async def open_client(user):
        return await pgwire.Connection.open("127.0.0.1", gateway.port, user, "app",
                                            servers.PASSWORD, timeout=60)

    async def statement(connection, limit):
        result = await connection.query(f"INSERT INTO exact_log VALUES ({limit})", 60)
        assert not result.errors, result.errors

    counts = asyncio.run(asyncio.wait_for(load(open_client, statement), SECONDS + 150))
    rows = [line.split("|") for line in cluster.sql("SELECT * FROM exact_log")]
    judge([(int(a), float(b), float(c)) for a, b, c in rows], counts)


def test_mariadb(my_server, own_my_gateway):
    my_server.sql(*MY_LOG, database="app")
    gateway = own_my_gateway(config(f"""
[databases.app]
engine = "mysql"
host = "127.0.0.1"
port = {my_server.port}
user = "alice"
password = "{servers.PASSWORD}"
dbname = "app"
pool = {{ size = 40 }}
"""))

    async def open_client(user):
        return await mywire.Connection.open("127.0.0.1", gateway.port, user, "app",
                                            servers.PASSWORD, timeout=60)

    async def statement(connection, limit):
        reply = await connection.query(f"INSERT INTO exact_log (tenant) VALUES ({limit})", 60)
        assert reply.error is None, reply.error

    counts = asyncio.run(asyncio.wait_for(load(open_client, statement), SECONDS + 150))
    judge(my_server.sql("SELECT * FROM exact_log", database="app"), counts)
