"""MySQL: servers that restart, die, stall or cannot be reached; clients that die at each step; the
end of the gateway: each with the promised error, and all well again afterwards."""
import asyncio
import contextlib
import signal
import socket
import struct
import time

import pytest

import mariadb
import servers
from test_my_packets import connect, mywire, run

pytestmark = pytest.mark.gateway
SIZE = 4
OURS = "FROM information_schema.processlist WHERE user = 'alice'"
LOST, UNREACHABLE = "08S01", "08001"  # SQLSTATEs of the errno 1105


@pytest.fixture(scope="module")
def server(folder):
    """A server of this file's own: it restarts."""
    with mariadb.Server(folder / "my-outages") as running:
        yield running


@pytest.fixture
def make(server, own_my_gateway):
    def made(pool="", password=servers.PASSWORD, port=None, drain="3s", **options):
        pool = f'mode = "transaction", size = {SIZE}' + (f", {pool}" if pool else "")
        config = (f'[gateway]\nworkers = 2\ndrain_timeout = "{drain}"\nlogin_timeout = "60s"\n'
                  + mariadb.database(server, "app", pool, port=port, password=password)
                  + mariadb.ALICE)
        gateway = own_my_gateway(config, **options)
        return gateway, mariadb.Target("outages", gateway.port)

    return made


async def all_well(target, clients=4 * SIZE, statements=15):
    """Every backend of the pool is usable: more clients than backends, each with transactions."""
    async def one(number):
        connection = await connect(target)
        for n in range(statements):
            reply = await connection.query(f"BEGIN; SELECT {number}, {n}; COMMIT")
            assert not reply.error, reply.error
            assert reply.results[1].rows == [[str(number), str(n)]]
        await connection.close()

    await asyncio.gather(*(one(number) for number in range(clients)))


def nobody_holds_a_backend(server):
    servers.wait_until(lambda: not server.sql(f"SELECT id {OURS} AND command <> 'Sleep'"), 60,
                       "every backend is idle")
    servers.wait_until(lambda: not server.value(
        "SELECT COUNT(*) FROM information_schema.innodb_trx"), 60, "no transaction is left")


# -- the server


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["in order", "killed"])
def test_restart_under_load(server, make, how):
    """Requests on dead backends fail with 08S01, later ones with 08001 or none; idle clients and
    every connection survive."""
    gateway, target = make('connect_timeout = "3s"')
    over, states, answered = asyncio.Event(), {}, {}

    async def worker(number):
        connection = await connect(target)
        while not over.is_set():
            reply = await connection.query(f"SELECT {number}, SLEEP(0.002)")
            if reply.error:
                states[reply.error[1]] = states.get(reply.error[1], 0) + 1
                await asyncio.sleep(0.05)
            else:
                assert reply.rows[0][0] == str(number)
                answered[number] = time.monotonic()
        await connection.close()

    async def scenario():
        idle = [await connect(target) for _ in range(10)]
        prepared = [await one.prepare("SELECT ? + 1") for one in idle]
        for number, one in enumerate(idle):
            assert not (await one.query(f"SET sort_buffer_size = {80_000 + number}")).error
        tasks = [asyncio.create_task(worker(number)) for number in range(20)]
        while len(answered) < len(tasks):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(server.stop, how)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(server.start)
        started = time.monotonic()
        while len(answered) < 20 or min(answered.values()) < started:
            late = [n for n, at in answered.items() if at < started]
            assert time.monotonic() < started + 60, (late, states, gateway.log()[-1500:])
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
        over.set()
        await asyncio.gather(*tasks)
        for number, (one, statement) in enumerate(zip(idle, prepared)):
            reply = await one.execute(statement, [number])
            assert reply.rows == [[number + 1]], reply.error
            reply = await one.query("SELECT @@sort_buffer_size")
            assert reply.rows == [[str(80_000 + number)]], reply.error
            await one.close()
        await all_well(target)

    run(scenario())
    assert LOST in states and set(states) <= {LOST, UNREACHABLE}, states


def backend_of(server, marker):
    return servers.wait_until(lambda: server.sql(
        f"SELECT id FROM information_schema.processlist WHERE info LIKE '%{marker}%' "
        "AND info NOT LIKE '%processlist%'"), 60, f"a statement with {marker}")[0][0]


def test_backend_killed_in_a_transaction(server, make):
    """The transaction is lost and says so; the connection is usable; nobody else notices."""
    _, target = make()

    async def scenario():
        other, victim = await connect(target), await connect(target)
        await other.query("BEGIN")
        reply = await victim.query("BEGIN; SELECT CONNECTION_ID()")
        await asyncio.to_thread(server.sql, f"KILL {reply.last.rows[0][0]}")
        await asyncio.sleep(0.3)
        reply = await victim.query("SELECT 1")
        assert reply.error and reply.error[1] == LOST, (reply.error, reply.results)
        reply = await victim.query("SELECT 2")
        assert reply.rows == [["2"]] and not reply.status & mywire.IN_TRANS, reply.error
        reply = await other.query("SELECT 3")
        assert reply.rows == [["3"]], reply.error
        assert not (await other.query("COMMIT")).error
        await all_well(target)

    run(scenario())
    nobody_holds_a_backend(server)


@pytest.mark.parametrize("prepared", [False, True], ids=["text", "prepared"])
def test_backend_killed_in_mid_reply(server, make, prepared):
    """Rows are on their way: 08S01, or a close where only a part of a packet could be sent."""
    _, target = make()
    sql = "SELECT REPEAT('x', 1000), 'mid reply' FROM seq_1_to_3000000"

    async def scenario():
        neighbour = await connect(target)
        for _ in range(4):
            victim = await connect(target)
            if prepared:
                victim.send_execute(await victim.prepare(sql))
            else:
                victim.command(mywire.QUERY, sql)
            waiting = asyncio.ensure_future(victim.receive())
            number = await asyncio.to_thread(backend_of, server, "mid reply")
            await waiting
            await asyncio.to_thread(server.sql, f"KILL {number}")
            try:
                body = b"\0"
                while body[0] != 0xFF:
                    body = await asyncio.wait_for(victim.receive(), 60)
                assert mywire.messages.parse_error(body)[1] == LOST, body
                assert (await victim.query("SELECT 1")).rows == [["1"]]
            except mywire.Closed:
                pass
            victim.abort()
            reply = await neighbour.query("SELECT 'unharmed'")
            assert reply.rows == [["unharmed"]], reply.error
        await all_well(target)

    run(scenario())
    nobody_holds_a_backend(server)


@pytest.mark.parametrize("prepared", [False, True], ids=["text", "prepared"])
def test_backend_dies_under_a_read(server, make, prepared):
    """A read outside of a transaction that has not been answered runs again, once the server is
    back; nothing else does."""
    _, target = make('connect_timeout = "60s"')
    # As good as endless, until the server has started anew: a table in memory is empty then.
    long = ("FROM seq_1_to_4000000000 WHERE seq <= (SELECT MAX(n) FROM endless) "
            "AND SHA2(seq, 512) > ''")
    server.sql("CREATE OR REPLACE TABLE app.endless (n BIGINT) ENGINE = MEMORY",
               "INSERT INTO app.endless VALUES (4000000000)")
    server.sql("CREATE OR REPLACE TABLE app.witness (n INT)",
               "CREATE OR REPLACE FUNCTION app.passes(n BIGINT) RETURNS BIGINT RETURN n")

    async def start(sql, values=(), before=None):
        connection = await connect(target)
        if before:
            assert not (await connection.query(before)).error
        if prepared:
            statement = await connection.prepare(sql)
            connection.send_execute(statement, values)
        else:
            connection.command(mywire.QUERY, sql.replace("?", "'7'"))
        return connection, asyncio.ensure_future(connection.reply(binary=prepared))

    async def scenario():
        read, answer = await start(f"SELECT COUNT(*), ? {long}", ["7"])
        read.command(mywire.QUERY, "SELECT 'behind'") if not prepared else None
        others = [await start(f"SELECT COUNT(passes(seq)) {long}"),
                  await start(f"SELECT COUNT(*) {long}", before="BEGIN"),
                  await start(f"INSERT INTO witness SELECT COUNT(*) {long}")]
        await asyncio.sleep(0.3)
        assert not answer.done()
        await asyncio.to_thread(server.stop, signal.SIGKILL)
        await asyncio.to_thread(server.start)
        reply = await asyncio.wait_for(answer, 60)
        assert [str(value) for value in reply.rows[0]] == ["0", "7"], reply.error
        if not prepared:
            read.sequence = 1  # of its own exchange
            assert (await read.reply()).rows == [["behind"]]
        for connection, lost in others:
            reply = await asyncio.wait_for(lost, 60)
            assert reply.error and reply.error[1] == LOST, (reply.error, reply.results)
            assert (await connection.query("SELECT 'well'")).rows == [["well"]]
        assert (await read.query("SELECT COUNT(*) FROM witness")).rows == [["0"]]
        await all_well(target)

    run(scenario())


def test_stalled_server(server, make):
    """Requests past the backends wait for queue_timeout at most, those on them are answered when it
    moves again; logins and idle clients do not care."""
    _, target = make('queue_timeout = "4s", connect_timeout = "20s"')

    async def scenario():
        await all_well(target)
        held = [await connect(target) for _ in range(SIZE)]
        waiting = [await connect(target) for _ in range(5)]
        idle = await connect(target)
        for one in held:
            await one.query("BEGIN")
        with server.paused():
            for number, one in enumerate(held):
                one.command(mywire.QUERY, f"SELECT {number}")
            await asyncio.sleep(0.2)
            began = time.monotonic()
            replies = await asyncio.gather(*(one.query("SELECT 1") for one in waiting))
            assert [reply.errno for reply in replies] == [1226] * 5, replies[0].error
            assert "queue_timeout" in replies[0].error[2]
            assert time.monotonic() - began > 3.5
            await (await connect(target)).close()
        for number, one in enumerate(held):
            reply = await one.reply()
            assert reply.rows == [[str(number)]], reply.error
            await one.query("COMMIT")
        for one in [*waiting, idle]:
            reply = await one.query("SELECT 1")
            assert reply.rows == [["1"]], reply.error
        await all_well(target)

    run(scenario())


def test_clients_leave_while_the_server_stalls(server, make):
    """Their backends come back clean or are replaced."""
    _, target = make('cancel_timeout = "1s", connect_timeout = "20s"')

    async def scenario():
        await all_well(target)
        clients = [await connect(target) for _ in range(SIZE)]
        for one in clients:
            await one.query("BEGIN")
        with server.paused():
            for one in clients:
                one.command(mywire.QUERY, "SELECT 1")
            await asyncio.sleep(0.2)
            for one in clients:
                one.abort()
            await asyncio.sleep(2)
        await all_well(target)

    run(scenario())
    nobody_holds_a_backend(server)


async def first_refusal(target):
    """At the login or at the first statement."""
    try:
        connection = await connect(target)
    except mywire.ServerError as refused:
        return refused.errno, refused.sqlstate, refused.message
    reply = await connection.query("SELECT 1")
    await connection.close()
    return reply.error


async def well_in_the_end(target):
    deadline = time.monotonic() + 60
    while (error := await first_refusal(target)):  # the back-off after failed connects
        assert error[1] == UNREACHABLE and time.monotonic() < deadline, error
        await asyncio.sleep(0.2)
    await all_well(target)


def test_wrong_backend_password_at_start(server, make):
    """The gateway runs, the client hears the server's reason, and no restart is needed."""
    wrong = "not alice's secret"
    _, target = make('connect_timeout = "2s"', password=wrong, secrets=(servers.PASSWORD, wrong))
    began = time.monotonic()
    error = run(first_refusal(target))
    assert error[1] == UNREACHABLE and "Access denied" in error[2], error
    assert wrong not in error[2] and time.monotonic() - began < 25
    quoted = wrong.replace("'", "''")
    server.sql(f"ALTER USER alice IDENTIFIED BY '{quoted}'")
    try:
        run(well_in_the_end(target))
    finally:
        server.sql(f"ALTER USER alice IDENTIFIED BY '{servers.PASSWORD}'")


def test_unreachable_server_at_start(server, make):
    """08001 with the cause within connect_timeout; served once there is a server."""
    place = socket.socket()  # nobody listens, and nobody else can
    place.bind(("127.0.0.1", 0))
    _, target = make('connect_timeout = "2s"', port=place.getsockname()[1])
    began = time.monotonic()
    error = run(first_refusal(target))
    assert error[1] == UNREACHABLE and "refused" in error[2], error
    assert time.monotonic() - began < 25

    forwarded = []

    async def forward(reader, writer):
        """The server appears: a plain TCP forwarder to it."""
        there = await asyncio.open_connection("127.0.0.1", server.port)
        forwarded.extend([writer, there[1]])

        async def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def scenario():
        listening = await asyncio.start_server(forward, sock=place)
        await well_in_the_end(target)
        listening.close()
        for writer in forwarded:
            writer.transport.abort()

    run(scenario())


# -- clients


ROWS = "SELECT REPEAT('x', 1000) FROM seq_1_to_100000"


def packet(code, body=b""):
    return mywire.frame(bytes([code]) + (body.encode() if isinstance(body, str) else body))


def steps():
    """{name: bytes after the login}"""
    q = lambda text: packet(mywire.QUERY, text)  # noqa: E731
    prepare = packet(mywire.PREPARE, "SELECT ?, 1")
    long_data = packet(mywire.LONG_DATA, struct.pack("<IH", 1, 0) + b"part")
    cursor = mywire.frame(mywire.execute(1, cursor=1))
    return {
        "after login": b"",
        "half a header": q("SELECT 1")[:3],
        "half a query": q("SELECT 'half'")[:-5],
        "a query": q("SELECT SLEEP(0.02)"),
        "half of a large packet": mywire.frame(b"\3SELECT '" + b"x" * 17_000_000)[:16_900_000],
        "PREPARE": prepare,
        "half a PREPARE": prepare[:-2],
        "PREPARE and LONG_DATA": prepare + long_data,
        "PREPARE and EXECUTE": prepare + mywire.frame(mywire.execute(1, ["x"])),
        "an open cursor": packet(mywire.PREPARE, ROWS) + cursor,
        "an open cursor, fetched": packet(mywire.PREPARE, ROWS) + cursor
        + packet(mywire.FETCH, struct.pack("<II", 1, 5)),
        "in a transaction": q("BEGIN") + q("INSERT INTO witness VALUES (1)"),
        "without autocommit": q("SET autocommit = 0") + q("INSERT INTO witness VALUES (1)"),
        "after an error in a transaction": q("BEGIN") + q("SELECT nope"),
        "a long reply, unread": q(ROWS),
        "several results, unread": q("SELECT 1; " + ROWS + "; SELECT 3"),
        "LOAD DATA LOCAL": q("LOAD DATA LOCAL INFILE 'x' INTO TABLE witness"),
        "a pipeline": q("SELECT 1") * 20,
        "with a temporary table": q("CREATE TEMPORARY TABLE mine (n INT)"),
        "with a lock by name": q("SELECT GET_LOCK('left behind', 0)"),
        "with locked tables": q("LOCK TABLES witness WRITE"),
        "with a user variable": q("SET @x = 1"),
        "RESET_CONNECTION": packet(mywire.RESET_CONNECTION),
        "half a CHANGE_USER": packet(mywire.CHANGE_USER, b"alice\0"),
        "CHANGE_USER, not answered": packet(
            mywire.CHANGE_USER, b"alice\0\0app\0\x2d\0mysql_native_password\0"),
        "QUIT": q("SELECT 1") + packet(mywire.QUIT),
    }


async def killed_while_logging_in(target):
    login = mywire.Login(target.user, target.database, target.password)
    connection = await mywire.Connection.connect(target.host, target.port)
    answer = mywire.frame(login.take(await connection.receive()), 1)
    connection.abort()
    for sent in (b"", answer[:3], answer[:12], answer[:-1], answer):
        connection = await mywire.Connection.connect(target.host, target.port)
        connection.writer.write(sent)
        await asyncio.sleep(0.02)
        connection.abort()


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_client_killed_at_each_step(server, make, how):
    _, target = make()
    server.sql("CREATE OR REPLACE TABLE app.witness (n INT)")

    async def kill(sent):
        connection = await connect(target, capabilities=mywire.DEFAULT | mywire.LOCAL_FILES)
        connection.writer.write(sent)
        await asyncio.sleep(0.03)
        if how == "reset":
            raw = connection.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.abort()

    async def scenario():
        witness = await connect(target)
        await killed_while_logging_in(target)
        for name, sent in steps().items():
            for _ in range(SIZE + 1):  # one that leaks would use up the pool
                await kill(sent)
            reply = await witness.query("SELECT 'alive'")
            assert not reply.error and reply.rows == [["alive"]], (name, reply.error)
        await all_well(target)
        reply = await witness.query("SELECT COUNT(*), @x, IS_FREE_LOCK('left behind') FROM witness")
        assert reply.rows == [["0", None, "1"]], (reply.error, reply.rows)

    run(scenario())
    nobody_holds_a_backend(server)
    servers.wait_until(lambda: server.value(f"SELECT COUNT(*) {OURS}") <= SIZE, 60,
                       "the backends that were closed are gone")


# -- the gateway's own end


def test_drain_lets_transactions_end(server, make):
    """SIGTERM: nobody new, idle clients go at once, a transaction ends first; exit status 0."""
    gateway, target = make(drain="80s")
    server.sql("CREATE OR REPLACE TABLE app.drained (n INT)")

    async def farewell(connection):
        connection.sequence = 1  # as if it were the answer to the next command
        try:
            body = await connection.receive()
            assert mywire.messages.parse_error(body)[0] == 1053, body
        except mywire.Closed:
            pass

    async def scenario():
        idle, busy, running = [await connect(target) for _ in range(3)]
        await busy.query("BEGIN")
        await busy.query("INSERT INTO drained VALUES (1)")
        running.command(mywire.QUERY, "SELECT SLEEP(1), 'done'")
        await asyncio.sleep(0.2)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(farewell(idle), 30)
        with pytest.raises((OSError, mywire.Closed, mywire.ServerError)):
            await connect(target)
        assert (await busy.query("INSERT INTO drained VALUES (2)")).last.affected == 1
        assert not (await busy.query("COMMIT")).error
        await asyncio.wait_for(farewell(busy), 30)
        reply = await running.reply()
        assert reply.rows == [["0", "done"]], reply.error
        await asyncio.wait_for(farewell(running), 30)
        assert await asyncio.to_thread(gateway.process.wait, 30) == 0

    run(scenario())
    assert server.value("SELECT COUNT(*) FROM app.drained") == 2


def test_drain_under_load(server, make):
    """Every acknowledged row is there; nobody is cut off in a transaction."""
    gateway, target = make(drain="60s")
    server.sql("CREATE OR REPLACE TABLE app.drained (client INT, n INT)")
    acknowledged = []

    async def worker(number):
        connection = await connect(target)
        n, inside = 0, False
        with contextlib.suppress(mywire.Closed):
            while True:
                n += 1
                inside = False
                reply = await connection.query("BEGIN")
                if reply.error:
                    assert reply.errno == 1053, reply.error
                    return
                inside = True
                await connection.query(f"INSERT INTO drained VALUES ({number}, {n})")
                reply = await connection.query("COMMIT")
                assert not reply.error, reply.error
                acknowledged.append((number, n))
        assert not inside, f"client {number} was cut off in a transaction"

    async def scenario():
        tasks = [asyncio.create_task(worker(number)) for number in range(40)]
        while len(acknowledged) < 1000 or len({number for number, _ in acknowledged}) < 40:
            assert not any(task.done() for task in tasks)
            await asyncio.sleep(0.05)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*tasks)
        assert await asyncio.to_thread(gateway.process.wait, 60) == 0

    run(scenario())
    written = set(server.sql("SELECT client, n FROM app.drained"))
    assert set(acknowledged) <= written
