"""What sysbench cannot measure: idle clients and streams of MySQL's protocol."""
import asyncio
import time

import meters
import mywire
from probes import SlowStart
from servers import DATABASE, PASSWORD, USER

LINE, LINES = 8192, 131072  # 1 GiB
SELECT = f"SELECT REPEAT('x', {LINE}) FROM seq_1_to_{LINES}"


def connect(port):
    return mywire.Connection.open("127.0.0.1", port, USER, DATABASE, PASSWORD, timeout=120)


async def _idle_memory(target, count):
    # Warm: what the first logins allocate for good is not a client's cost.
    for _ in range(5):
        await (await connect(target.port)).close()
    warm = await connect(target.port)
    await warm.query("SELECT 1")
    before, clients = meters.memory(target.pid), []
    for start in range(0, count, 50):
        clients += await asyncio.gather(
            *(connect(target.port) for _ in range(min(50, count - start))))
    await asyncio.sleep(1)
    logged_in = meters.memory(target.pid)
    for client in clients:
        await client.query("SELECT 1")
    await asyncio.sleep(1)
    used = meters.memory(target.pid)
    for client in [*clients, warm]:
        await client.close()
    return {state: {kind: (figures[kind] - before[kind]) / count for kind in ("Rss", "Pss")}
            for state, figures in (("logged in", logged_in), ("after a statement", used))}


def idle_memory(target, count):
    """Bytes an idle client: {'logged in': {'Rss', 'Pss'}, 'after a statement': {...}}"""
    return asyncio.run(_idle_memory(target, count))


def text(client):
    client.command(mywire.QUERY, SELECT.encode())


def prepared(client):
    statement = client.prepare(SELECT)
    client.socket.sendall(mywire.frame(mywire.execute(statement)))


STREAMS = {"1 GB, text": text, "1 GB, prepared": prepared}


def stream(target, ask):
    """{'seconds', 'growth' (bytes of resident memory, at most), 'cpu' (seconds)}"""
    client = mywire.Blocking("127.0.0.1", target.port, USER, DATABASE, PASSWORD)
    client.command(mywire.QUERY, b"SELECT 1")
    client.drain()
    read = (lambda: meters.resident(target.pid)) if target.pid else (lambda: 0)
    base, cpu = read(), meters.cpu(target.pid) if target.pid else (0, 0)
    begin = time.monotonic()
    with meters.Sampler(read, 0.01) as sampler:
        ask(client)
        payload = client.drain(pause_after=SlowStart(1))
    seconds = time.monotonic() - begin
    client.close()
    assert payload > LINE * LINES, payload
    if not target.pid:
        return {"seconds": seconds, "growth": None, "cpu": None}
    return {"seconds": seconds, "growth": max(value for _, value in sampler.samples) - base,
            "cpu": sum(meters.cpu(target.pid)) - sum(cpu)}
