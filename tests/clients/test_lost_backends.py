"""A backend dies between the messages of one request: the client hears one error for what was not
answered, one ReadyForQuery for each Sync, and may prepare the same name again."""
import asyncio
import contextlib
import os
import pathlib
import signal
import sys

import asyncpg
import psycopg
import pytest

import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pgwire  # noqa: E402

pytestmark = [pytest.mark.gateway, pytest.mark.postgres]
# Its own database: other tests' gateways have backends in theirs.
DATABASE = "lost"
OURS = f"from pg_stat_activity where datname = '{DATABASE}' and usename = 'alice'"
SHARED = "select 3 + $1::int"  # prepared on the backend by somebody else


def run(coroutine, seconds=90):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


@pytest.fixture(scope="module", autouse=True)
def database(cluster):
    cluster.sql(f"create database {DATABASE} owner alice", database="postgres")
    yield
    cluster.sql(f"drop database {DATABASE} with (force)", database="postgres")


@pytest.fixture
def lone(cluster, own_gateway):
    """A gateway with one backend."""
    servers.wait_until(lambda: cluster.sql(f"select count(*) {OURS}") == ["0"], 60)
    gateway = own_gateway(servers.table(cluster, "app", 'mode = "transaction", size = 1',
                                        database=DATABASE) + servers.ALICE)
    yield servers.Target("sluice-pg", gateway.port, "app", "alice", servers.PASSWORD)


async def connect(lone):
    return await pgwire.Connection.open(lone.host, lone.port, lone.user, lone.database,
                                        lone.password)


async def kinds(connection, count):
    """The kinds of so many messages; those that may come at any time do not count."""
    found = ""
    while len(found) < count:
        kind, _ = await asyncio.wait_for(connection.receive(), 60)
        found += "" if kind in b"SAN" else kind.decode()
    return found


def pid_of_backend(cluster):
    (pid,) = cluster.sql(f"select pid {OURS}")
    return int(pid)


def kill(cluster, pid):
    cluster.sql(f"select pg_terminate_backend({pid})")
    ended(pid)


def ended(pid):
    servers.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 60, "the backend's end")


def unread(cluster):
    """Bytes that wait for a backend to read them."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows
               if int(row[1].split(":")[1], 16) == cluster.port and row[3] == "01")


@contextlib.asynccontextmanager
async def frozen(cluster):
    """The backend stands still until it has been sent something."""
    pid = pid_of_backend(cluster)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
        await asyncio.to_thread(servers.wait_until, lambda: unread(cluster) > 0, 60, "a request")
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def dies_when_asked(cluster):
    """What the backend is sent meanwhile is not answered: it ends instead."""
    async with frozen(cluster) as pid:
        yield
        await asyncio.to_thread(servers.wait_until, lambda: unread(cluster) > 0, 60, "a request")
        os.kill(pid, signal.SIGTERM)
    await asyncio.to_thread(ended, pid)


async def prepared_by_another(lone):
    other = await connect(lone)
    assert (await other.prepare("theirs", SHARED)).kinds == "1Z"
    await other.close()


def test_psycopg_prepares_what_the_backend_knows(cluster, lone):
    """This driver takes one answer to a Parse: that it is done or that it is not."""
    async def scenario():
        with psycopg.connect(lone.dsn(), autocommit=True) as other:
            other.execute("select 3 + %s", (4,), prepare=True)
        connection = await psycopg.AsyncConnection.connect(lone.dsn(), autocommit=True)
        async with connection:
            async with dies_when_asked(cluster):
                asked = asyncio.ensure_future(
                    connection.execute("select 3 + %s", (4,), prepare=True))
            with pytest.raises(psycopg.errors.ConnectionFailure):
                await asked
            found = await connection.execute("select 3 + %s", (4,), prepare=True)
            assert await found.fetchone() == (7,)

    run(scenario())


def test_asyncpg_prepares_what_the_backend_knows(cluster, lone):
    run(prepared_by_another(lone))

    async def scenario():
        connection = await asyncpg.connect(lone.url())
        async with dies_when_asked(cluster):
            asked = asyncio.ensure_future(connection.prepare(SHARED))
        with pytest.raises(asyncpg.exceptions.ConnectionFailureError):
            await asked
        assert await connection.fetchval(SHARED, 4) == 7
        await connection.close()

    run(scenario())


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_name_is_free_again(cluster, lone, known):
    """The Parse failed, so the client may use its name for another."""
    if known:
        run(prepared_by_another(lone))

    async def scenario():
        connection = await connect(lone)
        await connection.query("select 1")
        async with dies_when_asked(cluster):
            asked = asyncio.ensure_future(connection.prepare("mine", SHARED))
        result = await asked
        assert result.kinds == "EZ" and result.code == "08006", (result.kinds, result.errors)
        assert (await connection.prepare("mine", "select 5 + $1::int")).kinds == "1Z"
        assert (await connection.run("mine", ["4"])).rows == [["9"]]

    run(scenario())


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_before_sync(cluster, lone, known):
    """The server had done the Parse, and nobody asked for its answers: the error comes instead."""
    if known:
        run(prepared_by_another(lone))

    async def scenario():
        connection = await connect(lone)
        await connection.query("select 1")
        bind = pgwire.bind("", "mine", ["4"])
        async with frozen(cluster) as pid:
            connection.send(pgwire.parse("mine", SHARED) + bind[:-3])
        await asyncio.to_thread(servers.wait_until, lambda: unread(cluster) == 0, 60, "the Parse")
        await asyncio.to_thread(kill, cluster, pid)
        assert await kinds(connection, 1) == "E"
        connection.send(bind[-3:] + pgwire.execute())
        connection.send(pgwire.sync() + pgwire.query("select 'next'"))
        result = await connection.result()
        assert result.kinds == "Z" and result.status == "I", result.kinds
        assert (await connection.result()).rows == [["next"]]
        assert (await connection.prepare("mine", SHARED)).kinds == "1Z"

    run(scenario())


def test_each_sync_has_its_answer(cluster, lone):
    """Three sequences were sent: three errors, three times ready; the next is as it should be."""
    async def scenario():
        connection = await connect(lone)
        await connection.query("select 1")
        one = pgwire.parse("", "select pg_sleep(0), $1::int") + pgwire.bind("", "", ["1"]) \
            + pgwire.execute() + pgwire.sync()
        async with dies_when_asked(cluster):
            connection.send(one * 3)
        for _ in range(3):
            result = await connection.result()
            assert result.kinds == "EZ" and result.code == "08006", (result.kinds, result.errors)
        assert (await connection.query("select 'next'")).rows == [["next"]]

    run(scenario())


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
def test_after_an_error(cluster, lone, inside):
    """A sequence that has failed already does not fail twice. A transaction's loss is told."""
    async def scenario():
        connection = await connect(lone)
        if inside:
            await connection.query("begin")
        connection.send(pgwire.parse("", "nonsense") + pgwire.flush())
        assert await kinds(connection, 1) == "E" and connection.last_error["C"] == "42601"
        await asyncio.to_thread(kill, cluster, pid_of_backend(cluster))
        connection.send(pgwire.execute() + pgwire.sync())
        result = await connection.result()
        assert result.kinds == "Z" and result.status == "I", (result.kinds, result.errors)
        if inside:
            result = await connection.query("insert into nowhere values (1)")
            assert result.kinds == "EZ" and result.code == "08006", result.errors
        assert (await connection.query("select 'next'")).rows == [["next"]]

    run(scenario())


def test_flush_gets_what_the_gateway_answers(cluster, lone):
    """A Parse and a Close that the server need not see, each followed by Flush alone."""
    run(prepared_by_another(lone))

    async def scenario():
        connection = await connect(lone)
        connection.send(pgwire.parse("mine", SHARED) + pgwire.flush())
        assert await kinds(connection, 1) == "1"
        connection.send(pgwire.bind("", "mine", ["4"]) + pgwire.execute() + pgwire.flush())
        assert await kinds(connection, 3) == "2DC"
        connection.send(pgwire.close("S", "mine") + pgwire.flush())
        assert await kinds(connection, 1) == "3"
        connection.send(pgwire.parse("mine", SHARED) + pgwire.close("S", "mine")
                        + pgwire.parse("", "nonsense") + pgwire.sync())
        result = await connection.result()
        assert result.kinds == "13EZ" and result.code == "42601", (result.kinds, result.errors)

    run(scenario())


def test_what_is_held_back_is_bounded(cluster, lone):
    """Without Sync or Flush answers come when many are due, as the server's do when its buffer is full."""
    run(prepared_by_another(lone))
    many = 1000

    async def scenario():
        connection = await connect(lone)
        connection.send(b"".join(pgwire.parse(f"s{i}", SHARED) for i in range(many)))
        early = await kinds(connection, 500)
        connection.send(pgwire.sync())
        assert early + await kinds(connection, many - 500 + 1) == "1" * many + "Z"
        assert (await connection.query("select 'next'")).rows == [["next"]]

    run(scenario())


def test_stale_plan_of_a_statement_just_parsed(cluster, lone):
    """Parse, Bind and Execute of a text that the backend knows by a plan from before an ALTER."""
    cluster.sql("drop table if exists altered; create table altered as select 1 as n;"
                "grant all on altered to alice", database=DATABASE)

    async def scenario():
        first, second = await connect(lone), await connect(lone)
        assert (await first.extended("select * from altered", name="a")).rows == [["1"]]
        await asyncio.to_thread(cluster.sql, "alter table altered add column m int default 2",
                                DATABASE)
        for _ in range(2):
            result = await second.extended("select * from altered", name="b")
            assert result.rows == [["1", "2"]] and result.kinds == "12DCZ", result.errors
            second.send(pgwire.close("S", "b") + pgwire.sync())
            assert (await second.result()).kinds == "3Z"
        await first.close()
        await second.close()

    run(scenario())
    cluster.sql("drop table altered", database=DATABASE)
