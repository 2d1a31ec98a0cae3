"""Statement multiplexing: many clients' short statements on one connection, and everything that
could go wrong there: slow heads, cancels, clients that vanish or stall, backends that die, settings,
tables that change under prepared statements."""
import asyncio
import pathlib
import sys
import time

import pytest

import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pgwire  # noqa: E402
from pgwire import messages  # noqa: E402

pytestmark = [pytest.mark.gateway, pytest.mark.postgres]
# One text: what is learned from the short ones lets others follow a long one.
SERIES = "select count(*) from generate_series(1, $1::text::int)"
SLOW = "30000000"


def config(cluster, size=1, pool=""):
    return f"""
[gateway]
workers = 1
[databases.app]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{cluster.port}/app"
password = "{servers.PASSWORD}"
pool = {{ size = {size}{pool} }}
[users.alice]
password = "{servers.PASSWORD}"
"""


async def connect(gateway, **parameters):
    return await pgwire.Connection.open("127.0.0.1", gateway.port, "alice", "app",
                                        servers.PASSWORD, parameters, timeout=60)


def run(coroutine, seconds=200):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


async def learn(connection, times=30):
    for n in range(times):
        result = await connection.extended(SERIES, [str(n + 1)])
        assert result.rows == [[str(n + 1)]], result.errors


async def ask(connection, number, count):
    for n in range(count):
        own = f"{number}-{n}"
        result = await connection.extended("select $1::text, 1", [own], timeout=60)
        assert result.rows == [[own, "1"]], result.errors


def test_every_reply_reaches_its_sender(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))

    async def client(number):
        connection = await connect(gateway)
        for n in range(150):
            own = f"{number}-{n}"
            if n % 3 == 0:
                result = await connection.query(f"select '{own}'", 60)
            elif n % 3 == 1:
                result = await connection.extended("select $1::text", [own], timeout=60)
            else:
                result = await connection.extended("select $1::text / 0", [own], timeout=60)
                assert result.code == "42883", result.rows
                continue
            assert result.rows == [[own]], result.errors
        await connection.close()

    async def scenario():
        await asyncio.gather(*(client(number) for number in range(60)))
    run(scenario())


def test_nobody_waits_for_a_statement_that_turns_out_long(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))

    async def scenario():
        slow = await connect(gateway)
        others = [await connect(gateway) for _ in range(12)]
        await learn(slow)
        for connection in others:
            await learn(connection, 3)
        began = time.monotonic()
        # In one turn of the loop, so that the others go behind it.
        for connection, value in zip([slow] + others, [SLOW] + ["5"] * len(others)):
            connection.send(messages.parse("", SERIES) + messages.bind("", "", [value])
                            + messages.execute() + messages.sync())
        for connection in others:
            result = await connection.result(60)
            assert result.rows == [["5"]], result.errors
        waited = time.monotonic() - began
        result = await slow.result(60)
        assert result.rows == [[SLOW]], result.errors
        took = time.monotonic() - began
        assert waited < took / 2, (waited, took)
    run(scenario())


def test_a_cancel_hits_its_own_statement_only(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))

    async def scenario():
        slow = await connect(gateway)
        others = [await connect(gateway) for _ in range(8)]
        await learn(slow)
        for _ in range(5):
            for connection, value in zip([slow] + others, [SLOW] + ["7"] * len(others)):
                connection.send(messages.parse("", SERIES) + messages.bind("", "", [value])
                                + messages.execute() + messages.sync())
            # One that comes before the server has read the statement is ignored, as ever.
            answer = asyncio.create_task(slow.result(60))
            while not answer.done():
                await pgwire.cancel("127.0.0.1", gateway.port, slow.pid, slow.key)
                await asyncio.wait([answer], timeout=0.2)
            result = await answer
            assert result.code == "57014", result.rows
            for connection in others:
                result = await connection.result(60)
                assert result.rows == [["7"]], result.errors
    run(scenario())


def test_clients_that_vanish_take_nothing_with_them(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=1))

    async def scenario():
        others = [await connect(gateway) for _ in range(6)]
        await learn(others[0])
        for _ in range(10):
            gone = await connect(gateway)
            for connection, value in zip([gone] + others, [SLOW] + ["3"] * len(others)):
                connection.send(messages.parse("", SERIES) + messages.bind("", "", [value])
                                + messages.execute() + messages.sync())
            await asyncio.sleep(0.01)
            gone.abort()
            for connection in others:
                result = await connection.result(60)
                assert result.rows == [["3"]], result.errors
    run(scenario())


def test_a_lost_backend_is_not_noticed(cluster, own_gateway):
    """What shares a connection only reads, so it runs again elsewhere."""
    gateway = own_gateway(config(cluster, size=2))
    over = asyncio.Event()
    done = [0] * 30

    async def client(number):
        connection, n = await connect(gateway), 0
        while not over.is_set():
            n += 1
            result = await connection.extended("select $1::text", [f"{number}-{n}"], timeout=60)
            assert result.rows == [[f"{number}-{n}"]], result.errors
            done[number] = n
        await connection.close()

    async def scenario():
        tasks = [asyncio.create_task(client(number)) for number in range(30)]
        for _ in range(6):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(
                cluster.sql, "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = 'app' and usename = 'alice'")
        while min(done) <= 10 and not any(task.done() for task in tasks):
            await asyncio.sleep(0.1)
        over.set()
        await asyncio.gather(*tasks)
    run(scenario())


def test_settings_are_each_clients_own(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))
    zones = ["UTC", "Europe/Berlin", "Asia/Tokyo"]

    async def client(number):
        zone = zones[number % len(zones)]
        connection = await connect(gateway, TimeZone=zone)
        for n in range(80):
            result = await connection.query(
                f"select current_setting('TimeZone'), extract(epoch from timestamp with time zone "
                f"'2026-01-01 00:00')::bigint::text, {n}", 60)
            assert result.rows and result.rows[0][0] == zone, (result.rows, result.errors)
        await connection.close()

    async def scenario():
        await asyncio.gather(*(client(number) for number in range(24)))
    run(scenario())


def test_tables_change_under_statements_that_come_often(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))
    cluster.sql("drop table if exists shifting; create table shifting (a int); "
                "insert into shifting values (1); grant select on shifting to alice", "app")
    over = asyncio.Event()
    widths = set()

    async def client():
        connection = await connect(gateway)
        while not over.is_set():
            result = await connection.extended("select * from shifting", timeout=60)
            assert not result.errors, result.errors
            widths.add(len(result.rows[0]))
        await connection.close()

    async def seen(width, tasks):
        while width not in widths and not any(task.done() for task in tasks):
            await asyncio.sleep(0.05)

    async def scenario():
        tasks = [asyncio.create_task(client()) for _ in range(20)]
        await seen(1, tasks)
        for n in range(5):
            await asyncio.sleep(0.2)
            await asyncio.to_thread(
                cluster.sql, f"alter table shifting add column b{n} int default {n}", "app")
        await seen(6, tasks)
        over.set()
        await asyncio.gather(*tasks)
        assert {1, 6} <= widths, widths
    run(scenario())
    cluster.sql("drop table shifting", "app")


def test_a_client_that_does_not_read_holds_up_nobody(cluster, own_gateway):
    gateway = own_gateway(config(cluster, size=2))
    wide = "select repeat('x', $1::text::int) from generate_series(1, 400)"

    async def scenario():
        stalled = await connect(gateway)
        others = [await connect(gateway) for _ in range(6)]
        for _ in range(20):
            result = await stalled.extended(wide, ["1"])
            assert len(result.rows) == 400
        for value, connection in zip(["100000"] + ["1"] * 6, [stalled] + others):
            connection.send(messages.parse("", wide) + messages.bind("", "", [value])
                            + messages.execute() + messages.sync())
        for connection in others:
            result = await connection.result(60)
            assert len(result.rows) == 400, result.errors
        for number, connection in enumerate(others):
            await ask(connection, number, 10)
        result = await stalled.result(60)
        assert len(result.rows) == 400 and len(result.rows[0][0]) == 100000
    run(scenario())


def test_statements_with_a_life_of_their_own_do_not_share(cluster, own_gateway):
    """A function may do anything: it is not run twice, and waits for a connection of its own."""
    gateway = own_gateway(config(cluster, size=2))
    cluster.sql("drop table if exists calls; create table calls (who text); "
                "grant insert, select on calls to alice; create or replace function called(who "
                "text) returns text language sql volatile as $$ insert into calls values (who); "
                "select who $$", "app")

    async def client(number):
        connection = await connect(gateway)
        for n in range(30):
            result = await connection.extended("select called($1)", [f"{number}-{n}"], timeout=60)
            assert result.rows == [[f"{number}-{n}"]], result.errors
        await connection.close()

    async def scenario():
        await asyncio.gather(*(client(number) for number in range(16)))
    run(scenario())
    assert cluster.sql("select count(*), count(distinct who) from calls", "app") == ["480|480"]


@pytest.mark.parametrize("pool", [", multiplex = false", ", auto_prepare = false"])
def test_it_can_be_switched_off(cluster, own_gateway, pool):
    gateway = own_gateway(config(cluster, 2, pool))

    async def scenario():
        connections = [await connect(gateway) for _ in range(10)]
        await asyncio.gather(*(ask(c, n, 30) for n, c in enumerate(connections)))
        names = await connections[0].query("select count(*) from pg_prepared_statements")
        assert (names.value() == "0") == ("auto_prepare" in pool)
    run(scenario())


def test_an_unnamed_statement_lives_on(cluster, own_gateway):
    """Parse now, Bind in a later request, when other clients had the backend in between."""
    gateway = own_gateway(config(cluster, 2))

    async def client(number):
        connection = await connect(gateway)
        connection.send(messages.parse("", f"select $1::text, {number}") + messages.sync())
        assert not (await connection.result(60)).errors
        for n in range(20):
            connection.send(messages.bind("", "", [str(n)]) + messages.execute() + messages.sync())
            result = await connection.result(60)
            assert result.rows == [[str(n), str(number)]], result.errors
        await connection.close()

    async def scenario():
        await asyncio.gather(*(client(number) for number in range(12)))
    run(scenario())
