"""What the tests of the admin console share: a gateway with administrators, connections, a load."""
import contextlib
import subprocess
import threading

import psycopg
import pymysql
import pytest

import servers
from servers import PASSWORD, wait_until


@pytest.fixture(scope="module")
def admin_gateway(cluster, folder):
    """Both listeners, an administrator, one who may look, and alice who may not."""
    my_port = servers.free_port()
    listen = (f'[listen]\npostgres = ["127.0.0.1:{{port}}"]\nmysql = ["127.0.0.1:{my_port}"]\n'
              'mysql_version = "10.11.6-MariaDB"\n')
    config = servers.shared_config(cluster) + f"""
[users.root]
password = "{PASSWORD}"
admin = true

[users.looker]
password = "{PASSWORD}"
stats = true
"""
    with servers.Sluice(folder / "admin", config, listen=listen) as running:
        running.my_port = my_port
        yield running


@pytest.fixture
def console(admin_gateway):
    with contextlib.closing(connect(admin_gateway)) as connection:
        yield connection


def target(gateway, database="sluice", user="root"):
    return servers.Target("console", gateway.port, database, user, PASSWORD)


def connect(gateway, database="sluice", user="root", **options):
    return psycopg.connect(target(gateway, database, user).dsn(**options), autocommit=True)


def my_connect(gateway, database="sluice", user="root", **options):
    return pymysql.connect(host="127.0.0.1", port=gateway.my_port, user=user, password=PASSWORD,
                           database=database, connect_timeout=60, read_timeout=60, **options)


def table(connection, what):
    cursor = connection.execute(f"SHOW {what}")
    names = [each.name for each in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def row_of(connection, what, **having):
    found = [row for row in table(connection, what)
             if all(row[name] == value for name, value in having.items())]
    assert len(found) == 1, (what, having, found)
    return found[0]


def psql(gateway, *commands, database="sluice", user="root"):
    words = [word for each in commands for word in ("-c", each)]
    return subprocess.run([servers.PG_BIN / "psql", "-XA", *words], capture_output=True,
                          text=True, timeout=60,
                          env=target(gateway, database, user).environment())


@contextlib.contextmanager
def load(gateway, database="app", workers=4, statement="SELECT 1"):
    """Clients that work until the block ends. Yields what they did so far."""
    done, errors, stop = [0] * workers, [], threading.Event()

    def work(number):
        try:
            with connect(gateway, database, "alice") as connection:
                while not stop.is_set():
                    connection.execute(statement)
                    done[number] += 1
        except psycopg.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
    for each in threads:
        each.start()
    wait_until(lambda: all(done) or errors, what="every client works")
    counts = type("counts", (), {"done": done, "errors": errors, "stop": stop, "threads": threads})
    try:
        yield counts
    finally:
        stop.set()
        for each in threads:
            each.join(60)
    assert not any(each.is_alive() for each in threads), "a client hangs"
