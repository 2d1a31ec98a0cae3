"""A SQLite file on a disk that becomes full: a clear error, nothing that was acknowledged is lost,
and it works again when there is room. SLUICE_DISK_FULL: how often (3)."""
import contextlib
import os
import random
import sqlite3
import subprocess
import threading

import psycopg
import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway
ROUNDS = int(os.environ.get("SLUICE_DISK_FULL", "3"))
CONFIG = """
[databases.notes]
engine = "sqlite"
file = "{file}"
{quota}
"""
LISTEN = """[listen]
postgres = ["127.0.0.1:{port}"]
mysql = ["127.0.0.1:{mine}"]
"""


@pytest.fixture
def disk(folder):
    """A real file system of 6 MiB; without the right to mount one, a quota of the file's own."""
    place = folder / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place],
                          capture_output=True, timeout=20)
    mounted = done.returncode == 0
    yield place, mounted
    if mounted:
        subprocess.run(["umount", place], check=True, timeout=20)


def fill(targets, number, ids, kept, errors):
    """Inserts until the disk is full; by each protocol, alone and in transactions."""
    pad = "x" * 3000
    if number % 2:
        connection, state = targets[1].connect(), lambda error: error.args[0]
        execute, wrong = connection.cursor().execute, pymysql.MySQLError
    else:
        connection, state = (psycopg.connect(targets[0].dsn(), autocommit=True),
                             lambda error: error.sqlstate)
        execute, wrong = connection.execute, psycopg.Error
    with contextlib.closing(connection):
        for _ in range(3000):
            mine = [next(ids) for _ in range(1 + number // 2)]
            try:
                if len(mine) > 1:
                    execute("BEGIN")
                for one in mine:
                    execute("INSERT INTO t VALUES (%s, %s)", (one, pad))
                if len(mine) > 1:
                    execute("COMMIT")
                kept.extend(mine)
            except wrong as error:
                errors.append(state(error))
                with contextlib.suppress(wrong):
                    execute("ROLLBACK")
                return


def test_disk_full(folder, disk):
    place, mounted = disk
    dice = random.Random(4)
    mine = servers.free_port()
    config = CONFIG.format(file=place / "notes.db",
                           quota="" if mounted else 'max_size = "6MiB"') + mariadb.ALICE
    with servers.Sluice(folder / "full", config, listen=LISTEN.replace("{mine}", str(mine))
                        ) as gateway:
        target = servers.Target("sluice-sqlite", gateway.port, "notes", "alice", servers.PASSWORD)
        targets = target, mariadb.Target("my-sqlite", mine, database="notes")
        with psycopg.connect(target.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, pad TEXT)")
            numbers = iter(range(10 ** 9))
            lock = threading.Lock()

            class Ids:
                def __next__(self):
                    with lock:
                        return next(numbers)

            for size in range(24, 24 + 12 * ROUNDS, 12):
                kept, errors = [], []
                threads = [threading.Thread(target=fill,
                                            args=(targets, number, Ids(), kept, errors))
                           for number in range(6)]
                ballast = place / "ballast"
                if mounted:  # the moment is another one in each round
                    ballast.write_bytes(bytes(dice.randrange(2_000_000)))
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(60)
                    assert not thread.is_alive()
                assert len(errors) == 6
                # Told as full, or as what a failed write of the log leaves: an unknown outcome.
                assert set(errors) <= {"53100", "08007", "58030", 1114, 1030, 1180, 1105}, errors
                assert errors.count("53100") + errors.count(1114) > 0, errors
                # Reading goes on.
                assert connection.execute("SELECT count(*) FROM t").fetchone()[0] >= len(kept)
                ballast.unlink(missing_ok=True)
                if mounted:
                    subprocess.run(["mount", "-o", f"remount,size={size}m", place], check=True,
                                   timeout=20)
                found = {row[0] for row in connection.execute("SELECT id FROM t")}
                assert not set(kept) - found, "acknowledged, but lost"
                if mounted:
                    connection.execute("INSERT INTO t VALUES (%s, 'room again')", (10 ** 9,))
                connection.execute("DELETE FROM t")
                connection.execute("INSERT INTO t VALUES (1, 'room again')")
                connection.execute("DELETE FROM t")
    with contextlib.closing(sqlite3.connect(place / "notes.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
