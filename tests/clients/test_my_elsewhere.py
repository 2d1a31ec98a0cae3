"""MySQL: questions about a statement that ran on a backend which is somebody else's now, texts in
character sets of two bytes, and locks that functions take."""
import asyncio
import struct

import pytest

import servers
from servers import wait_until
from test_my_packets import mywire, run
from test_my_pymysql import rows, value

pytestmark = [pytest.mark.mariadb, pytest.mark.gateway]


@pytest.fixture
def one(my_gateway, my_pool):
    """A pool of a single backend: whoever asks next has it."""
    return my_pool.but(database="one")


async def connect(target, **options):
    return await mywire.Connection.open(*target.wire(), **options)


# -- the statement before


def warning_columns(connection):
    connection.query("SHOW WARNINGS")
    fields = connection._result.fields
    return ([(f.name, f.charsetnr, f.length, f.type_code, f.flags, f.scale) for f in fields],
            connection._result.rows)


@pytest.mark.parametrize("names", ["utf8mb4", "utf8mb3", "latin1", "gbk", "sjis", "cp1251", "NULL"])
def test_show_warnings_elsewhere(one, my_server, names):
    """As the server shows them: the columns' collations and lengths, and the text's encoding."""
    setup = ("SET character_set_results = NULL" if names == "NULL" else f"SET NAMES {names}")
    with one.connect() as connection, one.connect() as other, my_server.connect() as direct:
        shown = []
        for each in (connection, direct):
            rows(each, setup)
            rows(each, "SELECT CAST('\u00e9x' AS SIGNED)" if names == "utf8mb4"
                 else "SELECT CAST('1x' AS SIGNED), 1/0")
            if each is connection:
                assert value(other, "SELECT 5") == 5
            shown.append(warning_columns(each))
    assert shown[0] == shown[1]


def test_counts_elsewhere_in_prepared_statements(one, my_server):
    my_server.sql("CREATE OR REPLACE TABLE app.counted (n INT)")

    async def scenario():
        mine, other = await connect(one), await connect(one)
        asks = await mine.prepare("SELECT ROW_COUNT(), FOUND_ROWS()")
        again = await mine.prepare("SELECT ? + ROW_COUNT() AS n, ?")
        inserts = await mine.prepare("INSERT INTO counted VALUES (?), (?), (?)")
        for elsewhere in (True, False, True):
            await mine.execute(inserts, [1, 2, 3])
            if elsewhere:
                await other.query("SELECT 1 UNION SELECT 2")
            reply = await mine.execute(asks)
            assert reply.rows[0][0] == 3, (elsewhere, reply.rows)
            await mine.query("SELECT n FROM counted LIMIT 3")
            if elsewhere:
                await other.query("DELETE FROM counted LIMIT 2")
            reply = await mine.execute(asks)
            assert reply.rows == [[-1, 3]], (elsewhere, reply.rows)
            assert [c.name for c in reply.last.columns] == ["ROW_COUNT()", "FOUND_ROWS()"]
            await mine.execute(inserts, [1, 2, 3])
            if elsewhere:
                await other.query("DELETE FROM counted LIMIT 1")
            reply = await mine.execute(again, [10, "x"])
            assert reply.rows == [[13, "x"]], (elsewhere, reply.rows, reply.error)
            assert [c.name for c in reply.last.columns][0] == "n"
        # With a cursor, too.
        await mine.execute(inserts, [1, 2, 3])
        await other.query("SELECT 1")
        reply = await mine.execute(asks, cursor=1)
        assert not reply.error, reply.error
        fetched = await mine.fetch(asks, reply.last.columns, 5)
        assert fetched.rows == [[3, fetched.rows[0][1]]], fetched.rows
        mine.forget(asks)
        reply = await mine.query("SELECT 'well'")
        assert reply.rows == [["well"]], reply.error
        assert (await other.query("SELECT 'well'")).rows == [["well"]]

    run(scenario())


# -- characters whose second byte is a backslash or a backtick


HALVES = {"gbk": "\u7e17", "big5": "\u8a31", "sjis": "\u8868", "cp932": "\u8868"}


@pytest.mark.parametrize("charset", HALVES)
def test_half_a_character_is_no_backslash(my_pool, my_server, charset):
    """What follows the character is code: its lock is seen, and its string is none."""
    lock = f"half {charset}"
    encoded = HALVES[charset].encode(charset)
    assert encoded[1] == ord("\\")

    def text(sql):
        return sql.encode().replace(b"~", encoded)

    async def scenario():
        mine = await connect(my_pool)
        others = [await connect(my_pool) for _ in range(2 * servers.POOL_SIZE)]

        async def turn():
            await asyncio.gather(*(each.query("SELECT SLEEP(0.01)") for each in others))

        assert not (await mine.query(f"SET NAMES {charset}")).error
        reply = await mine.query("SELECT @@character_set_client")
        assert reply.rows == [[charset]]
        await turn()
        # A scanner that takes the half for a backslash reads: a string up to the lock's name.
        mine.command(mywire.QUERY, text(f"SELECT '~', GET_LOCK('{lock}', 0), HEX('~')"))
        reply = await mine.reply()
        assert reply.rows[0][1:] == ["1", encoded.hex().upper()], (reply.error, reply.rows)
        await turn()
        reply = await mine.query(f"SELECT IS_USED_LOCK('{lock}') = CONNECTION_ID()")
        assert reply.rows == [["1"]], reply.error
        assert not (await mine.query("DO RELEASE_ALL_LOCKS()")).error
        # The same in a prepared statement.
        mine.command(mywire.PREPARE, text(f"SELECT '~', GET_LOCK('{lock}', 0), ?"))
        body = await mine.receive()
        assert body[0] == 0, body
        mine.abort()
        mine = await connect(my_pool)
        await mine.query(f"SET NAMES {charset}")
        # Inside of a string it stays text: nothing is pinned, no lock is taken.
        mine.command(mywire.QUERY, text(f"SELECT '~ GET_LOCK(\\'{lock}\\', 0)~', 1"))
        reply = await mine.reply()
        assert reply.rows[0][1] == "1", reply.error
        # A backtick as a half, and what is asked of a statement that ran elsewhere.
        mine.command(mywire.QUERY, text("SELECT 1 AS `~` UNION SELECT 2"))
        assert len((await mine.reply()).rows) == 2
        await turn()
        mine.command(mywire.QUERY, text("SELECT '~', FOUND_ROWS()"))
        reply = await mine.reply()
        assert reply.rows[0][1] == "2", (reply.error, reply.rows)
        for each in [mine, *others]:
            await each.close()

    run(scenario())
    wait_until(lambda: my_server.value(f"SELECT IS_FREE_LOCK('{lock}')") == 1, 60, "a free lock")


# -- locks that nobody tells of


@pytest.mark.parametrize("prepared", [False, True], ids=["text", "prepared"])
def test_locks_of_stored_functions(my_pool, my_server, prepared):
    """They end with the lease: nobody else inherits them."""
    my_server.sql("USE app", "CREATE OR REPLACE FUNCTION takes(l VARCHAR(50)) RETURNS INT "
                  "RETURN GET_LOCK(l, 0)",
                  "CREATE OR REPLACE PROCEDURE taken(l VARCHAR(50)) DO GET_LOCK(l, 0)")

    async def ask(connection, sql):
        if prepared:
            return await connection.execute(await connection.prepare(sql))
        return await connection.query(sql)

    async def scenario():
        mine = await connect(my_pool)
        for sql in ("SELECT takes('by function')", "SELECT app . takes('by function')",
                    "SELECT `takes` ('by function')", "DO takes('by function')",
                    "SELECT 1 FROM seq_1_to_3 WHERE takes('by function') = 1",
                    "CALL taken('by function')"):
            reply = await ask(mine, sql)
            assert not reply.error, (sql, reply.error)
            await asyncio.to_thread(wait_until, lambda: my_server.value(
                "SELECT IS_FREE_LOCK('by function')") == 1, 60, sql)
        # In a transaction it is the client's until the transaction ends.
        await mine.query("BEGIN")
        await ask(mine, "SELECT takes('by function')")
        assert my_server.value("SELECT IS_FREE_LOCK('by function')") == 0
        await mine.query("COMMIT")
        await asyncio.to_thread(wait_until, lambda: my_server.value(
            "SELECT IS_FREE_LOCK('by function')") == 1, 60, "COMMIT")

    run(scenario())


# -- executions that are too long to be changed


def test_an_execution_of_16_mib_without_types(one, my_server):
    """A backend that has not heard the parameters' types gets them, however long the command."""
    async def scenario():
        mine = await connect(one)
        statement = await mine.prepare("SELECT LENGTH(?), RIGHT(?, 3)")
        reply = await mine.execute(statement, ["short", "abcdef"])
        assert reply.rows == [[5, "def"]], reply.error
        # Another backend: it has to be told.
        number = (await mine.query("SELECT CONNECTION_ID()")).rows[0][0]
        for size in (16_777_100, 16_777_190, 16_777_215, 17_000_000, 33_554_430, 34_000_000):
            await asyncio.to_thread(my_server.sql, f"KILL {number}")
            wait_until(lambda: not my_server.sql(
                f"SELECT 1 FROM information_schema.processlist WHERE id = {number}"), 60, "gone")
            await asyncio.sleep(0.3)  # the gateway has heard of it
            body = mywire.execute(statement.id, ["x" * size, "tail end"], new_types=False)
            mine.command(body[0], body[1:])
            reply = await mine.reply(binary=True, timeout=60)
            assert reply.rows == [[size, "end"]], (size, reply.error)
            number = (await mine.query("SELECT CONNECTION_ID()")).rows[0][0]

    run(scenario())
