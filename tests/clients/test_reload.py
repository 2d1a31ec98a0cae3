"""A configuration read anew under connected clients; and what systemd is told and hands over."""
import contextlib
import ctypes
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import servers
from servers import BINARY, PASSWORD, value, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]


def app(cluster, pool="size = 4", name="app", database="app", more=""):
    return servers.table(cluster, name, pool, more + "\n", database)


ALICE = servers.ALICE


def loads(gateway):
    return gateway.log().count("configuration loaded")


def refusals(gateway):
    return gateway.log().count("configuration not loaded")


def reload(gateway, config, good=True):
    """Returns what the log says of it."""
    gateway.write(config)
    count = loads if good else refusals
    before, at = count(gateway), len(gateway.log())
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: count(gateway) > before, what="the configuration is loaded")
    return gateway.log()[at:]


def target_of(gateway, database="app", **changes):
    return servers.Target("sluice", gateway.port, database, "alice", PASSWORD).but(**changes)


def connect(gateway, database="app", **options):
    return psycopg.connect(target_of(gateway, database).dsn(**options), autocommit=True)


class Load:
    """Threads with a client each that run statements until the end of the block."""

    def __init__(self, target, count, statement="SELECT pg_sleep(0.005)", reconnect=False):
        self.target, self.statement, self.reconnect = target, statement, reconnect
        self.over = threading.Event()
        self.failed, self.done = [], 0
        self.threads = [threading.Thread(target=self.work) for _ in range(count)]

    def work(self):
        try:
            while not self.over.is_set():
                with psycopg.connect(self.target.dsn(), autocommit=True) as connection:
                    while True:
                        connection.execute(self.statement)
                        self.done += 1
                        if self.reconnect or self.over.is_set():
                            break
        except psycopg.Error as error:
            self.failed.append(f"{error.sqlstate} {error}")

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for each in self.threads:
            each.join(60)
        assert not any(each.is_alive() for each in self.threads), "a statement hangs"


@pytest.fixture(autouse=True)
def others(cluster):
    """Backends of gateways that other tests share."""
    others.pids = {0, *map(int, cluster.sql("select pid from pg_stat_activity"))}


def backends(cluster, database="app"):
    return int(cluster.sql("select count(*) from pg_stat_activity where usename = 'alice' "
                           f"and datname = '{database}' "
                           f"and pid <> all (array{sorted(others.pids)})")[0])


def test_a_bad_file_changes_nothing(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE)
    with connect(gateway) as connection:
        said = reload(gateway, app(cluster, "size = 0, sise = 3") + ALICE
                      + '[users.bob]\npassword = "x"\ndatabases = ["nowhere"]\n', good=False)
        assert value(connection, "SELECT 1") == 1
    for part in ("sluice.toml", "size", "sise", "nowhere"):
        assert part in said, said
    assert said.count("configuration not loaded") >= 3
    assert re.search(r"sluice\.toml:\d+:\d+", said)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(target_of(gateway, user="bob", password="x").dsn())
    said = reload(gateway, app(cluster) + ALICE)
    assert "configuration changed" not in said


def test_pools_grow_and_shrink_under_load(cluster, own_gateway):
    gateway = own_gateway(app(cluster, "size = 2, multiplex = false") + ALICE)
    with Load(target_of(gateway), 10, "SELECT pg_sleep(0.02)") as load:
        wait_until(lambda: backends(cluster) == 2, what="two connections")
        said = reload(gateway, app(cluster, "size = 8, multiplex = false") + ALICE)
        assert "databases.app.pool.size: 2 → 8" in said
        wait_until(lambda: backends(cluster) == 8, what="eight connections")
        reload(gateway, app(cluster, "size = 1, multiplex = false") + ALICE)
        wait_until(lambda: backends(cluster) == 1, what="one connection")
        before = load.done
        wait_until(lambda: load.done > before + 10, what="work goes on")
        reload(gateway, app(cluster, "size = 3, multiplex = false, queue_timeout = '9s'") + ALICE)
        wait_until(lambda: backends(cluster) == 3, what="three connections")
    assert not load.failed


def test_many_reloads_under_load(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE)
    with Load(target_of(gateway), 6) as held, \
            Load(target_of(gateway), 3, "SELECT 1", reconnect=True) as fresh:
        for turn in range(12):
            reload(gateway, app(cluster, f"size = {3 + turn % 3}, max_prepared = {100 + turn}")
                   + ALICE + f'[users.u{turn}]\npassword = "p{turn}"\n'
                   + f"[tenants.default]\nmax_concurrent = {50 + turn}\n")
            before = held.done, fresh.done
            wait_until(lambda: held.done > before[0] + 10 and fresh.done > before[1] + 2,
                       what="work goes on")
    assert not held.failed and not fresh.failed
    assert held.done > 100 and fresh.done > 10


def test_another_server_under_connected_clients(cluster, own_gateway):
    """The pool's connections are replaced; its clients stay, with their settings."""
    gateway = own_gateway(app(cluster) + ALICE)
    with connect(gateway) as idle, connect(gateway) as busy:
        idle.execute("SET work_mem = '5MB'")
        busy.execute("BEGIN")
        assert value(busy, "SELECT current_database()") == "app"
        said = reload(gateway, app(cluster, database="other") + ALICE)
        assert "databases.app.dbname: app → other" in said
        assert value(idle, "SELECT current_database()") == "other"
        assert value(idle, "SHOW work_mem") == "5MB"
        assert value(busy, "SELECT current_database()") == "app"
        busy.execute("COMMIT")
        assert value(busy, "SELECT current_database()") == "other"
    wait_until(lambda: backends(cluster, "app") == 0, what="no old connection is left")


def test_a_removed_database_drains(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + app(cluster, name="gone", database="other") + ALICE)
    with connect(gateway) as stays, connect(gateway, "gone") as idle, \
            connect(gateway, "gone") as busy:
        idle.execute("SELECT 1")
        busy.execute("BEGIN")
        busy.execute("SELECT 1")
        assert "databases.gone: removed" in reload(gateway, app(cluster) + ALICE)
        with pytest.raises(psycopg.OperationalError) as refused:
            connect(gateway, "gone")
        assert "gone" in str(refused.value)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(400):
                idle.execute("SELECT 1")
                time.sleep(0.05)
        assert value(busy, "SELECT current_database()") == "other"
        busy.execute("COMMIT")
        with pytest.raises(psycopg.OperationalError):
            for _ in range(400):
                busy.execute("SELECT 1")
                time.sleep(0.05)
        assert value(stays, "SELECT 1") == 1
        wait_until(lambda: backends(cluster, "other") == 0, what="its connections are closed")
        # It may come back.
        reload(gateway, app(cluster) + app(cluster, name="gone", database="other") + ALICE)
        with connect(gateway, "gone") as again:
            for _ in range(15):  # also while the ones before are still being looked for
                assert value(again, "SELECT current_database()") == "other"
                time.sleep(0.05)
        assert value(stays, "SELECT 1") == 1


def test_users_and_passwords(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE + '[users.bob]\npassword = "old"\n')
    bob = target_of(gateway, user="bob", password="old")
    with psycopg.connect(bob.dsn(), autocommit=True) as before:
        said = reload(gateway, app(cluster) + ALICE + '[users.bob]\npassword = "new word"\n')
        assert "users.bob.password: changed" in said
        assert "new word" not in gateway.log()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(bob.dsn())
        with psycopg.connect(bob.but(password="new word").dsn()):
            pass
        assert "users.bob: removed" in reload(gateway, app(cluster) + ALICE)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(bob.but(password="new word").dsn())
        assert value(before, "SELECT 1") == 1


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem"], check=True, capture_output=True, timeout=60)


def seen_certificate(port):
    with socket.create_connection(("127.0.0.1", port), 60) as raw:
        raw.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
        assert raw.recv(1) == b"S"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(raw) as wrapped:
            return wrapped.getpeercert(binary_form=True)


def test_certificates_are_swapped(cluster, own_gateway, tmp_path):
    certificate(tmp_path, "first")
    tls = (f'tls = {{ mode = "prefer", cert_file = "{tmp_path}/cert.pem", '
           f'key_file = "{tmp_path}/key.pem" }}\n')
    listen = '[listen]\npostgres = ["127.0.0.1:{port}"]\n' + tls.replace("{", "{{").replace(
        "}", "}}")
    gateway = own_gateway(app(cluster) + ALICE, listen=listen)
    first = seen_certificate(gateway.port)
    with connect(gateway, sslmode="require") as present:
        certificate(tmp_path, "second")
        assert "another certificate" in reload(gateway, app(cluster) + ALICE)
        assert seen_certificate(gateway.port) != first
        assert value(present, "SELECT 1") == 1
        (tmp_path / "cert.pem").write_text("nonsense")
        second = reload(gateway, app(cluster) + ALICE, good=False)
        assert "cert" in second
        assert seen_certificate(gateway.port) != first


def test_listeners_come_and_go(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE)
    other = servers.free_port()
    path = gateway.folder / ".s.PGSQL.7000"
    with connect(gateway) as present:
        gateway.listen = (f'[listen]\npostgres = ["127.0.0.1:{other}", "unix:{path}"]\n')
        said = reload(gateway, app(cluster) + ALICE)
        assert f"127.0.0.1:{other}" in said
        assert not servers.accepts(gateway.port)
        assert value(present, "SELECT 1") == 1
        with psycopg.connect(target_of(gateway, port=other).dsn()):
            pass
        with psycopg.connect(target_of(gateway, host=str(path.parent), port=7000).dsn()):
            pass
        # A place that is taken: nothing changes.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            gateway.listen = f'[listen]\npostgres = ["127.0.0.1:{taken.getsockname()[1]}"]\n'
            assert "cannot listen" in reload(gateway, app(cluster) + ALICE, good=False)
        assert servers.accepts(other)
        gateway.listen = None
        reload(gateway, app(cluster) + ALICE)
        assert servers.accepts(gateway.port) and not servers.accepts(other)
        assert not path.exists()


def test_the_log_and_what_needs_a_restart(cluster, own_gateway):
    def config(log, workers=2):
        return (f'[gateway]\ndrain_timeout = "2s"\nworkers = {workers}\n[gateway.log]\n{log}\n'
                + app(cluster) + ALICE)

    gateway = own_gateway(config('level = "info"'))
    file = gateway.folder / "sluice.log"
    said = reload(gateway, config('level = "debug"', workers=1))
    assert "in effect after a restart" in said and "gateway.workers: 2 → 1" in said
    gateway.write(config(f'level = "debug"\nformat = "json"\nfile = "{file}"', workers=1))
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: file.exists() and "configuration loaded" in file.read_text(),
               what="the new log file is written")
    assert all(line.startswith('{"time"') for line in file.read_text().splitlines())
    # Rotation: the file was moved away.
    file.rename(gateway.folder / "sluice.log.1")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: file.exists() and "configuration loaded" in file.read_text(),
               what="the file is opened anew")
    assert "client connected" not in file.read_text()
    gateway.write(config('level = "info"'))
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: loads(gateway) == 2, what="standard error again")


def lite(name, file):
    return f'[databases.{name}]\nengine = "sqlite"\nfile = "{file}"\n'


def test_sqlite_files_come_and_go(cluster, own_gateway):
    gateway = own_gateway(lite("one", "one.db") + ALICE)
    with connect(gateway, "one") as one:
        one.execute("CREATE TABLE t (n integer)")
        reload(gateway, lite("one", "one.db") + lite("two", "two.db") + ALICE)
        with connect(gateway, "two") as two:
            two.execute("CREATE TABLE t (n integer)")
            two.execute("INSERT INTO t VALUES (1)")
        one.execute("INSERT INTO t VALUES (1)")
        reload(gateway, lite("one", "one.db") + ALICE)
        with pytest.raises(psycopg.OperationalError):
            connect(gateway, "two")
        one.execute("INSERT INTO t VALUES (2)")
        (gateway.folder / "text.db").write_text("This is no database. " * 100)
        said = reload(gateway, lite("one", "one.db") + lite("two", "text.db") + ALICE,
                      good=False)
        assert "databases.two.file" in said and "text.db" in said
        said = reload(gateway, lite("one", "one.db") + "readers = 7\n" + ALICE)
        assert "after a restart" in said and "databases.one.readers: 4 → 7" in said
        reload(gateway, lite("one", "one.db") + lite("two", "two.db") + ALICE)
        with connect(gateway, "two") as two:
            assert value(two, "SELECT count(*) FROM t") == 1


def took(connection, *statements):
    """Seconds for statements that are sent at once by a client each."""
    began = time.monotonic()
    threads = [threading.Thread(target=each.execute, args=(statement,))
               for each, statement in zip(connection, statements)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return time.monotonic() - began


def at_once(connections, statement):
    """Together they take no longer than one: in one of some tries, should the machine be slow."""
    assert any(took(connections, *[statement] * len(connections)) < 0.75 for _ in range(10))


def test_limits_change_under_connected_clients(cluster, own_gateway):
    def config(tenant="", timeout=""):
        return (app(cluster, more=timeout) + lite("lite", "lite.db") + timeout + ALICE
                + f"[tenants.default]\n{tenant}\n")

    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"
    gateway = own_gateway(config())
    with connect(gateway) as one, connect(gateway) as two, connect(gateway, "lite") as file:
        at_once([one, two], "SELECT pg_sleep(0.4)")
        said = reload(gateway, config("max_concurrent = 1"))
        assert "tenants.default.max_concurrent: 0 → 1" in said
        assert took([one, two], *["SELECT pg_sleep(0.4)"] * 2) >= 0.8
        said = reload(gateway, config(timeout='statement_timeout = "800ms"\n'))
        assert "databases.app.statement_timeout: 0s → 800ms" in said
        assert "after a restart" not in said
        at_once([one, two], "SELECT pg_sleep(0.4)")
        for connection, statement in (one, "SELECT pg_sleep(30)"), (file, endless):
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute(statement)
        reload(gateway, config(timeout='statement_timeout = "30s"\n'))
        one.execute("SELECT pg_sleep(1)")


ROOT = f'[users.root]\npassword = "{PASSWORD}"\nadmin = true\n'


def says(console, command):
    """What the rows of SET and RELOAD say."""
    return [tuple(row) for row in console.execute(command).fetchall()]


def setting(console, key):
    return {row[0]: (row[1], row[3]) for row in console.execute("SHOW CONFIG").fetchall()}[key]


def test_settings_are_set_under_load(cluster, own_gateway):
    """SET is as atomic as a reload, drops nobody, and lasts until the next one."""
    gateway = own_gateway(app(cluster, "size = 2, multiplex = false") + ALICE + ROOT)
    with connect(gateway, "sluice", user="root") as console, \
            Load(target_of(gateway), 10, "SELECT pg_sleep(0.02)") as load:
        wait_until(lambda: backends(cluster) == 2, what="two connections")
        assert says(console, "SET databases.app.pool.size = 8") == [
            ("changed", "databases.app.pool.size: 2 → 8"),
            ("lasts", "until the next RELOAD or restart")]
        assert setting(console, "databases.app.pool.size") == ("8", "yes")
        wait_until(lambda: backends(cluster) == 8, what="eight connections")
        assert says(console, "SET databases.app.pool.size = 8")[0][0] == "unchanged"
        wait_until(lambda: "databases.app.pool.size: 2 → 8" in gateway.log(), what="it is logged")
        assert says(console, "SET gateway.max_clients TO '11'")[0] == (
            "changed", "gateway.max_clients: 10000 → 11")
        with pytest.raises(psycopg.OperationalError) as refused:
            connect(gateway)
        assert "gateway.max_clients" in str(refused.value)
        # The file again.
        before = loads(gateway)
        changed = [row[1] for row in says(console, "RELOAD") if row[0] == "changed"]
        assert sorted(changed) == ["databases.app.pool.size: 8 → 2",
                                   "gateway.max_clients: 11 → 10000"]
        wait_until(lambda: loads(gateway) == before + 1, what="the log says so")
        wait_until(lambda: backends(cluster) == 2, what="two connections again")
    assert not load.failed


def test_limits_are_set_and_hold(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE + ROOT)
    with connect(gateway, "sluice", user="root") as console, connect(gateway) as client:
        console.execute("SET databases.app.statement_timeout = 400ms")
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement_timeout"):
            client.execute("SELECT pg_sleep(30)")
        console.execute("SET databases.app.statement_timeout = '0s'")
        client.execute("SELECT pg_sleep(0.6)")
        assert says(console, "SET tenants.app.max_rate = 0.5")[0] == (
            "changed", "tenants.app: added, tenants.app.max_rate = 0.5")
        console.execute("SET tenants.app.queue_timeout = 100ms")
        with pytest.raises(psycopg.Error) as refused:
            for _ in range(3):
                client.execute("SELECT 1")
        assert refused.value.sqlstate == "53400" and "tenants.app" in str(refused.value)
        console.execute("SET slow_statement = 100ms")
        console.execute("SET tenants.app.max_rate = 0")
        client.execute("SELECT pg_sleep(0.2)")
        wait_until(lambda: "slow statement" in gateway.log())


def test_what_cannot_be_set(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE + ROOT)
    with connect(gateway, "sluice", user="root") as console:
        shown = says(console, "SHOW CONFIG")
        for command, message in (
                ("SET gateway.workers = 7", "cannot be changed without a restart.*--takeover"),
                ("SET databases.app.pool.size = 0", "an integer from 1 to 10000"),
                ("SET databases.app.pool.queue_timeout = 10", "queue_timeout = 10 is not valid"),
                ("SET databases.app.url = 'x'", "cannot be changed here.*RELOAD"),
                ("SET databases.nowhere.pool.size = 3", "there is no .databases.nowhere."),
                ("SET default_pool_size = 3", "databases.NAME.pool.size"),
                ("SET databases.app.pool.min = 5", "pool.min = 5 is more than pool.size = 4")):
            with pytest.raises(psycopg.Error, match="(?s)" + message) as refused:
                console.execute(command)
            assert refused.value.sqlstate == "22023", command
        assert says(console, "SHOW CONFIG") == shown
        assert setting(console, "gateway.workers")[1] == "restart"
        assert setting(console, "listen.backlog")[1] == "file"


def test_settings_are_set_by_mysql_clients(my_server, own_my_gateway):
    gateway = own_my_gateway(f"""
[databases.app]
engine = "mysql"
host = "127.0.0.1"
port = {my_server.port}
user = "alice"
password = "{PASSWORD}"
pool = {{ size = 2 }}
""" + ALICE + ROOT)
    target = mariadb.Target("sluice", gateway.port, "sluice", "root", PASSWORD)
    with contextlib.closing(target.connect()) as console, console.cursor() as cursor:
        cursor.execute("SET databases.`app`.pool.size = 3")
        assert cursor.fetchall()[0] == ("changed", "databases.app.pool.size: 2 → 3")
        with pytest.raises(pymysql.Error) as refused:
            cursor.execute("SET gateway.workers = 3")
        assert refused.value.args[0] == 1231 and "restart" in refused.value.args[1]


@pytest.mark.mariadb
def test_mysql_databases_come_go_and_change(my_server, own_my_gateway):
    def table(name, password=PASSWORD, schema="app", more=""):
        return f"""
[databases.{name}]
engine = "mysql"
host = "127.0.0.1"
port = {my_server.port}
user = "alice"
password = "{password}"
dbname = "{schema}"
tls = {{ mode = "disabled" }}
pool = {{ size = 2 }}
{more}
"""

    gateway = own_my_gateway(table("one") + table("two") + ALICE)
    target = mariadb.Target("sluice", gateway.port, "one", "alice", PASSWORD)

    def ask(connection, text):
        with connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchone()[0]

    with contextlib.closing(target.connect()) as stays, \
            contextlib.closing(target.but(database="two").connect()) as leaves:
        assert ask(stays, "SELECT 1") == 1
        leaves.begin()
        assert ask(leaves, "SELECT 1") == 1
        said = reload(gateway, table("one", more="max_clients = 7") + ALICE)
        assert "databases.two: removed" in said and "databases.one.max_clients: 0 → 7" in said
        with pytest.raises(pymysql.err.OperationalError) as refused:
            target.but(database="two").connect()
        assert refused.value.args[0] in (1045, 1049)
        assert ask(leaves, "SELECT 2") == 2
        leaves.commit()
        with pytest.raises(pymysql.err.MySQLError):
            for _ in range(400):
                ask(leaves, "SELECT 3")
                time.sleep(0.05)
        # Its connections are of another password now: no new one can be made, and the clients stay.
        reload(gateway, table("one", password="wrong-password") + ALICE)
        with pytest.raises(pymysql.err.MySQLError):
            ask(stays, "SELECT 4")
        reload(gateway, table("one") + ALICE)
        wait_until(lambda: answers(stays), what="it is served again")
        assert stays.open


def answers(connection):
    with contextlib.suppress(pymysql.err.MySQLError):
        with connection.cursor() as cursor:
            return cursor.execute("SELECT 5")


# -- systemd


@contextlib.contextmanager
def notify_socket(folder):
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as at:
        at.bind(str(path))
        at.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        at.settimeout(60)
        yield at, path
    path.unlink()


def until(at, word):
    """All that was said, up to a datagram with `word`."""
    said = []
    while not said or word not in said[-1]:
        said.append(at.recv(4096).decode())
    return said


def said_by(at):
    """(process id, lines) of each datagram that waits."""
    said = []
    at.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            data, (head, *_), *_ = at.recvmsg(4096, 64)
            said.append((struct.unpack("iII", head[2])[0], data.decode().split("\n")))
    return said


def test_systemd_is_told(cluster, folder):
    place = folder / "notified"
    place.mkdir()
    port = servers.free_port()
    (place / "sluice.toml").write_text(
        f'[gateway]\ndrain_timeout = "2s"\n[listen]\npostgres = ["127.0.0.1:{port}"]\n'
        + app(cluster) + ALICE)
    with notify_socket(place) as (at, path), open(place / "log", "wb") as log:
        running = subprocess.Popen(
            [BINARY, "--config", place / "sluice.toml"], stdout=log, stderr=log,
            env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000"})
        try:
            assert "READY=1" in until(at, "READY=1")[-1]
            assert servers.accepts(port)
            until(at, "WATCHDOG=1")
            until(at, "WATCHDOG=1")
            running.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in until(at, "RELOADING=1")[-1]
            until(at, "READY=1")
            running.terminate()
            until(at, "STOPPING=1")
            assert running.wait(60) == 0
        finally:
            running.kill()
            running.wait()


# ptrace(2), of one thread alone: signals stop whole processes.
SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


@contextlib.contextmanager
def stopped(thread):
    """A thread that gets no further until the end of the block."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(request):
        made = libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), None, None)
        assert made == 0, os.strerror(ctypes.get_errno())

    ptrace(SEIZE)
    ptrace(INTERRUPT)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        ptrace(DETACH)


def loops(process):
    """Its threads that are in epoll_wait or epoll_pwait: the workers' loops."""
    found = []
    for thread in sorted(map(int, os.listdir(f"/proc/{process}/task"))):
        with open(f"/proc/{process}/task/{thread}/syscall") as call:
            if call.read().split()[0] in ("232", "281", "22"):  # x86_64 twice, aarch64
                found.append(thread)
    return found


def nothing_said(at, seconds):
    said_by(at)
    time.sleep(seconds)
    return said_by(at) == []


@pytest.mark.clock
def test_a_loop_that_hangs_starves_the_watchdog(cluster, folder):
    """Whichever worker it is; and it is fed again when the loop goes on."""
    place = folder / "watched"
    place.mkdir()
    port = servers.free_port()
    (place / "sluice.toml").write_text(
        '[gateway]\nworkers = 2\ndrain_timeout = "2s"\n'
        f'[listen]\npostgres = ["127.0.0.1:{port}"]\n' + app(cluster) + ALICE)
    with notify_socket(place) as (at, path), open(place / "log", "wb") as log:
        running = subprocess.Popen(
            [BINARY, "--config", place / "sluice.toml"], stdout=log, stderr=log,
            env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000"})
        try:
            until(at, "READY=1")
            until(at, "WATCHDOG=1")
            workers = wait_until(lambda: len(found := loops(running.pid)) >= 2 and found,
                                 what="both loops sleep")
            assert len(workers) == 2, workers
            for thread in workers:
                with stopped(thread):
                    # It may have answered just before, and been heard late: one second of five.
                    assert any(nothing_said(at, 1) for _ in range(5))
                at.settimeout(60)
                until(at, "WATCHDOG=1")
            wait_until(lambda: "a worker's loop hangs" in (place / "log").read_text(),
                       what="the log says so")
            target = servers.Target("sluice", port, "app", "alice", PASSWORD)
            with psycopg.connect(target.dsn()) as connection:
                assert value(connection, "SELECT 1") == 1
            running.terminate()
            assert running.wait(60) == 0
        finally:
            running.kill()
            running.wait()


# What systemd does: descriptor 3 is the socket, and the variables name this very process.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by address"])
def test_sockets_of_systemd(cluster, folder, named):
    """LISTEN_FDS: the port of the file is not opened, the socket that was handed over is served."""
    place = folder / f"activated-{named}"
    place.mkdir()
    with socket.socket() as early:
        early.bind(("127.0.0.1", 0))
        early.listen(64)
        port = early.getsockname()[1]
        where = 1 if named else port  # nobody may listen at port 1 of 192.0.2.1
        host = "192.0.2.1" if named else "127.0.0.1"
        (place / "sluice.toml").write_text(
            f'[gateway]\ndrain_timeout = "2s"\n[listen]\npostgres = ["{host}:{where}"]\n'
            + app(cluster) + ALICE)
        # A client that came before the service: it waits, and is served.
        waiting = socket.create_connection(("127.0.0.1", port), 60)
        names = "postgres" if named else "sluice.socket"
        with open(place / "log", "wb") as log:
            running = subprocess.Popen(
                [sys.executable, "-c", HAND_OVER, str(early.fileno()), names, BINARY, "--config",
                 place / "sluice.toml"], stdout=log, stderr=log, pass_fds=[early.fileno()])
        try:
            early.close()
            waiting.settimeout(60)
            waiting.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
            assert waiting.recv(1) == b"N", (place / "log").read_text()
            waiting.close()
            target = servers.Target("sluice", port, "app", "alice", PASSWORD)
            with psycopg.connect(target.dsn()) as connection:
                assert value(connection, "SELECT 1") == 1
        finally:
            running.terminate()
            try:
                assert running.wait(60) == 0
            finally:
                running.kill()
                running.wait()
