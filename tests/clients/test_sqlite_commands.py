"""sluice sqlite backup|vacuum|check: beside a gateway that serves the file under load, and alone."""
import sqlite3
import subprocess
import threading

import psycopg

import servers

CONFIG = f"""
[databases.notes]
engine = "sqlite"
file = "notes.db"
[users.alice]
password = "{servers.PASSWORD}"
"""


def sluice(*words):
    return subprocess.run([servers.BINARY, "sqlite", *map(str, words)], capture_output=True,
                          text=True, timeout=80)


def test_beside_a_gateway_under_load(folder):
    place = folder / "commands"
    with servers.Sluice(place, CONFIG) as running:
        target = servers.Target("sluice-sqlite", running.port, "notes", "alice", servers.PASSWORD)
        config = place / "sluice.toml"
        with psycopg.connect(target.dsn(), autocommit=True) as on:
            on.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
            on.execute("INSERT INTO t (a) SELECT hex(randomblob(500)) FROM generate_series(1, 3000)")
            stop = threading.Event()
            written = []

            def write():
                with psycopg.connect(target.dsn(), autocommit=True) as own:
                    while not stop.is_set():
                        written.append(own.execute(
                            "INSERT INTO t (a) VALUES ('x') RETURNING id").fetchone()[0])

            writers = [threading.Thread(target=write) for _ in range(3)]
            for one in writers:
                one.start()
            try:
                servers.wait_until(lambda: len(written) > 50, 60, "writes")
                before = len(written)
                done = sluice("backup", "notes", "--config", config, "--to", place / "copy.db")
                assert done.returncode == 0, done.stderr
                assert "100%" in done.stdout and "sound" in done.stdout
                again = sluice("backup", "notes", "--config", config, "--to", place / "copy.db")
                assert again.returncode == 1 and "it exists" in again.stderr
                assert sluice("check", "notes", "--config", config).stdout.endswith("ok\n")
                done = sluice("vacuum", "notes", "--config", config)
                assert done.returncode == 0 and "after" in done.stdout, done.stderr
                servers.wait_until(lambda: len(written) > before + 100, 60, "more writes")
            finally:
                stop.set()
                for one in writers:
                    one.join(60)
            assert on.execute("SELECT count(*) FROM t").fetchone()[0] == 3000 + len(written)
            assert on.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        copy = sqlite3.connect(place / "copy.db")
        assert copy.execute("SELECT count(*) FROM t").fetchone()[0] >= 3000 + before
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        copy.close()


def test_vacuum_makes_the_file_smaller(folder):
    file = folder / "large.db"
    with sqlite3.connect(file) as on:
        on.execute("CREATE TABLE t (a)")
        on.execute("INSERT INTO t VALUES (zeroblob(3000000))")
        on.execute("DELETE FROM t")
    on.close()
    done = sluice("vacuum", file)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_size < 100_000


def test_damage_is_found(folder):
    file = folder / "damaged.db"
    with sqlite3.connect(file) as on:
        on.execute("CREATE TABLE t (a, b)")
        on.execute("CREATE INDEX i ON t (a)")
        on.executemany("INSERT INTO t VALUES (?, ?)", [(str(n) * 20, n) for n in range(2000)])
        on.execute("CREATE TABLE c (t INTEGER REFERENCES p (id))")
        on.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        on.execute("INSERT INTO c VALUES (7)")
    on.close()
    done = sluice("check", file)
    assert done.returncode == 1 and "of table c refers to a row of p" in done.stdout
    with open(file, "r+b") as raw:
        raw.seek(4096 * 5)
        raw.write(b"\xff" * 4096)
    done = sluice("check", file)
    assert done.returncode == 1 and "problem: " in done.stdout + done.stderr or "error" in done.stderr


def test_mistakes(folder):
    missing = sluice("check", folder / "nowhere.db")
    assert missing.returncode == 1 and "cannot open" in missing.stderr
    assert sluice("melt", "notes").returncode == 2
    assert sluice("backup", folder / "nowhere.db").returncode == 2
    place = folder / "mistakes"
    place.mkdir()
    (place / "s.toml").write_text('[listen]\npostgres = ["127.0.0.1:6432"]\n' + CONFIG)
    done = sluice("check", "nothing", "--config", place / "s.toml")
    assert done.returncode == 1 and "it has: notes" in done.stderr
