"""What pgbench cannot measure: logins, idle clients, streams."""
import asyncio
import time

import meters
import pgwire
import servers
from servers import DATABASE, PASSWORD, USER

STREAM_ROW = 200 * 2**20
STREAM_LINE, STREAM_LINES = 8192, 131072  # 1 GiB


def connect(port):
    return pgwire.Connection.open("127.0.0.1", port, USER, DATABASE, PASSWORD, timeout=120)


async def _logins(port, count):
    for _ in range(count):
        connection = await connect(port)
        await connection.close()


def login_cost(target, count):
    """Seconds of CPU that one SCRAM login costs the proxy: (user, system)."""
    asyncio.run(_logins(target.port, 20))
    before = meters.cpu(target.pid)
    asyncio.run(_logins(target.port, count))
    after = meters.cpu(target.pid)
    return tuple((after[i] - before[i]) / count for i in (0, 1))


async def _idle_memory(target, count):
    # Warm: what the first logins allocate for good is not a client's cost.
    await _logins(target.port, 5)
    warm = await connect(target.port)
    await warm.query("select 1")
    before = meters.memory(target.pid)
    clients = []
    for start in range(0, count, 50):
        batch = [connect(target.port) for _ in range(min(50, count - start))]
        clients += await asyncio.gather(*batch)
    await asyncio.sleep(1)
    logged_in = meters.memory(target.pid)
    for client in clients:
        await client.query("select 1")
    await asyncio.sleep(1)
    used = meters.memory(target.pid)
    for client in [*clients, warm]:
        await client.close()
    return {state: {kind: (figures[kind] - before[kind]) / count for kind in ("Rss", "Pss")}
            for state, figures in (("logged in", logged_in), ("after a statement", used))}


def idle_memory(target, count):
    """Bytes an idle client: {'logged in': {'Rss', 'Pss'}, 'after a statement': {...}}"""
    return asyncio.run(_idle_memory(target, count))


class SlowStart:
    """A reader that sleeps once, early: what the proxy keeps for it meanwhile shows."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, seen):
        if self.seconds:
            time.sleep(self.seconds)
            self.seconds = 0


def row_out(client):
    client.send(pgwire.query(f"select repeat('x', {STREAM_ROW})"))
    payload, _ = client.drain(pause_after=SlowStart(1))
    assert payload > STREAM_ROW, payload


def row_in(client):
    client.send(pgwire.parse("", "select length($1::text)")
                + pgwire.bind("", "", [b"x" * STREAM_ROW]) + pgwire.execute() + pgwire.sync())
    _, tags = client.drain()
    assert tags == ["SELECT 1"], tags


def copy_out(client):
    client.send(pgwire.query(f"copy (select repeat('x', {STREAM_LINE}) "
                             f"from generate_series(1, {STREAM_LINES})) to stdout"))
    payload, _ = client.drain(pause_after=SlowStart(1))
    assert payload > STREAM_LINE * STREAM_LINES, payload


def copy_in(client):
    """The server reads every line and keeps none."""
    client.send(pgwire.query("copy sink from stdin where false"))
    client.drain(until=b"G")
    line = pgwire.copy_data(b"x" * (STREAM_LINE - 1) + b"\n") * 16
    for _ in range(STREAM_LINES // 16):
        client.send(line)
    client.send(pgwire.copy_done())
    _, tags = client.drain()
    assert tags == ["COPY 0"], tags


STREAMS = {"200 MB row out": row_out, "200 MB parameter in": row_in, "1 GB COPY out": copy_out,
           "1 GB COPY in": copy_in}


def stream(target, work):
    """{'seconds', 'growth' (bytes of resident memory, at most), 'cpu' (seconds)}"""
    client = pgwire.Blocking("127.0.0.1", target.port, USER, DATABASE, PASSWORD)
    client.send(pgwire.query("select 1"))
    client.drain()
    if not target.pid:
        begin = time.monotonic()
        work(client)
        client.close()
        return {"seconds": time.monotonic() - begin, "growth": None, "cpu": None}
    base, cpu = meters.resident(target.pid), meters.cpu(target.pid)
    begin = time.monotonic()
    with meters.Sampler(lambda: meters.resident(target.pid), 0.01) as sampler:
        work(client)
    seconds = time.monotonic() - begin
    client.close()
    return {"seconds": seconds, "growth": max(value for _, value in sampler.samples) - base,
            "cpu": sum(meters.cpu(target.pid)) - sum(cpu)}


def prepare_tables(cluster):
    cluster.sql("create unlogged table sink (line text)")
    cluster.sql(f"grant all on sink to {servers.USER}")
