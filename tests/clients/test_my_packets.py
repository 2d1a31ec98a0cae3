"""The protocol's own commands and sizes, packet by packet (tests/mywire), in transaction mode."""
import asyncio
import struct

import pytest

import servers

import mywire
from mywire.messages import BLOB, LONG, STRING

LEGACY = mywire.DEFAULT & ~mywire.DEPRECATE_EOF
CROWD = 3 * servers.POOL_SIZE


def run(coroutine, seconds=80):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


async def connect(my_pool, **options):
    return await mywire.Connection.open(*my_pool.wire(), **options)


async def ask(connection, sql):
    """Its rows; fails with the error."""
    reply = await connection.query(sql)
    assert not reply.error, reply.error
    return reply.rows


async def busy(crowd):
    """Others use every backend meanwhile."""
    await asyncio.gather(*(ask(one, f"SELECT {number}, SLEEP(0.002)")
                           for number, one in enumerate(crowd)))


@pytest.fixture(params=["deprecate eof", "eof"])
def capabilities(request):
    return mywire.DEFAULT if request.param == "deprecate eof" else LEGACY


# -- plain commands


def test_commands(my_pool, capabilities):
    async def scenario():
        one = await connect(my_pool, capabilities=capabilities)
        assert one.status & mywire.AUTOCOMMIT
        assert (await one.ping()).status & mywire.AUTOCOMMIT
        reply = await one.query("SELECT 1, NULL, 'é' UNION SELECT 2, 'x', ''")
        assert reply.rows == [["1", None, "é"], ["2", "x", ""]]
        reply = await one.simple(mywire.INIT_DB, "app_three")
        assert not reply.error and (await ask(one, "SELECT DATABASE()")) == [["app_three"]]
        reply = await one.simple(mywire.INIT_DB, "nowhere")
        assert reply.errno in (1044, 1049) and (await ask(one, "SELECT 1")) == [["1"]]
        one.command(mywire.STATISTICS)
        assert b"Uptime" in await one.receive()
        reply = await one.simple(mywire.SET_OPTION, struct.pack("<H", 1))  # off
        assert not reply.error
        assert (await one.query("SELECT 1; SELECT 2")).errno == 1064
        reply = await one.simple(mywire.SET_OPTION, struct.pack("<H", 0))
        assert not reply.error
        assert len((await one.query("SELECT 1; SELECT 2")).results) == 2
        await one.close()

    run(scenario())


def test_field_list(my_pool, my_server, capabilities):
    my_server.sql("CREATE OR REPLACE TABLE app.fields (first INT DEFAULT 7, second TEXT)")

    async def scenario():
        one = await connect(my_pool, capabilities=capabilities)
        one.command(mywire.FIELD_LIST, b"fields\0")
        found = []
        while True:
            body = await one.receive()
            if body[0] == 0xFE and len(body) < 9:
                break
            assert body[0] != 0xFF, body
            found.append(mywire.Column.parse(body).name)
        assert found == ["first", "second"]
        assert await ask(one, "SELECT 1") == [["1"]]
        await one.close()

    run(scenario())


def test_unknown_commands_are_refused(my_pool):
    """Replication and what no client should send: an error, and the connection goes on or ends."""
    async def scenario():
        for code in (0x12, 0x15, 0x0B, 0x10, 0x1E, 0x7F):  # BINLOG_DUMP, REGISTER_SLAVE, ...
            one = await connect(my_pool)
            one.command(code, b"\4\0\0\0\0\0\1\0\0\0")
            try:
                body = await asyncio.wait_for(one.receive(), 60)
                assert body[0] == 0xFF, (code, body)
                assert await ask(one, "SELECT 1") == [["1"]]
            except mywire.Closed:
                pass
            one.abort()
        one = await connect(my_pool)
        assert await ask(one, "SELECT 1") == [["1"]]
        await one.close()

    run(scenario())


def test_replies_carry_counts_and_state(my_pool, my_server):
    my_server.sql("CREATE OR REPLACE TABLE app.counted (id INT PRIMARY KEY AUTO_INCREMENT, n INT)")

    async def scenario():
        one = await connect(my_pool)
        last = (await one.query("INSERT INTO counted (n) VALUES (1), (2), (3)")).last
        assert (last.affected, last.insert_id, last.info) == (
            3, 1, "Records: 3  Duplicates: 0  Warnings: 0")
        last = (await one.query("UPDATE counted SET n = 2")).last
        assert (last.affected, last.info) == (2, "Rows matched: 3  Changed: 2  Warnings: 0")
        assert (await one.query("SELECT CAST('x' AS INT)")).last.warnings == 1
        assert (await one.query("BEGIN")).status & mywire.IN_TRANS
        assert (await one.query("SELECT * FROM counted")).status & mywire.IN_TRANS
        assert not (await one.query("COMMIT")).status & mywire.IN_TRANS
        assert not (await one.query("SET autocommit = 0")).status & mywire.AUTOCOMMIT
        await one.close()
        found = await connect(my_pool, capabilities=mywire.DEFAULT | mywire.FOUND_ROWS)
        assert (await found.query("UPDATE counted SET n = 2")).last.affected == 3
        await found.close()

    run(scenario())


def test_session_trackers_for_those_who_ask(my_pool):
    """A client with SESSION_TRACK is told of a new database; one without gets plain packets."""
    async def scenario():
        tracking = await connect(my_pool, capabilities=mywire.DEFAULT | mywire.SESSION_TRACK)
        reply = await tracking.query("USE app_three")
        assert b"app_three" in reply.last.tracked
        plain = await connect(my_pool)
        for sql in ("USE app_three", "SET NAMES latin1", "SET @x = 1", "BEGIN", "COMMIT"):
            plain.command(mywire.QUERY, sql)
            body = await plain.receive()
            assert len(body) == 7 and body[:3] == b"\0\0\0", (sql, body)
            assert not mywire.parse_ok(body)["status"] & 0x4000
        await tracking.close()
        await plain.close()

    run(scenario())


def test_pipelined_commands(my_pool):
    """Sent before the replies are read, as some drivers do; answered in order."""
    async def scenario():
        one = await connect(my_pool)
        for number in range(50):
            one.command(mywire.QUERY, "SELECT nope" if number == 20 else f"SELECT {number}")
        for number in range(50):
            one.sequence = 1
            reply = await one.reply()
            if number == 20:
                assert reply.errno == 1054
            else:
                assert reply.rows == [[str(number)]]
        await one.close()

    run(scenario())


# -- sizes


SIZES = [0xFFFFFF - 20, 0xFFFFFF, 0xFFFFFF + 1, 2 * 0xFFFFFF, 20_000_000]


def test_large_packets(my_pool, capabilities):
    """Statements, parameters and rows past 16 MiB, and those that fill a packet exactly."""
    async def scenario():
        one = await connect(my_pool, capabilities=capabilities)
        for size in SIZES:
            head = "SELECT LENGTH('"
            reply = await one.query(f"{head}{'x' * (size - len(head) - 3)}')")
            assert reply.rows == [[str(size - len(head) - 3)]], reply.error
        for size in SIZES:
            reply = await one.query(f"SELECT REPEAT('y', {size - 4})")  # 4: its length
            assert len(reply.value()) == size - 4 and set(reply.value()) == {"y"}
            assert await ask(one, "SELECT 1") == [["1"]]
        statement = await one.prepare("SELECT LENGTH(?), ?")
        for size in SIZES[1:3]:
            reply = await one.execute(statement, [b"z" * size, "end"])
            assert reply.rows == [[size, "end"]], reply.error
        await one.close()

    run(scenario())


def test_many_columns_and_long_names(my_pool, capabilities):
    async def scenario():
        one = await connect(my_pool, capabilities=capabilities)
        many = ", ".join(f"{n} AS `column {n} {'é' * 40}`" for n in range(1000))
        for _ in range(3):
            reply = await one.query(f"SELECT {many}")
            assert reply.rows == [[str(n) for n in range(1000)]]
            assert reply.last.columns[999].name == "column 999 " + "é" * 40
        await one.close()

    run(scenario())


# -- prepared statements


def test_prepared_by_many(my_pool, capabilities):
    """Ids are each client's own, whatever backend runs them; texts shared or not."""
    async def worker(number):
        one = await connect(my_pool, capabilities=capabilities)
        own = await one.prepare(f"SELECT {number}, ? + 1, ?")
        shared = await one.prepare("SELECT ?, CONNECTION_ID() > 0")
        assert own.id != shared.id
        assert len(own.parameters) == 2 and len(own.columns) == 3
        for turn in range(25):
            reply = await one.execute(own, [turn, f"text {turn}"], new_types=turn % 2 == 0)
            assert reply.rows == [[number, turn + 1, f"text {turn}"]], reply.error
            reply = await one.execute(shared, [number])
            assert reply.rows[0][0] == number, reply.error
            if turn % 10 == 9:
                one.forget(shared)
                assert (await one.execute(shared, [1])).errno == 1243
                shared = await one.prepare("SELECT ?, CONNECTION_ID() > 0")
        await one.close()

    async def scenario():
        await asyncio.gather(*(worker(number) for number in range(CROWD)))

    run(scenario())


def test_parameter_types_are_remembered(my_pool):
    """Executions without types use the last ones, though another backend runs them."""
    async def scenario():
        crowd = [await connect(my_pool) for _ in range(CROWD)]
        statements = [await one.prepare("SELECT ?, ?") for one in crowd]
        for turn in range(4):
            for number, (one, statement) in enumerate(zip(crowd, statements)):
                value = (LONG, struct.pack("<i", number)) if number % 2 else f"s{number}"
                reply = await one.execute(statement, [value, None if turn % 2 else turn],
                                          new_types=turn in (0, 2))
                expected = number if number % 2 else f"s{number}"
                # The type of a NULL is NULL: it is sent anew when a number follows.
                assert reply.rows == [[expected, None if turn % 2 else turn]], reply.error
            await busy(crowd)
        for one in crowd:
            await one.close()

    run(scenario())


# Of an execution's payload; the gateway puts the types of two parameters, four bytes, into those that
# leave them out: some packets become full by that, and one more follows.
UNTYPED_SIZES = [0xFFFFFF - 5, 0xFFFFFF - 4, 0xFFFFFF - 3, 0xFFFFFF, 0xFFFFFF + 1, 2 * 0xFFFFFF - 4,
                 2 * 0xFFFFFF]


def filling(payload):
    """As many bytes for the first of two parameters as make an execution's payload that long."""
    rest = payload - len(mywire.messages.execute(1, [b"", "end"], new_types=False)) + 1
    return b"z" * (rest - (4 if rest - 4 < 1 << 24 else 9))


def test_large_executions_without_types(my, capabilities):
    """new_params_bound_flag = 0 in 16 MiB and more, where others named other types meanwhile."""
    text = "SELECT LENGTH(?), ?"

    async def scenario():
        one = await connect(my, capabilities=capabilities)
        statement = await one.prepare(text)
        assert (await one.execute(statement, [b"four", "end"])).rows == [[4, "end"]]
        crowd = [await connect(my) for _ in range(CROWD)]
        theirs = [await other.prepare(text) for other in crowd]

        async def numbers(other, prepared, number):
            reply = await other.execute(prepared, [number, 2.5])
            assert reply.rows == [[len(str(number)), 2.5]], reply.error
        for turn, size in enumerate(UNTYPED_SIZES):
            await asyncio.gather(*(numbers(other, prepared, 10 ** turn)
                                   for other, prepared in zip(crowd, theirs)))
            value = filling(size)
            assert len(mywire.messages.execute(1, [value, "end"], new_types=False)) == size
            reply = await one.execute(statement, [value, "end"], new_types=False)
            assert reply.rows == [[len(value), "end"]], (size, reply.error)
            assert await ask(one, "SELECT 1") == [["1"]]
        for other in (one, *crowd):
            await other.close()

    run(scenario())


def test_prepare_errors(my_pool):
    async def scenario():
        one = await connect(my_pool)
        with pytest.raises(mywire.ServerError) as error:
            await one.prepare("SELEC ?")
        assert error.value.errno == 1064
        with pytest.raises(mywire.ServerError) as error:
            await one.prepare("SELECT * FROM missing WHERE a = ?")
        assert error.value.errno == 1146
        assert (await one.execute(mywire.Prepared(999, [], []), [])).errno == 1243
        one.forget(mywire.Prepared(999, [], []))
        reply = await one.simple(mywire.RESET, struct.pack("<I", 999))
        assert reply.errno == 1243
        statement = await one.prepare("SELECT 1 FROM DUAL WHERE 1 = ?")
        assert (await one.execute(statement, [1])).rows == [[1]]
        await one.close()

    run(scenario())


def test_prepared_across_a_change_of_the_table(my_pool, my_server):
    my_server.sql("CREATE OR REPLACE TABLE app.changing (a INT)",
                  "INSERT INTO app.changing VALUES (1)")

    async def scenario():
        crowd = [await connect(my_pool) for _ in range(CROWD)]
        statements = [await one.prepare("SELECT * FROM changing WHERE a = ?") for one in crowd]
        for one, statement in zip(crowd, statements):
            assert (await one.execute(statement, [1])).rows == [[1]]
        await ask(crowd[0], "ALTER TABLE changing ADD COLUMN b VARCHAR(10) DEFAULT 'new'")
        for one, statement in zip(crowd, statements):
            assert (await one.execute(statement, [1])).rows == [[1, "new"]]
        for one in crowd:
            await one.close()

    run(scenario())


def test_long_data(my_pool):
    """Parameters in pieces, while others use the backends."""
    async def scenario():
        crowd = [await connect(my_pool) for _ in range(CROWD)]

        async def work(number, one):
            statement = await one.prepare("SELECT ?, LENGTH(?), MD5(?)")
            for turn in range(3):
                for piece in range(5):
                    one.long_data(statement, 1, bytes([65 + number]) * 1000)
                    await asyncio.sleep(0.001)
                one.long_data(statement, 2, b"")
                reply = await one.execute(
                    statement, [number, (BLOB, b""), (STRING, b"")], long_data=(1, 2))
                assert reply.rows[0][:2] == [number, 5000], reply.error
                assert reply.rows[0][2] == "d41d8cd98f00b204e9800998ecf8427e"
            # RESET drops what was sent.
            one.long_data(statement, 1, b"dropped")
            assert not (await one.simple(mywire.RESET, struct.pack("<I", statement.id))).error
            reply = await one.execute(statement, [number, "four", "x"])
            assert reply.rows[0][:2] == [number, 4], reply.error

        await asyncio.gather(*(work(number, one) for number, one in enumerate(crowd)))
        for one in crowd:
            await one.close()

    run(scenario())


def test_cursors(my_pool, capabilities):
    """COM_STMT_FETCH: rows in portions, others in between; closed, reset or left open."""
    async def scenario():
        one = await connect(my_pool, capabilities=capabilities)
        other = await connect(my_pool)
        statement = await one.prepare("SELECT seq, ? FROM seq_1_to_100")
        for turn in range(3):
            reply = await one.execute(statement, [turn], cursor=1)
            assert reply.status & mywire.CURSOR_EXISTS and reply.rows == [], reply.error
            columns, found = reply.last.columns, []
            while True:
                portion = await one.fetch(statement, columns, 30)
                assert not portion.error, portion.error
                found += portion.rows
                assert await ask(other, "SELECT 7") == [["7"]]
                if portion.status & mywire.LAST_ROW_SENT:
                    break
            assert found == [[n, turn] for n in range(1, 101)]
        await one.execute(statement, [1], cursor=1)
        await one.fetch(statement, statement.columns, 5)
        assert not (await one.simple(mywire.RESET, struct.pack("<I", statement.id))).error
        assert (await one.fetch(statement, statement.columns, 5)).error
        await one.execute(statement, [1], cursor=1)
        one.forget(statement)  # closes the cursor too
        assert await ask(one, "SELECT 8") == [["8"]]
        await one.close()
        await other.close()

    run(scenario())


# -- sessions anew


@pytest.mark.parametrize("how", ["reset", "change"])
def test_session_anew(my_pool, how):
    """COM_RESET_CONNECTION and COM_CHANGE_USER forget what the session had."""
    async def scenario():
        one = await connect(my_pool)
        others = [await connect(my_pool) for _ in range(servers.POOL_SIZE - 1)]
        default = (await ask(one, "SELECT @@sort_buffer_size"))[0][0]
        for _ in range(4):
            statement = await one.prepare("SELECT 1")
            for sql in ("SET sort_buffer_size = 818200, @mine = 5", "SELECT GET_LOCK('mine', 0)",
                        "CREATE TEMPORARY TABLE mine (n INT)", "BEGIN"):
                await ask(one, sql)
            await busy(others)
            if how == "reset":
                assert not (await one.simple(mywire.RESET_CONNECTION)).error
            else:
                await one.change_user(my_pool.user, my_pool.password, "app_two")
                assert await ask(one, "SELECT DATABASE()") == [["app_two"]]
            await busy(others)
            assert await ask(one, "SELECT @mine, @@sort_buffer_size, @@in_transaction") == [
                [None, default, "0"]]
            assert await ask(others[0], "SELECT IS_FREE_LOCK('mine')") == [["1"]]
            assert (await one.query("SELECT * FROM mine")).errno == 1146
            assert (await one.execute(statement)).errno == 1243
        with pytest.raises((mywire.ServerError, mywire.Closed)):
            await one.change_user(my_pool.user, "wrong", "app")
        for other in others:
            await other.close()

    run(scenario())


# -- LOAD DATA LOCAL


def test_load_data_local(my_pool, my_server):
    my_server.sql("CREATE OR REPLACE TABLE app.loaded (client INT, n INT)")
    local = mywire.DEFAULT | mywire.LOCAL_FILES

    async def load(number):
        one = await connect(my_pool, capabilities=local)

        def pieces(name):
            assert name == f"file of {number}"
            for start in range(0, 5000, 100):
                yield b"".join(b"%d\t%d\n" % (number, n) for n in range(start, start + 100))

        reply = await one.query(f"LOAD DATA LOCAL INFILE 'file of {number}' INTO TABLE loaded",
                                infile=pieces)
        assert (reply.error, reply.last.affected) == (None, 5000)
        # An empty file, as clients send it that cannot read theirs.
        reply = await one.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE loaded", infile=lambda _: ())
        assert (reply.error, reply.last.affected) == (None, 0)
        reply = await one.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE missing",
                                infile=lambda _: [b"1\t2\n"])
        assert reply.errno == 1146
        await one.close()

    async def scenario():
        await asyncio.gather(*(load(number) for number in range(CROWD)))
        plain = await connect(my_pool)
        reply = await plain.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE loaded")
        assert reply.error, "no LOCAL INFILE request without LOCAL_FILES"
        await plain.close()

    run(scenario())
    assert my_server.sql("SELECT client, count(*), sum(n) FROM app.loaded GROUP BY client") == tuple(
        (number, 5000, sum(range(5000))) for number in range(CROWD))
