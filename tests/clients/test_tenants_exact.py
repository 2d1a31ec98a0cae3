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
    """Every client runs one statement after the other until the time is over; how many of each
    tenant, and how long the clients of each waited at most."""
    gate = asyncio.Semaphore(50)
    started = asyncio.Event()
    counts = dict.fromkeys(LIMITS, 0)
    longest = dict.fromkeys(LIMITS, 0.0)
    end = 0.0

    async def client(limit):
        async with gate:
            connection = await open_client(f"alice@t{limit}")
        await started.wait()
        while time.monotonic() < end:
            begun = time.monotonic()
            await statement(connection, limit)
            longest[limit] = max(longest[limit], time.monotonic() - begun)
            counts[limit] += 1
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
    return counts, longest


def judge(rows, counts, longest):
    """`rows`: tenant, began, ended. Together at most the limit ran, and nearly always just that."""
    for limit in LIMITS:
        events = []
        for tenant, began, ended in rows:
            if tenant == limit:
                events += [(began, 1), (ended, -1)]
        assert len(events) == 2 * counts[limit]
        # Ends first: a statement may begin in the very microsecond in which another ended.
        events.sort()
        first, last = events[0][0], events[-1][0]
        running = most = 0
        before, used = first, 0.0
        for at, change in events:
            used += running * (at - before)
            before = at
            running += change
            most = max(most, running)
        mean = used / (last - first)
        assert most == limit, f"limit {limit}: {most} at once"
        assert mean > 0.6 * limit, f"limit {limit}: {mean} on average"
        # First come, first served: a client of fifty waits for its turn, and no longer.
        turn = 50 * (last - first) / counts[limit]
        assert longest[limit] < 2.5 * turn + 0.3, (limit, longest[limit], turn)


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

    counts, longest = asyncio.run(asyncio.wait_for(load(open_client, statement), SECONDS + 60))
    rows = [line.split("|") for line in cluster.sql("SELECT * FROM exact_log")]
    judge([(int(a), float(b), float(c)) for a, b, c in rows], counts, longest)


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

    counts, longest = asyncio.run(asyncio.wait_for(load(open_client, statement), SECONDS + 60))
    judge(my_server.sql("SELECT * FROM exact_log", database="app"), counts, longest)
