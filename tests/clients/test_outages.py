"""Servers that restart, die, stall or cannot be reached; clients that die at each step; the end of
the gateway itself: each with the promised error, and all well again afterwards."""
import asyncio
import contextlib
import pathlib
import signal
import socket
import sys
import time

import psycopg
import pytest

import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pgwire  # noqa: E402

pytestmark = [pytest.mark.gateway, pytest.mark.postgres]
SIZE = 4
OURS = "from pg_stat_activity where datname = 'app' and usename = 'alice'"


def config(cluster, pool="", gateway="", password=servers.PASSWORD, port=None, drain="3s"):
    pool = f", {pool}" if pool else ""
    return f"""
[gateway]
workers = 2
drain_timeout = "{drain}"
login_timeout = "60s"
{gateway}
[databases.app]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{port or cluster.port}/app"
password = "{password}"
pool = {{ mode = "transaction", size = {SIZE}{pool} }}
[users.alice]
password = "{servers.PASSWORD}"
"""


async def connect(gateway, timeout=60):
    return await pgwire.Connection.open("127.0.0.1", gateway.port, "alice", "app",
                                        servers.PASSWORD, timeout=timeout)


async def all_well(gateway, clients=4 * SIZE, statements=25):
    """Every backend of the pool is usable: more clients than backends, each with transactions."""
    async def one(number):
        connection = await connect(gateway)
        for n in range(statements):
            result = await connection.query(f"begin; select {number}, {n}; commit")
            assert not result.errors, result.errors
            assert result.rows == [[str(number), str(n)]]
        await connection.close()
    await asyncio.gather(*(one(number) for number in range(clients)))


def run(coroutine, seconds=90):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


def nobody_holds_a_backend(cluster):
    servers.wait_until(lambda: cluster.sql(f"select count(*) {OURS} and state <> 'idle'") == ["0"],
                       60, "every backend is idle")


# -- the server


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_restart_under_load(cluster, own_gateway, how):
    """Requests on dead backends fail with 08006, later ones with 08001 or none; idle clients and
    every connection survive."""
    gateway = own_gateway(config(cluster, 'connect_timeout = "3s"'))
    over, codes, answered = asyncio.Event(), {}, {}

    async def worker(number):
        connection = await connect(gateway)
        while not over.is_set():
            result = await connection.query(f"select {number}, pg_sleep(0.002)")
            if result.errors:
                codes[result.code] = codes.get(result.code, 0) + 1
                assert result.status == "I"
                await asyncio.sleep(0.05)
            else:
                assert result.rows[0][0] == str(number)
                answered[number] = time.monotonic()
        await connection.close()

    async def scenario():
        idle = [await connect(gateway) for _ in range(10)]
        tasks = [asyncio.create_task(worker(number)) for number in range(20)]
        while len(answered) < len(tasks):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(cluster.stop, how)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(cluster.start)
        started = time.monotonic()
        while min(answered.values()) < started:
            late = [n for n, at in answered.items() if at < started]
            assert time.monotonic() < started + 60, (late, codes, gateway.log()[-1500:])
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
        over.set()
        await asyncio.gather(*tasks)
        for connection in idle:
            result = await connection.query("select 'still here'")
            assert result.rows == [["still here"]], result.errors
            await connection.close()
        await all_well(gateway)

    run(scenario())
    assert "08006" in codes and set(codes) <= {"08006", "08001"}, codes


def test_backend_killed_in_a_transaction(cluster, own_gateway):
    """The transaction is lost and says so; the connection is usable; nobody else notices."""
    gateway = own_gateway(config(cluster))

    async def scenario():
        other, victim = await connect(gateway), await connect(gateway)
        await other.query("begin")
        pid = (await victim.query("begin; select pg_backend_pid()")).value()
        await asyncio.to_thread(cluster.sql, f"select pg_terminate_backend({pid})")
        await asyncio.sleep(0.3)
        result = await victim.query("select 1")
        assert result.code == "08006", (result.errors, result.rows)
        assert result.status == "I"
        result = await victim.query("select 2")
        assert result.rows == [["2"]] and result.status == "I", result.errors
        result = await other.query("select 3")
        assert result.rows == [["3"]] and result.status == "T", result.errors
        await other.query("commit")
        await all_well(gateway)

    run(scenario())
    nobody_holds_a_backend(cluster)


def test_backend_killed_in_mid_reply(cluster, own_gateway):
    """Rows are on their way: 08006, or a close where only a part of a message could be sent."""
    gateway = own_gateway(config(cluster))

    async def scenario():
        neighbour = await connect(gateway)
        for _ in range(5):
            victim = await connect(gateway)
            pid = (await victim.query("begin; select pg_backend_pid()")).value()
            victim.send(pgwire.query("select repeat('x', 1000) from generate_series(1, 3000000)"))
            await victim.receive()
            await asyncio.to_thread(cluster.sql, f"select pg_terminate_backend({pid})")
            try:
                result = await victim.result()
                assert result.code == "08006", result.errors
                assert result.status == "I"
                assert (await victim.query("select 1")).rows == [["1"]]
            except pgwire.Closed as closed:
                assert closed.last_error is None or closed.last_error["C"] == "08006"
            result = await neighbour.query("select 'unharmed'")
            assert result.rows == [["unharmed"]], result.errors
        await all_well(gateway)

    run(scenario())
    nobody_holds_a_backend(cluster)


@pytest.mark.parametrize("multiplex", ["true", "false"])
@pytest.mark.parametrize("how", ["simple", "extended", "named"])
def test_backend_dies_under_a_read(cluster, own_gateway, multiplex, how):
    """A read outside of a transaction that has not been answered runs again; nothing else does."""
    gateway = own_gateway(config(cluster, f"multiplex = {multiplex}"))
    cluster.sql("drop table if exists held; create table held as select 1 from generate_series(1, 3);"
                "grant all on held to alice")

    async def pid_of(marker):
        found = lambda: cluster.sql(f"select pid {OURS} and state = 'active' and query like "  # noqa
                                    f"'%{marker}%' and query not like '%activity%'")
        return (await asyncio.to_thread(servers.wait_until, found, 60, marker))[0]

    async def killed(sql, before=None):
        """Its backend is killed while it waits for the table, which is there afterwards."""
        connection = await connect(gateway)
        if how == "named":
            await connection.prepare("mine", sql)
        if before:
            await connection.query(before)
        with psycopg.connect(host=str(cluster.folder), port=cluster.port, user="postgres",
                             dbname="app") as holder:
            holder.execute("lock table held in access exclusive mode")
            if how == "simple":
                waiting = asyncio.ensure_future(connection.query(sql))
            elif how == "extended":
                waiting = asyncio.ensure_future(connection.extended(sql, []))
            else:
                waiting = asyncio.ensure_future(connection.run("mine", []))
            pid = await pid_of(sql.split("'")[1])
            await asyncio.to_thread(cluster.sql, f"select pg_terminate_backend({pid})")
            await asyncio.to_thread(servers.wait_until, lambda: cluster.sql(
                f"select count(*) from pg_stat_activity where pid = {pid}") == ["0"], 60, "its end")
        return connection, await waiting

    async def scenario():
        connection, result = await killed("select 'read', count(*) from held")
        assert result.rows == [["read", "3"]], result.errors
        assert (await connection.query("select 'well'")).rows == [["well"]]
        for sql, before in (("select 'tran', count(*) from held", "begin"),
                            ("select 'slept', count(*), pg_sleep(0) from held", None)):
            connection, result = await killed(sql, before)
            assert result.code == "08006" and not result.rows, (sql, result.errors, result.rows)
            assert (await connection.query("select 'well'")).rows == [["well"]]
        await all_well(gateway)

    run(scenario())
    nobody_holds_a_backend(cluster)


def test_stalled_server(cluster, own_gateway):
    """Requests past the backends wait for queue_timeout at most, those on them are answered when it
    moves again; logins and idle clients do not care."""
    gateway = own_gateway(config(cluster,
                                 f'min = {SIZE}, queue_timeout = "4s", connect_timeout = "20s"'))

    async def scenario():
        await all_well(gateway)
        # None can be opened while the server stands still.
        await asyncio.to_thread(servers.wait_until, lambda: cluster.sql(
            f"select count(*) {OURS}") == [str(SIZE)], 60)
        held = [await connect(gateway) for _ in range(SIZE)]
        waiting = [await connect(gateway) for _ in range(5)]
        idle = await connect(gateway)
        with cluster.paused():
            for number, connection in enumerate(held):
                connection.send(pgwire.query(f"select {number}"))
            await asyncio.sleep(0.2)
            began = time.monotonic()
            results = await asyncio.gather(*(c.query("select 1") for c in waiting))
            assert [result.code for result in results] == ["53400"] * 5, results[0].errors
            assert "queue_timeout" in results[0].error["M"]
            assert time.monotonic() - began > 3.5
            await (await connect(gateway)).close()
        for number, connection in enumerate(held):
            result = await connection.result()
            assert result.rows == [[str(number)]], result.errors
        for connection in [*waiting, idle]:
            result = await connection.query("select 1")
            assert result.rows == [["1"]], result.errors
        await all_well(gateway)

    run(scenario())


def test_cancel_while_the_server_stalls(cluster, own_gateway):
    """The client gives up and goes; its backend comes back clean or is replaced."""
    gateway = own_gateway(config(cluster, 'cancel_timeout = "1s", connect_timeout = "20s"'))

    async def scenario():
        await all_well(gateway)
        clients = [await connect(gateway) for _ in range(SIZE)]
        for connection in clients:
            await connection.query("begin")
        with cluster.paused():
            for connection in clients:
                connection.send(pgwire.query("select 1"))
            await asyncio.sleep(0.2)
            for connection in clients:
                connection.abort()
            await asyncio.sleep(2)
        await all_well(gateway)

    run(scenario())
    nobody_holds_a_backend(cluster)


def test_wrong_backend_password_at_start(cluster, own_gateway):
    """The gateway runs, the client hears the server's reason, and no restart is needed."""
    wrong = "not alice's secret"
    gateway = own_gateway(config(cluster, 'connect_timeout = "2s"', password=wrong),
                          secrets=(servers.PASSWORD, wrong))

    async def refused():
        with pytest.raises(pgwire.ServerError) as refusal:
            await connect(gateway)
        assert refusal.value.code == "08001", refusal.value.fields
        assert "password authentication failed" in refusal.value.fields["M"]
        assert wrong not in str(refusal.value.fields)

    began = time.monotonic()
    run(refused())
    assert time.monotonic() - began < 25  # neither the login's timeout nor the line's
    cluster.sql(f"alter role alice password '{wrong.replace(chr(39), chr(39) * 2)}'")
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                run(all_well(gateway))
                break
            except pgwire.ServerError as error:  # the back-off after failed connects
                assert error.code == "08001" and time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        cluster.sql(f"alter role alice password '{servers.PASSWORD}'")


def test_unreachable_server_at_start(cluster, own_gateway):
    """08001 with the cause within connect_timeout; served once there is a server."""
    place = socket.socket()  # nobody listens, and nobody else can
    place.bind(("127.0.0.1", 0))
    gateway = own_gateway(config(cluster, 'connect_timeout = "2s"', port=place.getsockname()[1]))

    async def refused():
        with pytest.raises(pgwire.ServerError) as refusal:
            await connect(gateway)
        assert refusal.value.code == "08001", refusal.value.fields
        assert "refused" in refusal.value.fields["M"], refusal.value.fields

    began = time.monotonic()
    run(refused())
    assert time.monotonic() - began < 25

    async def forward(reader, writer):
        """The server appears: a plain TCP forwarder to the cluster."""
        there = await asyncio.open_connection("127.0.0.1", cluster.port)

        async def pump(source, target):
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            target.close()
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def scenario():
        server = await asyncio.start_server(forward, sock=place)
        deadline = time.monotonic() + 60
        while True:
            try:
                await all_well(gateway)
                break
            except pgwire.ServerError as error:
                assert error.code == "08001" and time.monotonic() < deadline, error
                await asyncio.sleep(0.2)
        server.close()

    run(scenario())


# -- clients


def steps():
    """(name, messages after the login); None: not even that."""
    q, rows = pgwire.query, "select repeat('x', 1000) from generate_series(1, 100000)"
    return {
        "after login": b"",
        "half a header": q("select 1")[:3],
        "half a Query": q("select 'half'")[:-5],
        "a Query": q("select pg_sleep(0.02)"),
        "Parse alone": pgwire.parse("", "select 1"),
        "half a Parse": pgwire.parse("s", "select 1")[:-2],
        "Parse and Bind": pgwire.parse("s", "select 1") + pgwire.bind("", "s"),
        "Parse to Execute": pgwire.parse("", rows) + pgwire.bind("", "") + pgwire.execute(),
        "Execute with a limit, Flush": pgwire.parse("", rows) + pgwire.bind("", "")
        + pgwire.execute("", 5) + pgwire.flush(),
        "up to Sync": pgwire.parse("", "select 1") + pgwire.bind("", "") + pgwire.execute()
        + pgwire.sync(),
        "a failed extended query": pgwire.parse("", "nonsense") + pgwire.bind("", ""),
        "in a transaction": q("begin") + q("create table if not exists left_behind (n int)"),
        "in a failed transaction": q("begin") + q("select 1/0"),
        "a long reply, unread": q(rows),
        "in COPY in": q("begin") + q("create temp table c (n int)") + q("copy c from stdin")
        + pgwire.copy_data(b"1\n"),
        "in half a CopyData": q("begin") + q("create temp table c (n int)")
        + q("copy c from stdin") + pgwire.copy_data(b"1\n" * 1000)[:-700],
        "in COPY out": q(f"copy ({rows}) to stdout"),
        "a pipeline": (pgwire.parse("", "select 1") + pgwire.bind("", "") + pgwire.execute()
                       + pgwire.sync()) * 20,
        "with a temporary table": q("create temp table mine (n int)"),
        "with an advisory lock": q("select pg_advisory_lock(4711)"),
        "LISTEN": q("listen something"),
        "Terminate": q("select 1") + pgwire.terminate(),
    }


async def killed_while_logging_in(gateway):
    login = pgwire.Login("alice", "app", servers.PASSWORD)
    first = login.first()
    for sent in (b"", first[:3], first[:12], first[:-1], first):
        connection = await pgwire.Connection.connect("127.0.0.1", gateway.port)
        connection.send(sent)
        await asyncio.sleep(0.02)
        connection.abort()
    connection = await pgwire.Connection.connect("127.0.0.1", gateway.port)
    connection.send(first)
    connection.send(login.take(*await connection.receive()))
    await connection.receive()
    connection.abort()


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_client_killed_at_each_step(cluster, own_gateway, how):
    gateway = own_gateway(config(cluster))

    async def kill(name, sent):
        connection = await connect(gateway)
        connection.send(sent)
        await asyncio.sleep(0.03)
        if how == "reset":
            raw = connection.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.abort()

    async def scenario():
        witness = await connect(gateway)
        await killed_while_logging_in(gateway)
        for name, sent in steps().items():
            for _ in range(SIZE + 1):  # one that leaks would use up the pool
                await kill(name, sent)
            result = await witness.query("select 'alive'")
            assert result.rows == [["alive"]], (name, result.errors)
        await all_well(gateway)

    run(scenario())
    nobody_holds_a_backend(cluster)
    servers.wait_until(lambda: cluster.sql(
        "select count(*) from pg_locks where locktype = 'advisory'") == ["0"], 60, "no lock is left")
    assert cluster.sql("select to_regclass('left_behind') is null") == ["t"]
    servers.wait_until(lambda: cluster.sql(f"select count(*) <= {SIZE} {OURS}") == ["t"], 60,
                       "the backends that were closed are gone")


# -- the gateway's own end


def test_drain_lets_transactions_end(cluster, own_gateway):
    """SIGTERM: nobody new, idle clients go at once, a transaction ends first; exit status 0."""
    gateway = own_gateway(config(cluster, drain="80s"))
    cluster.sql("drop table if exists drained; create table drained (n int); "
                "grant all on drained to alice")

    async def farewell(connection):
        while True:
            kind, body = await connection.receive()
            if kind == b"E":
                assert pgwire.error_fields(body)["C"] == "57P01"
                return

    async def scenario():
        idle, busy, running = [await connect(gateway) for _ in range(3)]
        await busy.query("begin")
        await busy.query("insert into drained values (1)")
        running.send(pgwire.query("select pg_sleep(1), 'done'"))
        await asyncio.sleep(0.2)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(farewell(idle), 30)
        with pytest.raises((OSError, pgwire.Closed, pgwire.ServerError)):
            await connect(gateway)
        result = await busy.query("insert into drained values (2)")
        assert result.tags == ["INSERT 0 1"], result.errors
        result = await busy.query("commit")
        assert result.tags == ["COMMIT"], result.errors
        await asyncio.wait_for(farewell(busy), 30)
        result = await running.result()
        assert result.rows == [["", "done"]], result.errors
        await asyncio.wait_for(farewell(running), 30)
        assert await asyncio.to_thread(gateway.process.wait, 30) == 0

    run(scenario())
    assert cluster.sql("select count(*) from drained") == ["2"]


def test_drain_ends_at_its_timeout(cluster, own_gateway):
    """A transaction that does not end is cut off, and rolled back."""
    gateway = own_gateway(config(cluster))

    async def scenario():
        stubborn = await connect(gateway)
        await stubborn.query("begin")
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(gateway.process.wait, 60) == 0
        assert time.monotonic() - began > 2.5
        with pytest.raises(pgwire.Closed) as closed:
            while True:
                await stubborn.receive()
        assert closed.value.last_error["C"] == "57P01"

    run(scenario())
    servers.wait_until(lambda: cluster.sql(f"select count(*) {OURS}") == ["0"], 60,
                       "the backends are gone")


def test_interrupt_ends_at_once(cluster, own_gateway):
    gateway = own_gateway(config(cluster, drain="80s"))

    async def scenario():
        connection = await connect(gateway)
        await connection.query("begin")
        gateway.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(gateway.process.wait, 30) == 0
        with pytest.raises(pgwire.Closed):
            while True:
                await connection.receive()

    run(scenario())


def test_drain_under_load(cluster, own_gateway):
    """Every acknowledged row is there; every client hears 57P01, never in a transaction."""
    gateway = own_gateway(config(cluster, drain="60s"))
    cluster.sql("drop table if exists drained; create table drained (client int, n int); "
                "grant all on drained to alice")
    acknowledged = []

    async def worker(number):
        connection = await connect(gateway)
        n, ended = 0, None
        try:
            while True:
                n += 1
                inside = False
                result = await connection.query("begin")
                if result.errors:
                    return result.code
                inside = True
                await connection.query(f"insert into drained values ({number}, {n})")
                result = await connection.query("commit")
                assert result.tags == ["COMMIT"], result.errors
                acknowledged.append((number, n))
        except pgwire.Closed as closed:
            assert not inside, f"client {number} was cut off in a transaction"
            ended = closed.last_error and closed.last_error["C"]
        return ended

    async def scenario():
        tasks = [asyncio.create_task(worker(number)) for number in range(40)]
        while len(acknowledged) < 1000 or len({number for number, _ in acknowledged}) < 40:
            assert not any(task.done() for task in tasks)
            await asyncio.sleep(0.05)
        gateway.process.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*tasks)
        assert ends == ["57P01"] * 40, ends
        assert await asyncio.to_thread(gateway.process.wait, 60) == 0

    run(scenario())
    written = set(cluster.sql("select client || ' ' || n from drained"))
    assert {f"{client} {n}" for client, n in acknowledged} <= written
