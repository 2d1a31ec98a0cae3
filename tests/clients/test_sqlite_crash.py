"""The gateway is killed at random moments under clients of both protocols that write to a SQLite
file. SLUICE_KILLS: how often (50)."""
import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway

KILLS = int(os.environ.get("SLUICE_KILLS", "50"))
WRITERS = 8
CONFIG = f"""
[databases.notes]
engine = "sqlite"
file = "notes.db"
[users.alice]
password = "{servers.PASSWORD}"
"""
LISTEN = """[listen]
postgres = ["127.0.0.1:{port}"]
mysql = ["127.0.0.1:{mine}"]
"""


class Ledger:
    """Unique ids: what was sent, and what was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next, self.sent, self.acknowledged = 0, set(), set()

    def take(self, count):
        with self.lock:
            ids = list(range(self.next, self.next + count))
            self.next += count
            self.sent.update(ids)
        return ids

    def confirm(self, ids):
        with self.lock:
            self.acknowledged.update(ids)


INSERT = "INSERT INTO t VALUES (%s, %s)"
SEVERAL = "INSERT INTO t VALUES (%s, 'a'), (%s, 'b'), (%s, %s)"


def write(targets, ledger, number, pad):
    """Until the gateway is gone. By number: one by one, a transaction of two, several rows; half of
    them by each protocol."""
    with contextlib.suppress(psycopg.OperationalError, pymysql.MySQLError, OSError):
        if number % 8 < 4:
            with psycopg.connect(targets[0].dsn(), autocommit=True) as connection:
                keep_writing(connection.execute, ledger, number, pad)
        else:
            with targets[1].connect() as connection:
                keep_writing(connection.cursor().execute, ledger, number, pad)


def keep_writing(execute, ledger, number, pad):
    while True:
        if number % 4 < 2:
            ids = ledger.take(1)
            execute(INSERT, (ids[0], pad))
        elif number % 4 == 2:
            ids = ledger.take(2)
            execute("BEGIN")
            for one in ids:
                execute(INSERT, (one, pad))
            execute("COMMIT")
        else:
            ids = ledger.take(3)
            execute(SEVERAL, (*ids, pad))
        ledger.confirm(ids)


def check(file, ledger):
    with contextlib.closing(sqlite3.connect(file)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ids = [row[0] for row in found.execute("SELECT id FROM t")]
    there = set(ids)
    assert len(ids) == len(there), "an id is there twice"
    assert not ledger.acknowledged - there, "acknowledged, but lost"
    assert not there - ledger.sent, "never sent"


def test_killed_fifty_times(folder):
    dice = random.Random(20261121)
    ledger = Ledger()
    place = folder / "crash"
    mine = servers.free_port()
    gateway = servers.Sluice(place, CONFIG, listen=LISTEN.replace("{mine}", str(mine)))
    target = servers.Target("sluice-sqlite", gateway.port, "notes", "alice", servers.PASSWORD)
    targets = target, mariadb.Target("my-sqlite", mine, database="notes")
    before = 0
    for kill in range(KILLS):
        gateway.__enter__()
        try:
            if kill == 0:
                with psycopg.connect(target.dsn(), autocommit=True) as first:
                    # Not the rowid: what was sent twice would be there twice.
                    first.execute("CREATE TABLE t(id INTEGER, pad TEXT)")
                    first.execute("CREATE INDEX i ON t(id)")
            # A long text fills the log quickly: many checkpoints.
            pad = "x" * dice.choice((10, 2000, 20_000))
            threads = [threading.Thread(target=write, args=(targets, ledger, number, pad))
                       for number in range(WRITERS)]
            for thread in threads:
                thread.start()
            if kill % 5 == 4:
                servers.wait_until(lambda: len(ledger.acknowledged) > before, 60, "a write")
            time.sleep(dice.uniform(0.02, 0.5))
        finally:
            gateway.process.send_signal(signal.SIGKILL)
            gateway.process.wait(60)
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        if kill % 5 == 4:
            before = len(ledger.acknowledged)
        # Mostly the gateway itself recovers the file; at times another process does.
        if kill % 3 == 0:
            check(place / "notes.db", ledger)
    gateway.__enter__()
    gateway.__exit__()
    check(place / "notes.db", ledger)
