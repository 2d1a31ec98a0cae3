"""PostgreSQL goes away and comes back, or stops answering, under clients that are connected."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest

import servers
from servers import clients, value

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]


@pytest.fixture(scope="module")
def own_cluster(folder):
    with servers.Cluster(folder / "pg-restart") as running:
        yield running


@pytest.fixture
def place(own_cluster, own_gateway, request):
    """Whoever waits does so for long, unless the test has a parameter that says for how long."""
    gateway = own_gateway(f"""
[databases.app]
engine = "postgres"
url = "{own_cluster.url()}"
password = "{servers.PASSWORD}"
pool = {{ size = 3, queue_timeout = "{getattr(request, "param", "30s")}", connect_timeout = "2s" }}

[users.alice]
password = "{servers.PASSWORD}"
""")
    return servers.Target("sluice", gateway.port, "app", "alice", servers.PASSWORD)


def test_idle_clients_do_not_notice_a_restart(own_cluster, place):
    with clients(place, 8) as made:
        for number, connection in enumerate(made):
            connection.execute("SET work_mem = '6MB'")
            connection.execute(f"SELECT {number} + %s", (1,), prepare=True)
        own_cluster.stop()
        own_cluster.start()
        for number, connection in enumerate(made):
            assert connection.execute(f"SELECT {number} + %s", (1,),
                                      prepare=True).fetchone() == (number + 1,)
            assert value(connection, "SHOW work_mem") == "6MB"


def test_restart_under_load(own_cluster, place):
    """Errors are of the promised kinds, connections stay, and all is well afterwards."""
    over = threading.Event()
    wrong, failed, done = [], [], [0] * 12

    def work(number):
        connection = psycopg.connect(place.dsn(), autocommit=True)
        turn = 0
        while not over.is_set():
            turn += 1
            try:
                row = connection.execute("SELECT %s::text", (f"{number}.{turn}",)).fetchone()
                if row != (f"{number}.{turn}",):
                    wrong.append(row)
                done[number] = turn
            except ValueError:
                # psycopg's, of a Parse that was answered before the server fell, and then failed.
                failed.append("a second answer")
            except psycopg.Error as error:
                failed.append(error)
                if error.sqlstate not in ("08006", "08001", "57P01", "53400"):
                    wrong.append(repr(error))
                if connection.closed:
                    connection = psycopg.connect(place.dsn(), autocommit=True)
                time.sleep(0.05)
        connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    servers.wait_until(lambda: min(done) > 10, what="every client works")
    own_cluster.stop()
    time.sleep(0.5)
    own_cluster.start()
    before = list(done)
    servers.wait_until(lambda: all(now > then + 20 for now, then in zip(done, before)),
                       what="every client gets on")
    over.set()
    for thread in threads:
        thread.join(60)
    assert not wrong, wrong[:5]


def test_wait_while_the_server_is_away_ends_with_the_cause(own_cluster, place):
    with clients(place, 1) as (connection,):
        own_cluster.stop()
        begun = time.monotonic()
        try:
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("SELECT 1")
            assert time.monotonic() - begun < 25, "queue_timeout is no reason"
            assert caught.value.sqlstate == "08001"
            assert "refused" in str(caught.value)
        finally:
            own_cluster.start()
        servers.wait_until(lambda: answers(connection), what="the connection works again")


def answers(connection):
    with contextlib.suppress(psycopg.OperationalError):
        return value(connection, "SELECT 'yes'") == "yes"
    return False


def backends(cluster):
    out = subprocess.run(["pgrep", "-P", str(cluster.process.pid)], capture_output=True, text=True)
    return [int(pid) for pid in out.stdout.split()]


@pytest.mark.parametrize("place", ["2s"], indirect=True)
def test_stalled_server(own_cluster, place):
    """All backends stop answering: waiting clients are told so in time, others get their answer."""
    results = []

    def ask(connection):
        try:
            results.append(value(connection, "SELECT 'late'"))
        except psycopg.Error as error:
            results.append(error.sqlstate)

    with clients(place, 6) as made:
        for connection in made:
            value(connection, "SELECT 1")
        with contextlib.ExitStack() as held:
            for connection in made[:3]:  # every backend has a client now
                held.enter_context(connection.transaction())
                value(connection, "SELECT 1")
            stopped = backends(own_cluster)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            try:
                threads = [threading.Thread(target=ask, args=(c,)) for c in made]
                for thread in threads:
                    thread.start()
                servers.wait_until(lambda: len(results) >= 3, what="who waits is told")
                time.sleep(0.3)
                assert sorted(results) == ["53400"] * 3
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
            for thread in threads:
                thread.join(60)
        assert sorted(results) == ["53400"] * 3 + ["late"] * 3
        for connection in made:
            assert value(connection, "SELECT 2") == 2
