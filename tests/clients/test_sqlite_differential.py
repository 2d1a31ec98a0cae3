"""Random statements of clients of both protocols, in turn, and the same ones in SQLite itself: every
answer and the final file are equal. SLUICE_DIFFERENTIAL: how many (2,000)."""
import contextlib
import os
import random
import sqlite3

import psycopg
import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway
STEPS = int(os.environ.get("SLUICE_DIFFERENTIAL", "2000"))
SEED = int(os.environ.get("SLUICE_DIFFERENTIAL_SEED", "1"))
CONFIG = '[databases.notes]\nengine = "sqlite"\nfile = "notes.db"\n' + mariadb.ALICE
LISTEN = """[listen]
postgres = ["127.0.0.1:{port}"]
mysql = ["127.0.0.1:{mine}"]
"""
SCHEMA = """
CREATE TABLE a (id INTEGER PRIMARY KEY, u INTEGER UNIQUE, c INTEGER CHECK (c < 90), t TEXT NOT NULL);
CREATE TABLE r (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, v INTEGER UNIQUE ON CONFLICT REPLACE);
CREATE TABLE w (k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;
CREATE TABLE s (id INTEGER PRIMARY KEY, v INTEGER) STRICT;
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent(id) ON DELETE CASCADE);
CREATE TABLE later (id INTEGER PRIMARY KEY,
                    p INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
CREATE TRIGGER t1 BEFORE INSERT ON s WHEN new.v % 11 = 0 BEGIN SELECT RAISE(ABORT, 'abort'); END;
CREATE TRIGGER t2 AFTER INSERT ON s WHEN new.v % 13 = 0 BEGIN SELECT RAISE(FAIL, 'fail'); END;
CREATE TRIGGER t3 AFTER INSERT ON s WHEN new.v % 17 = 0 BEGIN SELECT RAISE(ROLLBACK, 'back'); END;
CREATE TRIGGER t4 BEFORE INSERT ON s WHEN new.v % 7 = 0 BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t5 AFTER UPDATE ON a BEGIN INSERT INTO log(what) VALUES (old.u || '>' || new.u); END;
INSERT INTO parent VALUES (1), (2), (3), (4), (5);
"""
TABLES = ("a", "r", "w", "s", "parent", "child", "later", "log")


def statement(dice):
    def n(most):
        return dice.randrange(most)

    how = dice.choice(["", "", "", " OR ABORT", " OR FAIL", " OR IGNORE", " OR REPLACE",
                       " OR ROLLBACK"])
    back = dice.choice(["", "", " RETURNING *"])
    many = f"({n(200)}), ({n(200)}), ({n(200)})"
    return dice.choice([
        f"INSERT{how} INTO a(u, c, t) VALUES ({n(60)}, {n(100)}, 'x'){back}",
        f"INSERT{how} INTO a(u, c, t) VALUES ({n(60)}, 1, 'm'), ({n(60)}, {n(95)}, 'm'){back}",
        f"INSERT INTO a(u, c, t) VALUES ({n(60)}, 1, {dice.choice(['NULL', 'abs(3)'])})",
        f"UPDATE{how} a SET u = u + {n(5)}, c = c + 1 WHERE id % 5 = {n(5)}{back}",
        f"DELETE FROM a WHERE u = {n(60)}{back}",
        f"INSERT{how} INTO r VALUES ({n(40)}, {n(40)}){back}",
        f"REPLACE INTO w VALUES ('k{n(20)}', {n(1000)}){back}",
        f"INSERT INTO w VALUES ('k{n(20)}', 1) ON CONFLICT (k) DO UPDATE SET v = v + 1{back}",
        f"INSERT INTO w VALUES ('k{n(20)}', 1) ON CONFLICT DO NOTHING",
        f"INSERT{how} INTO s(v) VALUES {many}{back}", "INSERT INTO s(v) VALUES ('no number')",
        f"INSERT{how} INTO child(p) VALUES ({n(9)}){back}", f"INSERT INTO later(p) VALUES ({n(9)})",
        f"DELETE FROM parent WHERE id = {n(9)}", f"INSERT OR IGNORE INTO parent VALUES ({n(9)})",
        f"WITH x(v) AS (SELECT {n(200)}) INSERT INTO s(v) SELECT v FROM x",
        "INSERT INTO nowhere VALUES (1)", "UPDATE a SET missing = 1",
        f"UPDATE a SET c = c - 1 WHERE id > {n(100)}{back}",
        f"SELECT * FROM a WHERE id % 7 = {n(7)} ORDER BY id",
        "SELECT count(*), max(u), min(t) FROM a", f"SELECT v, id FROM s WHERE v > {n(200)} ORDER BY id"])


class Over:
    """A client's answers: rows, or the number of rows changed, or that there was an error."""

    def __init__(self, connection, wrong):
        self.connection, self.wrong = connection, wrong
        self.cursor = connection.cursor()

    def answer(self, sql):
        try:
            self.cursor.execute(sql)
            rows = self.cursor.fetchall() if self.cursor.description else None
        except self.wrong:
            return "error"
        if rows is not None:
            return sorted([list(row) for row in rows], key=repr)
        return max(self.cursor.rowcount, 0)


def test_same_as_sqlite(folder, tmp_path):
    dice = random.Random(SEED)
    mine = servers.free_port()
    place = folder / "same"
    plain = sqlite3.connect(tmp_path / "plain.db", isolation_level=None)
    plain.executescript("PRAGMA foreign_keys = on;" + SCHEMA)
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(
            servers.Sluice(place, CONFIG, listen=LISTEN.replace("{mine}", str(mine))))
        target = servers.Target("sluice-sqlite", gateway.port, "notes", "alice", servers.PASSWORD)
        my_target = mariadb.Target("my-sqlite", mine, database="notes")
        clients = [Over(stack.enter_context(psycopg.connect(target.dsn(), autocommit=True)),
                        psycopg.Error) for _ in range(16)]
        # These count updated rows as SQLite does.
        found = {"client_flag": pymysql.constants.CLIENT.FOUND_ROWS}
        clients += [Over(stack.enter_context(my_target.connect(**found)), pymysql.MySQLError)
                    for _ in range(16)]
        clients[0].connection.execute(SCHEMA)
        twin = Over(plain, sqlite3.Error)
        for step in range(STEPS):
            sql = statement(dice)
            number = dice.randrange(len(clients))
            # WITH ... INSERT has no count in Python's module.
            wanted, got = twin.answer(sql), clients[number].answer(sql)
            if sql.startswith("REPLACE") and number >= 16 and "error" not in (got, wanted):
                assert wanted <= got, f"step {step}: {sql}"  # MySQL counts what was removed, too
            elif not (sql.startswith("WITH") and got != "error" != wanted):
                assert got == wanted, f"step {step}, client {number}: {sql}"
        for table in TABLES:
            assert (clients[0].answer(f"SELECT * FROM {table}")
                    == twin.answer(f"SELECT * FROM {table}")), table
    plain.close()
    with contextlib.closing(sqlite3.connect(place / "notes.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
