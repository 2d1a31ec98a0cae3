"""A few thousand random statements, sent to a MariaDB server directly and to its twin through the
gateway: every packet is the same but for ids. SLUICE_DIFFERENTIAL: how many steps (2,000),
SLUICE_DIFFERENTIAL_SEED: another sequence.
"""
import asyncio
import itertools
import os
import random
import subprocess

import pytest

import differential
import mariadb
import servers
from test_my_packets import LEGACY, connect, mywire, run

STEPS = int(os.environ.get("SLUICE_DIFFERENTIAL", "2000"))
SEED = int(os.environ.get("SLUICE_DIFFERENTIAL_SEED", "1"))


@pytest.fixture(scope="module")
def twins(folder):
    # The optimizer's choices, which the status flags show, must not depend on when it counted.
    options = ["--innodb-stats-auto-recalc=OFF"]
    with (mariadb.Server(folder / "twin1", options) as one,
          mariadb.Server(folder / "twin2", options) as other):
        for server in (one, other):
            load(server)
        yield one, other


def load(server):
    subprocess.run(["mariadb", "--no-defaults", f"--socket={server.socket}", "--user=root",
                    "--delimiter=;;", "app"], check=True, timeout=60, text=True,
                   input=differential.SETUP)
    server.sql("ANALYZE TABLE app.kinds, app.parent")


@pytest.fixture
def sides(twins, request):
    """Two targets that must behave alike, and where to make noise."""
    direct = mariadb.Target("direct", twins[0].port)
    if servers.DIRECT:
        return direct, mariadb.Target("direct", twins[1].port)
    make = request.getfixturevalue("own_my_gateway")
    gateway = make('[gateway]\nworkers = 1\ndrain_timeout = "2s"\n'
                   + mariadb.database(twins[1], "app", 'mode = "transaction", size = 4')
                   + mariadb.ALICE)
    return direct, mariadb.Target("gateway", gateway.port)


async def noise(target, over):
    """Takes the backends in turn, so that the client under test changes its backend."""
    connection = await connect(target)
    while not over.is_set():
        await connection.query("BEGIN; SELECT SLEEP(0.001); COMMIT")
        await asyncio.sleep(0.002)
    await connection.close()


@pytest.mark.parametrize("capabilities", [mywire.DEFAULT, LEGACY,
                                          mywire.DEFAULT | mywire.FOUND_ROWS],
                         ids=["deprecate eof", "eof", "found rows"])
def test_packets_are_equal(sides, capabilities):
    async def scenario():
        over = asyncio.Event()
        makers = [asyncio.create_task(noise(sides[1], over)) for _ in range(5)]
        pair = [differential.Slots(await connect(target, capabilities=capabilities))
                for target in sides]
        try:
            await lockstep(pair, random.Random(SEED + capabilities))
        finally:
            over.set()
            await asyncio.gather(*makers)
            for one in pair:
                one.connection.abort()

    run(scenario(), 85)


async def lockstep(pair, rng):
    history = []
    for number in range(STEPS // 3):
        name, step = differential.a_step(rng)
        history = history[-8:] + [f"{name:.300}"]
        try:
            await asyncio.wait_for(asyncio.gather(*(step(one) for one in pair)), 80)
        except (TimeoutError, AssertionError, mywire.Closed, IndexError) as wrong:
            seen = [[packet[:40] for packet in one.seen + one.connection.packets][-3:]
                    for one in pair]
            raise AssertionError(f"step {number}, {history}: {wrong!r} {seen}") from None
        compare(number, history, *(one.seen for one in pair))
        for one in pair:
            one.seen = []


def compare(number, history, direct, gateway):
    for place, (one, other) in enumerate(itertools.zip_longest(direct, gateway)):
        assert one == other, "\n".join([
            f"step {number}, packet {place} of {len(direct)} and {len(gateway)}:",
            f"  direct  {one!r:.400}", f"  gateway {other!r:.400}", "after:",
            *("  " + name for name in history)])
