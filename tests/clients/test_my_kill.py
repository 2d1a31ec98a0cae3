"""KILL [QUERY] and COM_PROCESS_KILL by the ids that clients were greeted with: exactly the right
statement, whatever backend it runs on."""
import asyncio
import random
import struct

import pytest

import mariadb
import servers
from test_my_packets import ask, connect, mywire, run

LONG = "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b"


async def running(my_server, marker):
    """Waits until the server runs the statement."""
    for _ in range(2000):
        found = await asyncio.to_thread(
            my_server.sql, "SELECT id FROM information_schema.processlist "
            f"WHERE info LIKE '%{marker}%' AND info NOT LIKE '%processlist%'")
        if found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"no statement with {marker}")


def test_kill_query(my_pool, my_server):
    async def scenario():
        victim, killer = await connect(my_pool), await connect(my_pool)
        for turn in range(3):
            victim.command(mywire.QUERY, f"{LONG} -- turn {turn}")
            await running(my_server, f"turn {turn}")
            await ask(killer, f"KILL QUERY {victim.id}")
            reply = await victim.reply(timeout=60)
            assert reply.errno == 1317, reply.error
            assert await ask(victim, "SELECT 1") == [["1"]]
        # A SLEEP that is killed says so by its value.
        victim.command(mywire.QUERY, "SELECT SLEEP(20)")
        await running(my_server, "SLEEP(20)")
        await ask(killer, f"KILL QUERY {victim.id}")
        reply = await victim.reply(timeout=60)
        assert reply.errno == 1317 or reply.rows == [["1"]]
        await victim.close()
        await killer.close()

    run(scenario())


def test_kill_keeps_the_transaction(my_pool, my_server):
    my_server.sql("CREATE OR REPLACE TABLE app.kept (n INT)")

    async def scenario():
        victim, killer = await connect(my_pool), await connect(my_pool)
        await ask(victim, "BEGIN")
        await ask(victim, "INSERT INTO kept VALUES (1)")
        victim.command(mywire.QUERY, f"{LONG} -- in a transaction")
        await running(my_server, "in a transaction")
        await ask(killer, f"KILL QUERY {victim.id}")
        assert (await victim.reply(timeout=60)).errno == 1317
        assert (await victim.query("COMMIT")).error is None
        assert await ask(killer, "SELECT n FROM kept") == [["1"]]
        await victim.close()
        await killer.close()

    run(scenario())


@pytest.mark.parametrize("how", ["KILL", "KILL CONNECTION", "COM_PROCESS_KILL"])
def test_kill_connection(my_pool, my_server, how):
    async def kill(killer, number):
        if how == "COM_PROCESS_KILL":
            return await killer.simple(mywire.PROCESS_KILL, struct.pack("<I", number))
        return await killer.query(f"{how} {number}")

    async def scenario():
        idle, busy, killer = [await connect(my_pool) for _ in range(3)]
        busy.command(mywire.QUERY, f"{LONG} -- of {how}")
        await running(my_server, f"of {how}")
        for victim in (idle, busy):
            assert not (await kill(killer, victim.id)).error
        for victim in (idle, busy):
            victim.sequence = 1  # as if it were the answer to the next command
            with pytest.raises(mywire.Closed):
                while (await asyncio.wait_for(victim.receive(), 60))[0] == 0xFF:
                    pass
        for victim in (idle, busy):
            while (reply := await kill(killer, victim.id)).errno != 1094:  # no such thread any more
                assert not reply.error, reply.error
                await asyncio.sleep(0.02)
        assert await ask(killer, "SELECT 1") == [["1"]]
        await killer.close()

    run(scenario())


def test_unknown_ids(my_pool):
    async def scenario():
        one = await connect(my_pool)
        for sql in ("KILL 4000000000", "KILL QUERY 4000000000"):
            assert (await one.query(sql)).errno == 1094
        assert await ask(one, "SELECT 1") == [["1"]]
        await one.close()

    run(scenario())


def test_kill_hits_nobody_else(my_pool):
    """Each killer aims at its own client at random moments; the others must not notice."""
    async def sleeper(number, killed):
        one, killer = await connect(my_pool), await connect(my_pool)
        rng = random.Random(number)
        for turn in range(8):
            if killed:
                one.command(mywire.QUERY, f"SELECT {number}, SLEEP(0.05), {turn}")
                await asyncio.sleep(rng.random() * 0.06)
                await ask(killer, f"KILL QUERY {one.id}")
                reply = await one.reply(timeout=60)
                assert reply.errno == 1317 or reply.rows[0][0] == str(number), reply.error
            else:
                for _ in range(4):
                    reply = await one.query(f"SELECT {number}, SLEEP(0.01), {turn}")
                    assert reply.rows == [[str(number), "0", str(turn)]], reply.error
        await one.close()
        await killer.close()

    async def scenario():
        await asyncio.gather(*(sleeper(n, n % 2 == 0) for n in range(2 * servers.POOL_SIZE)))

    run(scenario())


def test_late_kill_is_harmless(my_pool):
    async def scenario():
        crowd = [await connect(my_pool) for _ in range(2 * servers.POOL_SIZE)]
        killer = await connect(my_pool)
        for turn in range(5):
            for one in crowd:
                await ask(one, f"SELECT {turn}")
                await ask(killer, f"KILL QUERY {one.id}")
            for one in crowd:
                reply = await one.query(f"SELECT {turn}, SLEEP(0.002)")
                # MariaDB itself lets a late kill hit the next statement of the same client.
                assert reply.errno == 1317 or reply.rows[0][0] == str(turn), reply.error
            for one in crowd:
                reply = await one.query(f"SELECT {turn}, SLEEP(0.002)")
                assert reply.rows == [[str(turn), "0"]], reply.error
        for one in [*crowd, killer]:
            await one.close()

    run(scenario())


@pytest.mark.gateway
def test_clients_of_other_users_are_out_of_reach(my_server, own_my_gateway):
    gateway = own_my_gateway(
        mariadb.database(my_server, "app", "size = 4") + mariadb.ALICE
        + f'[users.bob]\npassword = "{servers.PASSWORD}"\n')
    alice = mariadb.Target("alice", gateway.port)

    async def scenario():
        victim, stranger = await connect(alice), await connect(alice.but(user="bob"))
        assert (await stranger.query(f"KILL {victim.id}")).errno in (1094, 1095)
        assert (await stranger.query(f"KILL QUERY {victim.id}")).errno in (1094, 1095)
        assert await ask(victim, "SELECT 1") == [["1"]]
        assert await ask(stranger, "SELECT 1") == [["1"]]
        await victim.close()
        await stranger.close()

    run(scenario())


def test_client_that_leaves_mid_statement(my_pool, my_server):
    """Its statement is killed, not left to run to its end."""
    async def scenario():
        one = await connect(my_pool)
        one.command(mywire.QUERY, f"{LONG} -- abandoned")
        await running(my_server, "abandoned")
        one.abort()
        if my_pool.name == "direct":
            return  # MariaDB itself does not look until the statement ends
        for _ in range(2000):
            if not my_server.sql("SELECT id FROM information_schema.processlist WHERE info LIKE "
                                 "'%abandoned%' AND info NOT LIKE '%processlist%'"):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the statement still runs")

    run(scenario())
    for (number,) in my_server.sql("SELECT id FROM information_schema.processlist WHERE info LIKE "
                                   "'%abandoned%' AND info NOT LIKE '%processlist%'"):
        my_server.sql(f"KILL {number}")
