"""The admin console's commands, by psql, psycopg and the mariadb CLI, under load: only what is asked
for happens, PAUSE and RESUME without a failed statement."""
import re
import subprocess
import threading
import time

import psycopg
import pytest

import servers
from admin_console import (admin_gateway, connect, console, load, psql, row_of,  # noqa: F401
                           table, target)
from servers import PASSWORD, wait_until

pytestmark = pytest.mark.gateway


def by_psql(gateway, text):
    done = psql(gateway, text)
    assert done.returncode == 0, done.stderr


def by_psycopg(gateway, text):
    with connect(gateway) as connection:
        connection.execute(text, prepare=True)


def by_mariadb(gateway, text):
    done = subprocess.run(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{gateway.my_port}",
                           "-uroot", f"-p{PASSWORD}", "sluice", "-e", text],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("say", [by_psql, by_psycopg, by_mariadb])
def test_every_command(admin_gateway, console, say):
    """Under load; only what is asked for happens, and nobody else hears of it."""
    def state(name):
        return row_of(console, "DATABASES", name="one")[name]
    with load(admin_gateway) as working, connect(admin_gateway, "one", "alice") as client:
        pid = servers.value(client, "SELECT pg_backend_pid()")
        for command, name, wanted in (("PAUSE one", "paused", 1), ("RESUME one", "paused", 0),
                                      ("DISABLE one", "disabled", 1), ("ENABLE one", "disabled", 0)):
            say(admin_gateway, command)
            assert state(name) == wanted, command
        say(admin_gateway, "RECONNECT one")
        say(admin_gateway, "WAIT_CLOSE one")
        assert servers.value(client, "SELECT pg_backend_pid()") != pid
        say(admin_gateway, "SET log_level = warn")
        assert row_of(console, "CONFIG", key="gateway.log.level")["value"] == "warn"
        say(admin_gateway, "SET log_level = info")
        say(admin_gateway, "HELP")
        say(admin_gateway, f"KILL_CLIENT {row_of(console, 'CLIENTS', database='one')['id']}")
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        with connect(admin_gateway, "one", "alice") as another:
            another.execute("SELECT 1")
            say(admin_gateway, "KILL one")
            wait_until(lambda: not [row for row in table(console, "CLIENTS")
                                    if row["database"] == "one"])
            assert state("paused") == 1
            say(admin_gateway, "RESUME one")
        assert not working.errors


def stands_still(working):
    """What each client did, if that stays the same for a while."""
    before = list(working.done)
    time.sleep(0.1)
    return before if working.done == before else None


@pytest.mark.parametrize("database", ["app", "lite"])
def test_pause_and_resume(admin_gateway, console, database):
    with load(admin_gateway, database) as working:
        for _ in range(5):
            assert console.execute(f"PAUSE {database}").statusmessage == "PAUSE"
            assert row_of(console, "DATABASES", name=database)["paused"] == 1
            if database == "app":
                assert row_of(console, "DATABASES", name="app")["current_connections"] == 0
            # The last answers reach the clients; then nothing runs.
            before = wait_until(lambda: stands_still(working), what="nothing runs")
            assert row_of(console, "DATABASES", name=database)["paused"] == 1
            assert console.execute(f"RESUME {database}").statusmessage == "RESUME"
            wait_until(lambda: all(b > a for a, b in zip(before, working.done)), what="all go on")
        assert not working.errors


def cancel_when_it_pauses(gateway, console):
    with connect(gateway) as other:
        wait_until(lambda: row_of(other, "DATABASES", name="app")["paused"], what="PAUSE waits")
    console.cancel()


def test_pause_waits_for_transactions_and_can_be_cancelled(admin_gateway, console):
    with connect(admin_gateway, "app", "alice") as client:
        client.autocommit = False
        client.execute("SELECT 1")
        cancel = threading.Thread(target=cancel_when_it_pauses, args=(admin_gateway, console))
        cancel.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            console.execute("PAUSE app")
        cancel.join(60)
        assert row_of(console, "DATABASES", name="app")["paused"] == 0
        start = time.monotonic()
        threading.Timer(0.3, client.commit).start()
        console.execute("PAUSE app")
        assert time.monotonic() - start > 0.29
        console.execute("RESUME app")
        client.execute("SELECT 1")
        # A console that goes away leaves nothing behind.
        other = subprocess.Popen([servers.PG_BIN / "psql", "-Xc", "PAUSE app"],
                                 env=target(admin_gateway).environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: row_of(console, "DATABASES", name="app")["paused"])
        other.kill()
        other.wait()
        wait_until(lambda: not row_of(console, "DATABASES", name="app")["paused"])
        client.rollback()


def test_everything_can_be_paused_under_pgbench(admin_gateway, console, cluster):
    """The promise: not one failed statement."""
    script = admin_gateway.folder / "select.sql"
    script.write_text("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\n")
    bench = subprocess.Popen(
        [servers.PG_BIN / "pgbench", "-n", "-f", script, "-c", "8", "-j", "2", "-T", "4"],
        env=target(admin_gateway, "app", "alice").environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    pauses = 0
    while bench.poll() is None:
        console.execute("PAUSE")
        assert row_of(console, "STATE", key="paused")["value"] == "yes"
        pauses += 1
        console.execute("RESUME")
        time.sleep(0.05)
    out, err = bench.communicate(timeout=60)
    assert bench.returncode == 0, err
    assert re.search(r"number of failed transactions: 0 ", out) and pauses > 1


def test_disable_and_enable(admin_gateway, console):
    with load(admin_gateway, "one", workers=1) as working:
        console.execute("DISABLE one")
        with pytest.raises(psycopg.OperationalError, match="disabled"):
            connect(admin_gateway, "one", "alice")
        assert row_of(console, "DATABASES", name="one")["disabled"] == 1
        console.execute("ENABLE one")
        connect(admin_gateway, "one", "alice").close()
        assert not working.errors


def test_reconnect_and_wait_close(admin_gateway, console):
    with load(admin_gateway, statement="SELECT pg_backend_pid()") as working:
        with connect(admin_gateway, "app", "alice") as client:
            client.autocommit = False
            old = servers.value(client, "SELECT pg_backend_pid()")
            console.execute("RECONNECT app")
            start = time.monotonic()
            threading.Timer(0.3, client.commit).start()
            console.execute("WAIT_CLOSE app")
            assert time.monotonic() - start > 0.29
            assert servers.value(client, "SELECT pg_backend_pid()") != old
            client.rollback()
        assert not working.errors


def test_kill(admin_gateway, console):
    with load(admin_gateway, "app") as working:
        console.execute("KILL app")
        wait_until(lambda: len(working.errors) == len(working.done), what="all are dropped")
        assert all(error.sqlstate == "57P01" or "closed" in str(error) or
                   "terminating" in str(error) for error in working.errors)
        wait_until(lambda: row_of(console, "DATABASES", name="app")["current_connections"] == 0)
        console.execute("RESUME app")
    connect(admin_gateway, "app", "alice").close()
