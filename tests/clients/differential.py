"""Random work for a MySQL server: the same seed gives the same steps.

A step is a function of a connection (mywire) that sends commands and reads replies; what came back
is in `packets`. `Slots` keeps each connection's own statement ids.
"""
import struct

import mywire
from mywire import messages as m

SETUP = """
CREATE OR REPLACE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, n INT);;
CREATE OR REPLACE TABLE kinds (
    id INT PRIMARY KEY AUTO_INCREMENT, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT,
    mi MEDIUMINT, i INT, bi BIGINT, bu BIGINT UNSIGNED, f FLOAT, d DOUBLE, de DECIMAL(30, 10),
    b BIT(12), y YEAR, da DATE, dt DATETIME(3), ts TIMESTAMP NULL, t TIME(6), c CHAR(10),
    vc VARCHAR(200) CHARACTER SET latin1, bin BINARY(6), vb VARBINARY(300), tx TEXT, bl BLOB,
    e ENUM('red', 'green', 'blue'), s SET('a', 'b', 'c'), j JSON, g POINT,
    z INT(8) UNSIGNED ZEROFILL, KEY (i));;
INSERT INTO kinds SELECT NULL, IF(seq % 5, CAST(seq AS INT) - 50, NULL), seq, seq * 3, seq * 100,
    IF(seq % 3, seq, NULL), seq * 1000000007, 18446744073709551615 - seq, seq / 3, seq / 7, seq / 9,
    seq % 4096, 1970 + seq, '2024-01-01' + INTERVAL seq DAY,
    '2024-01-01' + INTERVAL seq * 12345 SECOND, '2024-01-01' + INTERVAL seq HOUR,
    SEC_TO_TIME(seq * 777), CONCAT('c', seq), CONCAT('é', seq), CONCAT('b', seq),
    REPEAT(CHAR(seq), seq), REPEAT('text ü ', seq), REPEAT(x'00ff', seq), 1 + seq % 3, seq % 8,
    JSON_OBJECT('n', seq), POINT(seq, 1), seq FROM seq_1_to_60;;
CREATE OR REPLACE PROCEDURE several(n INT) BEGIN SELECT n; UPDATE kinds SET si = n WHERE id = 1;
    SELECT id, vc FROM kinds WHERE id <= n ORDER BY id; SELECT CAST('w' AS INT); END;;
CREATE OR REPLACE PROCEDURE echoed(t TEXT) BEGIN SELECT t; SELECT LENGTH(t), 'end'; END;;
CREATE OR REPLACE PROCEDURE failing(n INT) BEGIN SELECT n; SELECT * FROM nowhere; END;;
CREATE OR REPLACE PROCEDURE doubled(IN a INT, OUT b INT) BEGIN SET b = a * 2; END
"""

COLUMNS = ("id ti tu si mi i bi bu f d de b y da dt ts t c vc bin vb tx bl e s j g z").split()

VALUES = [
    "NULL", "0", "-1", "255", "18446744073709551615", "-9223372036854775808", "1.50", "1e300", "''",
    "'text'", "'é🐬'", "x'00ff10'", "b'1011'", "DATE '2024-02-29'", "TIME '-12:34:56.789'",
    "TIMESTAMP '2024-02-29 01:02:03.5'", "TRUE", "JSON_ARRAY(1, 'a', NULL)", "_latin1 x'e9'",
    "REPEAT('r', 300)", "REPEAT('m', 70000)", "POINT(1, 2)", "INTERVAL(3, 1, 5)", "PI()",
    "CAST(1 AS DECIMAL(20, 5))", "CAST('2024-05-05' AS DATETIME(6))", "CAST(-5 AS UNSIGNED)",
    "1 / 3", "7 DIV 2", "NOT NULL", "'a' = 'A'", "UUID_SHORT() > 0", "MD5('x')", "SHA2('x', 256)",
    "ELT(2, 'a', 'b')", "CHAR(228 USING latin1)", "'back\\\\slash' ' joined'", "COALESCE(NULL, 3)"]

BAD = [
    "SELECT missing FROM kinds", "SELECT * FROM nowhere", "SELEC 1", "INSERT INTO kinds (id) VALUES "
    "(1)", "INSERT INTO kinds (ti) VALUES (1000)", "INSERT INTO kinds (da) VALUES ('2024-13-01')",
    "UPDATE kinds SET c = 'longer than ten letters' WHERE id = 2", "SELECT (SELECT id FROM kinds)",
    "CALL nothing()", "SELECT * FROM kinds WHERE", "DROP TABLE nowhere", "SELECT 1; SELECT 'open",
    "USE nowhere", "SET nothing = 1", "SET sql_mode = 'WHAT'", "EXECUTE nothing", "ROLLBACK TO there",
    "SELECT f(1)", "SELECT 'a' COLLATE utf8mb4_bin = 'a' COLLATE utf8mb4_general_ci"]

WARN = [
    "SELECT CAST('1x' AS INT), 1 / 0", "SELECT CAST('abc' AS DATE)", "DROP TABLE IF EXISTS nowhere",
    "SELECT CONVERT('é' USING latin1), CAST('x' AS DOUBLE)", "SELECT CAST('2024-13' AS DATE)",
    "INSERT IGNORE INTO kinds (id, ti) VALUES (1, 5000)", "CREATE TABLE IF NOT EXISTS kinds (n INT)",
    "SELECT 'x' + 0, 'y' + 0, 'z' + 0", "UPDATE IGNORE kinds SET ti = 999 WHERE id = 3"]

SHOW = [
    "SHOW TABLES", "SHOW COLUMNS FROM kinds", "SHOW CREATE TABLE kinds", "SHOW ENGINES",
    "SHOW VARIABLES LIKE 'sort_buffer%'", "SHOW CHARACTER SET LIKE 'utf8%'", "SELECT DATABASE()",
    "SHOW CREATE PROCEDURE several", "DESCRIBE kinds", "SHOW COLLATION LIKE 'latin1%'",
    "SELECT @@sql_mode, @@time_zone, @@autocommit", "SELECT TABLE_NAME, ENGINE FROM "
    "information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1", "CHECKSUM TABLE parent",
    "SHOW GRANTS", "HELP 'nothing like this'", "DO 1", "SELECT USER(), CURRENT_USER() > ''"]

SETTINGS = [
    "SET sort_buffer_size = {n}", "SET NAMES utf8mb4", "SET NAMES latin1", "SET NAMES utf8mb3",
    "SET time_zone = '+0{d}:00'", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = ''",
    "SET sql_mode = DEFAULT", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET tx_isolation = 'SERIALIZABLE', lock_wait_timeout = 5", "SET @@session.max_sort_length = {n}",
    "SET character_set_results = NULL", "SET group_concat_max_len = {n}", "SET div_precision_increment"
    " = {d}", "USE app_three", "USE app", "SET STATEMENT sort_buffer_size = 99999 FOR SELECT "
    "@@sort_buffer_size", "SET collation_connection = utf8mb4_bin", "SET sql_select_limit = 7",
    "SET sql_select_limit = DEFAULT", "SET SESSION sql_warnings = 1", "SET foreign_key_checks = 0"]


def date(length, year=2024, month=2, day=29, time=(23, 59, 58), micro=123456):
    full = struct.pack("<HBBBBBI", year, month, day, *time, micro)
    return bytes([length]) + full[:length]


def time(length, negative=0, days=3, clock=(11, 22, 33), micro=654321):
    full = struct.pack("<BIBBBI", negative, days, *clock, micro)
    return bytes([length]) + full[:length]


def parameters(rng):
    """Parameters of every type that a client may send: (type, bytes[, flag])."""
    n = rng.randrange(-128, 128)
    text = rng.choice(["", "x", "é🐬", "y" * 251, "z" * 70_000])
    return [
        None, (m.TINY, struct.pack("<b", n)), (m.TINY, b"\xff", 0x80),
        (m.SHORT, struct.pack("<h", n * 200)), (m.SHORT, b"\xff\xff", 0x80),
        (m.LONG, struct.pack("<i", n * 10**6)), (m.LONG, b"\xff" * 4, 0x80),
        (m.INT24, struct.pack("<i", n)), (m.YEAR, struct.pack("<h", 2024)),
        (m.LONGLONG, struct.pack("<q", n * 10**15)), (m.LONGLONG, b"\xff" * 8, 0x80),
        (m.FLOAT, struct.pack("<f", n / 3)), (m.DOUBLE, struct.pack("<d", n / 7)),
        (m.DECIMAL, m.lenenc("12.5")), (m.NEWDECIMAL, m.lenenc("-99999999999999999999.25")),
        (m.DATE, date(4)), (m.DATE, date(0)), (m.DATETIME, date(7)), (m.DATETIME, date(11)),
        (m.TIMESTAMP, date(7)), (m.TIME, time(8)), (m.TIME, time(12, 1)), (m.TIME, time(0)),
        *[(kind, m.lenenc(text)) for kind in (15, m.VAR_STRING, m.STRING, 247, 248)],
        *[(kind, m.lenenc(rng.choice([b"", b"\0\xff" * 40]))) for kind in (
            m.BIT, 249, 250, 251, m.BLOB)]]


PREPARED = [
    "SELECT ?", "SELECT ?, ?, ?", "SELECT id, vc FROM kinds WHERE id = ?", "SELECT COALESCE(?, 0),CONCAT(?, '')",
    "SELECT * FROM kinds WHERE id < ? ORDER BY id", "INSERT INTO parent (n) VALUES (LENGTH(?))",
    "UPDATE parent SET n = LENGTH(?) WHERE id = ?", "SELECT i FROM kinds WHERE vc > ? ORDER BY id",
    "SELECT COUNT(*) FROM kinds WHERE da <=> ? OR t <=> ? OR f <=> ?", "SELECT 1", "DO ? + 1",
    "SELECT HEX(?), LENGTH(?), ? IS NULL", "CALL echoed(?)", "SELECT id FROM kinds LIMIT ?",
    "INSERT INTO parent (n) SELECT n + ? FROM parent WHERE id < 3", "SHOW TABLES", "SELECT * FROM "
    "kinds WHERE id IN (?, ?) ORDER BY id", "DELETE FROM parent WHERE id = ?", "SELECT nope, ?",
    "SELECT ? UNION ALL SELECT ?", "SET @v = ?", "SELECT REPEAT('x', 1000), ? FROM seq_1_to_300"]


# What an EOF before the rows may say that a gateway adds: the rest is known behind them.
EARLY = mywire.AUTOCOMMIT | mywire.CURSOR_EXISTS | mywire.ANSI_QUOTES | 0x2200


def early(eof):
    """Without the warnings, and the status flags that say how the statement will end."""
    (status,) = struct.unpack_from("<H", eof, 3)
    return struct.pack("<BHH", 0xFE, 0, status & EARLY)


def without_trackers(packet):
    """An EOF says that the session changed, though the client did not ask to be told."""
    if len(packet) != 5 or packet[0] != 0xFE:
        return packet
    warnings, status = struct.unpack_from("<HH", packet, 1)
    return struct.pack("<BHH", 0xFE, warnings, status & ~m.STATE_CHANGED)


class Slots:
    """A connection, the statements it holds, and the packets of the step in hand."""

    def __init__(self, connection):
        self.connection, self.held, self.seen = connection, {}, []

    async def take(self, awaitable):
        """Awaits a reply and keeps its packets."""
        try:
            return await awaitable
        finally:
            packets = [without_trackers(packet) for packet in self.connection.packets]
            for index in self.connection.early_eofs:
                packets[index] = early(packets[index])
            self.seen += packets
            self.connection.packets, self.connection.early_eofs = [], []

    async def query(self, sql):
        return await self.take(self.connection.query(sql))

    async def prepare(self, slot, sql):
        start = len(self.seen)
        try:
            made = await self.take(self.connection.prepare(sql))
        except mywire.ServerError:
            return
        first = self.seen[start]
        self.seen[start] = first[:1] + b"\0\0\0\0" + first[5:]  # the id is the server's own
        if slot in self.held:
            self.connection.forget(self.held[slot])
        self.held[slot] = made

    async def execute(self, slot, values, **options):
        made = self.held.get(slot)
        if not made:
            return
        values = values[:len(made.parameters)]
        if len(values) < len(made.parameters):
            values = (values * len(made.parameters))[:len(made.parameters)]
        for index in options.get("long_data", ()):
            self.connection.long_data(made, index, b"long " * 50)
        await self.take(self.connection.execute(made, values, **options))

    async def fetch_all(self, slot, values, portion, stop):
        made = self.held.get(slot)
        if not made or not made.columns:
            return
        values = (values * len(made.parameters))[:len(made.parameters)]
        reply = await self.take(self.connection.execute(made, values, cursor=1))
        while not reply.error and reply.status & mywire.CURSOR_EXISTS and stop:
            result = await self.take(self.connection.fetch(made, reply.last.columns, portion))
            stop -= 1
            if result.error or result.status & mywire.LAST_ROW_SENT:
                break
        await self.take(self.connection.simple(mywire.RESET, struct.pack("<I", made.id)))


def expression(rng):
    one, other = rng.choice(VALUES), rng.choice(VALUES)
    return rng.choice([one, one, f"{one} AS `a b`", f"({one}, {other}) = ({one}, {other})",
                       f"IF({one} IS NULL, {other}, {one})", f"CONCAT_WS('-', {one}, {other})"])


def select(rng):
    if rng.random() < 0.4:
        return "SELECT " + ", ".join(expression(rng) for _ in range(rng.randrange(1, 8)))
    columns = ", ".join(rng.sample(COLUMNS, rng.randrange(1, 10)))
    where = rng.choice(["", f"WHERE id > {rng.randrange(70)}", f"WHERE i IS NULL", "WHERE FALSE",
                        f"WHERE e = 'red' AND bi > {rng.randrange(10**10)}"])
    return f"SELECT {columns} FROM app.kinds {where} ORDER BY id LIMIT {rng.randrange(30)}"


def change(rng):
    n = rng.randrange(1000)
    return rng.choice([
        f"INSERT INTO app.parent (n) VALUES ({n})", f"INSERT INTO app.parent (n) VALUES ({n}), (2), (3)",
        f"UPDATE app.parent SET n = {n} WHERE id = {n % 50}", "UPDATE app.parent SET n = n",
        f"DELETE FROM app.parent WHERE id = {n % 50}", f"REPLACE INTO app.parent VALUES ({n % 60}, {n})",
        f"INSERT INTO app.parent (n) VALUES ({n}) RETURNING id, n",
        f"INSERT INTO app.parent VALUES ({n % 60}, 1) ON DUPLICATE KEY UPDATE n = n + 1",
        f"UPDATE app.kinds SET si = {n}, tx = 'changed' WHERE id = {n % 60}"])


def a_step(rng):
    """One step: (name, coroutine function of Slots)."""
    kind = rng.choices(
        ["select", "change", "bad", "warn", "show", "set", "multi", "transaction", "procedure",
         "prepare", "execute", "again", "cursor", "close", "plain", "after", "variable", "temporary",
         "lock", "reset", "bulk", "long"],
        [20, 10, 8, 6, 6, 6, 8, 8, 4, 16, 30, 12, 5, 3, 4, 6, 3, 2, 2, 1, 2, 2])[0]
    if kind in ("select", "change"):
        return one_query(kind, select(rng) if kind == "select" else change(rng))
    if kind == "bad":
        return one_query(kind, rng.choice(BAD))
    if kind == "show":
        return one_query(kind, rng.choice(SHOW))
    if kind == "set":
        return one_query(kind, rng.choice(SETTINGS).format(n=rng.randrange(4096, 9**7),
                                                           d=rng.randrange(1, 9)))
    if kind == "warn":
        return several(kind, [rng.choice(WARN), rng.choice(["SHOW WARNINGS", "SHOW ERRORS",
                                                            "SHOW COUNT(*) WARNINGS", "DO 0"])])
    if kind == "multi":
        parts = [rng.choice([select, change, lambda r: r.choice(BAD), lambda r: r.choice(SHOW),
                             lambda r: "BEGIN", lambda r: "COMMIT", lambda r: "CALL several(2)"])(rng)
                 for _ in range(rng.randrange(2, 6))]
        return one_query(kind, "; ".join(parts))
    if kind == "transaction":
        middle = [rng.choice([select, change, lambda r: r.choice(BAD)])(rng)
                  for _ in range(rng.randrange(4))]
        return several(kind, [rng.choice(["BEGIN", "START TRANSACTION READ ONLY", "SET autocommit = 0",
                                          "START TRANSACTION WITH CONSISTENT SNAPSHOT"]), *middle,
                              rng.choice(["COMMIT", "ROLLBACK", "COMMIT AND CHAIN"]), "ROLLBACK",
                              "SET autocommit = 1"])
    if kind == "procedure":
        return one_query(kind, rng.choice(["CALL several(3)", "CALL failing(1)", "CALL several(0)",
                                           "CALL doubled(4, @out)"]))
    return protocol_step(kind, rng)


def protocol_step(kind, rng):
    slot = rng.randrange(5)
    if kind == "prepare":
        sql = rng.choice(PREPARED)
        return f"prepare {slot}: {sql}", lambda s: s.prepare(slot, sql)
    if kind == "execute":
        values = rng.choices(parameters(rng), k=3)
        return f"execute {slot}: {values!r:.300}", lambda s: s.execute(slot, values)
    if kind == "long":
        index, values = rng.randrange(2), [(m.BLOB, b"\1x"), (m.STRING, m.lenenc("short"))]

        async def long(s):
            await s.prepare(slot, "SELECT ?, HEX(?), ?")
            await s.execute(slot, values, long_data=(index,))
        return f"long data {slot}, {index}", long
    if kind == "again":  # types are those of the first; the second sends none
        values = rng.choices([p for p in parameters(rng) if p], k=3)

        async def twice(s):
            await s.execute(slot, values)
            await s.query("SELECT 'between'")
            await s.execute(slot, values, new_types=False)
        return f"execute {slot} twice: {values!r:.300}", twice
    if kind == "cursor":
        value, portion, stop = rng.randrange(1, 60), rng.randrange(1, 40), rng.randrange(5)
        return f"cursor {slot}", lambda s: s.fetch_all(slot, [value], portion, stop)
    if kind == "close":
        async def close(s):
            if slot in s.held:
                s.connection.forget(s.held.pop(slot))
            await s.query("SELECT 'closed'")
        return f"close {slot}", close
    if kind == "plain":
        code, body = rng.choice([
            (mywire.PING, b""), (mywire.INIT_DB, b"app"), (mywire.INIT_DB, b"nowhere"),
            (mywire.SET_OPTION, b"\0\0"), (mywire.RESET, struct.pack("<I", 10**9))])
        return f"command {code}", lambda s: s.take(s.connection.simple(code, body))
    return session_step(kind, rng)


def session_step(kind, rng):
    n = rng.randrange(1000)
    if kind == "after":
        return several(kind, rng.choice([
            [f"INSERT INTO app.parent (n) VALUES ({n})", "SELECT LAST_INSERT_ID()"],
            [f"SELECT SQL_CALC_FOUND_ROWS id FROM app.kinds LIMIT {n % 9}", "SELECT FOUND_ROWS()"],
            ["UPDATE app.parent SET n = n + 1", "SELECT ROW_COUNT()"],
            [f"SELECT id FROM app.kinds WHERE id < {n % 60}", "SELECT FOUND_ROWS()"]]))
    if kind == "variable":
        return several(kind, [f"SET @a = {n}, @b = 'é'", "SELECT @a, @b, @c",
                              "SELECT @a := @a + 1, @b := NULL", "SELECT @a, @b"])
    if kind == "temporary":
        return several(kind, ["CREATE TEMPORARY TABLE IF NOT EXISTS app.passing (n INT)",
                              f"INSERT INTO app.passing VALUES ({n})", "SELECT * FROM app.passing",
                              "DROP TEMPORARY TABLE app.passing"])
    if kind == "lock":
        return several(kind, ["SELECT GET_LOCK('differential', 0)", "SELECT 1",
                              "SELECT RELEASE_LOCK('differential'), RELEASE_LOCK('other')"])
    if kind == "bulk":
        return several(kind, [f"SELECT seq, REPEAT('b', {n % 300}) FROM seq_1_to_{n * 5}"])

    async def reset(s):
        s.held.clear()
        await s.take(s.connection.simple(mywire.RESET_CONNECTION))
    return "reset", reset


def one_query(kind, sql):
    return f"{kind}: {sql}", lambda s: s.query(sql)


def several(kind, statements):
    async def all_of_them(s):
        for sql in statements:
            await s.query(sql)
    return f"{kind}: {' | '.join(statements)}", all_of_them
