"""A SQLite file on a disk that becomes full: a clear error, nothing that was acknowledged is lost,
and it works again when there is room. SLUICE_DISK_FULL: how often, on disks of three times each (3)."""
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading

import psycopg
import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway
DISKS = (int(os.environ.get("SLUICE_DISK_FULL", "3")) + 2) // 3
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


@pytest.fixture(params=range(DISKS))
def disk(folder, request):
    """A real file system; without the right to mount one, a quota of the file's own of 6 MiB."""
    place = folder / f"disk{request.param}"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=84m", "tmpfs", place],
                          capture_output=True, timeout=60)
    mounted = done.returncode == 0
    yield place, mounted
    if mounted:
        subprocess.run(["umount", place], check=True, timeout=60)


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
        for _ in range(30_000):
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
    dice = random.Random(place.name)
    mine = servers.free_port()
    config = CONFIG.format(file=place / "notes.db",
                           quota="" if mounted else 'max_size = "6MiB"') + mariadb.ALICE
    with servers.Sluice(folder / f"full-{place.name}", config, listen=LISTEN.replace("{mine}", str(mine))
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

            for _ in range(3):
                kept, errors = [], []
                threads = [threading.Thread(target=fill,
                                            args=(targets, number, Ids(), kept, errors))
                           for number in range(6)]
                ballast = place / "ballast"
                if mounted:  # all but a few MiB: the moment is another one in each round
                    room = dice.randrange(3_000_000, 6_000_000)
                    with open(ballast, "wb") as much:
                        os.posix_fallocate(much.fileno(), 0, shutil.disk_usage(place).free - room)
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(85)
                    assert not thread.is_alive()
                assert len(errors) == 6
                # Told as full, or as what a failed write of the log leaves: an unknown outcome.
                assert set(errors) <= {"53100", "08007", "58030", 1114, 1030, 1180, 1105}, errors
                assert errors.count("53100") + errors.count(1114) > 0, errors
                # Reading goes on.
                assert connection.execute("SELECT count(*) FROM t").fetchone()[0] >= len(kept)
                # With all that was written behind it, a DELETE writes as much again to the log.
                ballast.unlink(missing_ok=True)
                found = {row[0] for row in connection.execute("SELECT id FROM t")}
                assert not set(kept) - found, "acknowledged, but lost"
                if mounted:
                    connection.execute("INSERT INTO t VALUES (%s, 'room again')", (10 ** 9,))
                connection.execute("DELETE FROM t")
                connection.execute("INSERT INTO t VALUES (1, 'room again')")
                connection.execute("DELETE FROM t")
    with contextlib.closing(sqlite3.connect(place / "notes.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
