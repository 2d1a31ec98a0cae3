"""Cancels, clients and backends that die: each hits what it must and nothing else."""
import contextlib
import os
import socket
import subprocess
import threading
import time

import psycopg
import pytest

import servers
from servers import clients, value

pytestmark = pytest.mark.postgres


@pytest.mark.gateway
def test_cancel_hits_its_own_statement_only(crowd):
    """Each client cancels at random moments; nobody but itself may be hit."""
    wrong = []

    def sleeper(connection, cancels):
        try:
            for _ in range(6):
                if cancels:
                    threading.Timer(0.05, connection.cancel).start()
                    with contextlib.suppress(psycopg.errors.QueryCanceled):
                        connection.execute("SELECT pg_sleep(0.1)")
                else:
                    connection.execute("SELECT pg_sleep(0.03)")
        except psycopg.Error as error:
            if not (cancels and isinstance(error, psycopg.errors.QueryCanceled)):
                wrong.append(repr(error))

    threads = [threading.Thread(target=sleeper, args=(c, n % 2 == 0)) for n, c in enumerate(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(80)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_late_cancel_is_harmless(crowd):
    for connection in crowd:
        value(connection, "SELECT 1")
        connection.cancel()
    for connection in crowd:
        for _ in range(5):
            value(connection, "SELECT pg_sleep(0.002)::text")


def test_client_killed_in_a_transaction(pg, cluster):
    cluster.sql("DROP TABLE IF EXISTS killed; CREATE TABLE killed (n int); "
                "GRANT ALL ON killed TO alice")
    for _ in range(3 * servers.POOL_SIZE):
        connection = psycopg.connect(pg.dsn(), autocommit=True)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO killed VALUES (1)")
        connection.execute("SET LOCAL work_mem = '3MB'")
        socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)
        connection.close()
    with clients(pg, 2 * servers.POOL_SIZE) as made:
        for connection in made:
            assert value(connection, "SELECT count(*) FROM killed") == 0
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    servers.wait_until(lambda: cluster.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'") == ["0"], 60)
    cluster.sql("DROP TABLE killed")


def test_client_killed_while_its_statement_runs(pg, cluster):
    def running():
        return cluster.sql("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE"
                           " '%abandoned' AND pid <> pg_backend_pid()")

    for _ in range(2):
        child = subprocess.Popen([servers.PG_BIN / "psql", "-Xc", "SELECT pg_sleep(600) AS abandoned"],
                                 env=pg.environment(), stdout=subprocess.DEVNULL)
        servers.wait_until(running, 30, "the statement runs")
        child.kill()
        child.wait()
        if servers.DIRECT:  # PostgreSQL itself does not look until the statement ends
            cluster.sql(f"SELECT pg_terminate_backend({running()[0]})")
        servers.wait_until(lambda: not running(), 40, "the statement is cancelled")


def test_backend_killed(pg, cluster):
    """Only the request on it fails; others notice nothing."""
    with clients(pg, 2 * servers.POOL_SIZE) as made:
        busy = made[0]
        busy.execute("BEGIN")
        pid = value(busy, "SELECT pg_backend_pid()")
        cluster.sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
        for connection in made[1:]:
            assert value(connection, "SELECT 1") == 1


@pytest.mark.gateway
def test_idle_clients_survive_their_backends(pg, cluster):
    with clients(pg, 2 * servers.POOL_SIZE) as made:
        for connection in made:
            connection.execute("SET work_mem = '11MB'")
            connection.execute("SELECT 3 + %s", (1,), prepare=True)
        pids = cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'alice'")
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'alice'")
        servers.wait_until(lambda: cluster.sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({', '.join(pids)})") == ["0"], 60)
        time.sleep(0.5)  # the gateway has heard of it
        for connection in made:
            assert connection.execute("SELECT 3 + %s", (1,), prepare=True).fetchone() == (4,)
            assert value(connection, "SHOW work_mem") == "11MB"
