"""Runs files in the manner of SQLite's sqllogictest over both protocols, as text and prepared, and
in SQLite itself.

    statement ok                       SQL on the lines behind it, up to an empty one
    statement count 2                  rows changed
    statement error 23505 1062         SQLSTATE of PostgreSQL clients, errno of MySQL's
    query IT [rowsort]                 ... SQL, a line "----", then a row a line: 1|one
    only pg my sqlite                  the next record is for these ways alone
    session two                        the following records run on this connection

Types of columns: I integer, R float, N decimal, T text, B boolean, D date, S timestamp, X blob, ?
any. Clients must be told of such a type; SQLite's own rows have none. In rows NULL is NULL, an empty
text (empty).
"""
import asyncio
import dataclasses
import datetime
import decimal
import sqlite3

import psycopg

import mywire
from mywire import messages as my

PG_TYPES = {"I": {20, 21, 23, 26}, "R": {700, 701}, "N": {1700}, "B": {16}, "D": {1082},
            "T": {18, 19, 25, 114, 1042, 1043, 2950, 3802}, "S": {1114, 1184}, "X": {17}}
MY_TYPES = {"I": {my.TINY, my.SHORT, my.LONG, my.LONGLONG}, "R": {my.FLOAT, my.DOUBLE},
            "N": {my.NEWDECIMAL}, "B": {my.TINY, my.LONGLONG}, "D": {my.DATE},
            "T": {my.VAR_STRING, my.STRING, my.BLOB, 245}, "S": {my.DATETIME, my.TIMESTAMP},
            "X": {my.BLOB}}


class Refused(Exception):
    """What the database said: an SQLSTATE or an errno."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = str(code)


@dataclasses.dataclass
class Record:
    line: int
    kind: str  # statement, query
    words: list
    sql: str
    rows: list
    only: set
    session: str


def read(path):
    """The records of a file."""
    records, only, session = [], set(), "one"
    lines = path.read_text().split("\n")
    at = 0
    while at < len(lines):
        words = lines[at].split()
        at += 1
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "only":
            only = set(words[1:])
            continue
        if words[0] == "session":
            session = words[1]
            continue
        assert words[0] in ("statement", "query"), f"{path}:{at}: {words[0]}"
        first, body = at, []
        while at < len(lines) and lines[at]:
            body.append(lines[at])
            at += 1
        rows = []
        if "----" in body:
            cut = body.index("----")
            body, rows = body[:cut], body[cut + 1:]
        records.append(Record(first, words[0], words[1:], "\n".join(body), rows, only, session))
        only = set()
    return records


def shown(value, letter):
    """A value as the files write it."""
    if value is None:
        return "NULL"
    if letter == "B":
        return "t" if value in (True, 1) else "f"
    if letter == "N":
        return format(decimal.Decimal(str(value)).normalize(), "f")
    if letter == "R":
        return f"{float(value):.12g}"
    if letter == "S":
        stamp = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(
            value)
        if stamp.tzinfo:
            stamp = stamp.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return str(stamp)
    if isinstance(value, bytes):
        return "x" + value.hex()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value) if value != "" else "(empty)"


class Postgres:
    name, types = "pg", PG_TYPES

    def __init__(self, target, binary):
        self.target, self.binary, self.sessions = target, binary, {}

    def run(self, session, sql):
        if session not in self.sessions:
            self.sessions[session] = psycopg.connect(self.target.dsn(), autocommit=True)
        cursor = self.sessions[session].cursor(binary=self.binary)
        try:
            cursor.execute(sql, prepare=self.binary)
        except psycopg.Error as error:
            raise Refused(error.sqlstate, error) from None
        if cursor.description is None:
            return [], [], cursor.rowcount
        return [column.type_code for column in cursor.description], cursor.fetchall(), 0

    def close(self):
        for one in self.sessions.values():
            one.close()


class MySql:
    name, types = "my", MY_TYPES

    def __init__(self, target, binary):
        self.target, self.binary, self.sessions = target, binary, {}
        self.loop = asyncio.new_event_loop()

    def run(self, session, sql):
        return self.loop.run_until_complete(self._run(session, sql))

    async def _run(self, session, sql):
        if session not in self.sessions:
            self.sessions[session] = await mywire.Connection.open(*self.target.wire())
        connection = self.sessions[session]
        if self.binary:
            try:
                statement = await connection.prepare(sql)
            except mywire.ServerError as error:
                raise Refused(error.errno, error) from None
            reply = await connection.execute(statement)
            connection.forget(statement)
        else:
            reply = await connection.query(sql)
        if reply.error:
            raise Refused(reply.errno, reply.error)
        last = reply.last
        rows = [[self.plain(*cell) for cell in zip(row, last.columns)] for row in last.rows]
        return [column.type for column in last.columns], rows, last.affected

    def plain(self, value, column):
        """Text and bytes as Python's values."""
        if value is None:
            return None
        if column.type in (my.DATE, my.DATETIME, my.TIMESTAMP) and isinstance(value, bytes):
            parts = [int.from_bytes(value[:2], "little"), *value[2:7]]
            micro = int.from_bytes(value[7:], "little")
            stamp = datetime.datetime(*parts, microsecond=micro)
            return stamp.date() if column.type == my.DATE else stamp
        if column.type in MY_TYPES["I"]:
            return int(value)
        if column.type in MY_TYPES["R"]:
            return float(value)
        if column.type == my.BLOB and column.charset == 63 and isinstance(value, str):
            return value.encode()
        return value

    def close(self):
        for one in self.sessions.values():
            self.loop.run_until_complete(one.close())
        self.loop.close()


class Sqlite:
    """What SQLite itself says to the same text."""
    name, types = "sqlite", None

    def __init__(self, path):
        self.path, self.sessions = path, {}

    def run(self, session, sql):
        if session not in self.sessions:
            made = sqlite3.connect(self.path, isolation_level=None)
            made.execute("PRAGMA foreign_keys = on")
            self.sessions[session] = made
        try:
            cursor = self.sessions[session].execute(sql)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise Refused("", error) from None
        return [], rows, cursor.rowcount

    def close(self):
        for one in self.sessions.values():
            one.close()


def check(way, record):
    """Runs one record; what is wrong with it, or None."""
    wanted = record.words
    try:
        types, rows, count = way.run(record.session, record.sql)
    except Refused as refused:
        if record.kind == "statement" and wanted[0] == "error":
            code = {"pg": wanted[1], "my": wanted[-1], "sqlite": ""}[way.name]
            return None if refused.code == code else f"{refused}; wanted {code}"
        return str(refused)
    if record.kind == "statement":
        if wanted[0] == "error":
            return f"no error; wanted {wanted[1:]}"
        if wanted[0] == "count" and count != int(wanted[1]):
            return f"{count} rows changed; wanted {wanted[1]}"
        return None
    letters = wanted[0]
    if way.types is not None:
        if len(types) != len(letters):
            return f"{len(types)} columns; wanted {letters}"
        wrong = [f"column {at + 1} has type {kind}; wanted {letter}"
                 for at, (kind, letter) in enumerate(zip(types, letters))
                 if letter != "?" and kind not in way.types[letter]]
        if wrong:
            return "; ".join(wrong)
    found = ["|".join(map(shown, row, letters)) for row in rows]
    expected = list(record.rows)
    if "rowsort" in wanted:
        found, expected = sorted(found), sorted(expected)
    if found != expected:
        return "found\n    " + "\n    ".join(found) + "\n  wanted\n    " + "\n    ".join(expected)
    return None


def run(path, way):
    """All problems of a file, as one text; empty: none."""
    problems = []
    try:
        for record in read(path):
            if record.only and way.name not in record.only:
                continue
            wrong = check(way, record)
            if wrong:
                problems.append(f"{path.name}:{record.line}: {record.sql}\n  {wrong}")
    finally:
        way.close()
    return "\n".join(problems)
