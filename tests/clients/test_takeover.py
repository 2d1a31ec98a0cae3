"""`sluice --takeover`: another process takes the sockets of the running one, which drains."""
import contextlib
import ctypes
import os
import random
import re
import select
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time
import urllib.request

import psycopg
import pymysql
import pytest

import mariadb
import reconnecting
import servers
from servers import BINARY, PASSWORD, value, wait_until
from test_reload import ALICE, Load, app, connect, notify_socket, said_by, target_of

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]


class Next:
    """A process that takes over from that of `gateway`, which the fixture stops in its place."""

    def __init__(self, gateway, number=1):
        self.gateway = gateway
        self.old = gateway.process
        self.log_file = gateway.folder / f"log.{number}"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "--config", gateway.folder / "sluice.toml", "--takeover"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def serves(self):
        wait_until(lambda: self.process.poll() is not None or " ready " in self.log(),
                   what="the new process is ready")
        assert self.process.poll() is None, self.log()
        self.gateway.process = self.process
        return self

    def old_has_ended(self, seconds=60):
        assert self.old.wait(seconds) == 0, self.gateway.log()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.old.kill()
        self.old.wait()


def take_over(gateway, number=1):
    made = Next(gateway, number)
    try:
        return made.serves()
    except BaseException:
        made.end()
        raise


def drain(timeout):
    return f'[gateway]\ndrain_timeout = "{timeout}"\n'


def test_no_client_is_refused(cluster, own_gateway):
    """Three takeovers under clients that come and go: nothing fails."""
    gateway = own_gateway(drain("10s") + app(cluster, "size = 8") + ALICE)
    target = target_of(gateway)
    with Load(target, 6, "SELECT 1", reconnect=True) as load:
        for number in range(3):
            took = take_over(gateway, number)
            before = load.done
            wait_until(lambda: load.done > before + 20, what="clients are served")
            took.old_has_ended()
    assert not load.failed, load.failed[:3]
    assert "inherited=true" in took.log()
    path = gateway.folder / "sluice.toml.control"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_pgbench_with_reconnects(cluster, own_gateway):
    gateway = own_gateway(drain("10s") + app(cluster, "size = 8") + ALICE)
    with reconnecting.pgbench(cluster, target_of(gateway), 3):
        time.sleep(0.5)
        take_over(gateway, 1).old_has_ended()
        take_over(gateway, 2).old_has_ended()


def test_who_stays_in_a_transaction(cluster, own_gateway):
    """The old process serves it to the end; a client that has nothing to do is told to leave."""
    gateway = own_gateway(drain("60s") + app(cluster) + ALICE)
    with connect(gateway) as busy, connect(gateway) as idle:
        busy.execute("BEGIN")
        idle.execute("SELECT 1")
        took = take_over(gateway)
        assert value(busy, "SELECT 41 + 1") == 42
        with connect(gateway) as fresh:
            assert value(fresh, "SELECT 1") == 1
        # What it is told comes without a question.
        assert select.select([idle.pgconn.socket], [], [], 60)[0]
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
        assert took.old.poll() is None
        busy.execute("COMMIT")
    took.old_has_ended()


class Transactions:
    """Clients that hold their connections and run transactions until the gateway is gone. One may
    be told to leave where it begins a transaction, and nowhere else."""

    def __init__(self, target, count):
        self.target = target
        self.committed, self.wrong, self.left = [0] * count, [], 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(count)]
        for each in self.threads:
            each.start()

    def work(self, number):
        while not self.over.is_set():
            try:
                connection = self.target.begin()
            except self.target.errors:
                return  # nobody serves any more
            try:
                while not self.over.is_set():
                    statements = iter(self.target.transaction(connection, number))
                    try:
                        next(statements)
                    except self.target.errors as error:
                        assert self.target.told_to_leave(error), error
                        self.left += 1
                        break
                    for _ in statements:
                        pass
                    self.committed[number] += 1
            except Exception as error:  # noqa: BLE001
                self.wrong.append(repr(error))
                return
            finally:
                with contextlib.suppress(Exception):
                    connection.close()

    def join(self):
        self.over.set()
        for each in self.threads:
            each.join(60)
        assert not any(each.is_alive() for each in self.threads), "a statement hangs"
        assert not self.wrong, self.wrong[:3]


class Postgres:
    errors = psycopg.OperationalError

    def __init__(self, gateway):
        self.target = target_of(gateway)
        self.dsn = self.target.dsn()

    def console(self):
        root = self.target.but(database="sluice", user="root")
        return psycopg.connect(root.dsn(), autocommit=True)

    def begin(self):
        return psycopg.connect(self.dsn, autocommit=True)

    def transaction(self, connection, number):
        yield connection.execute("BEGIN")
        yield connection.execute(f"INSERT INTO kept VALUES ({number})")
        yield connection.execute("SELECT pg_sleep(0.01)")
        yield connection.execute("COMMIT")

    def told_to_leave(self, error):
        return error.sqlstate == "57P01" or connection_was_closed(str(error))


def connection_was_closed(text):
    """What libpq says when the last words of the gateway crossed the statement."""
    return "closed the connection" in text or "connection is lost" in text or "reset" in text


class Mysql:
    errors = pymysql.err.OperationalError

    def __init__(self, gateway):
        self.target = mariadb.Target("sluice", gateway.port, "app", "alice", PASSWORD)

    def begin(self):
        return self.target.connect(autocommit=True)

    def transaction(self, connection, number):
        cursor = connection.cursor()
        yield cursor.execute("BEGIN")
        yield cursor.execute(f"INSERT INTO kept VALUES ({number})")
        yield cursor.execute("SELECT SLEEP(0.01)")
        yield cursor.execute("COMMIT")

    def told_to_leave(self, error):
        return error.args[0] in (1053, 2006, 2013)


def transactions_end_well(gateway, target, how, kept):
    load = Transactions(target, 8)
    try:
        wait_until(lambda: sum(load.committed) > 40, what="transactions are committed")
        if how == "takeover":
            take_over(gateway).old_has_ended()
            before = sum(load.committed)
            wait_until(lambda: sum(load.committed) > before + 40, what="the new one serves")
        else:
            if how == "SIGTERM":
                gateway.process.send_signal(signal.SIGTERM)
            else:
                with target.console() as admin:
                    admin.execute("SHUTDOWN WAIT_FOR_CLIENTS")
            assert gateway.process.wait(60) == 0
    finally:
        load.join()
    assert load.left >= 8, "nobody was told to leave"
    assert kept() == sum(load.committed)


@pytest.mark.parametrize("how", ["SIGTERM", "SHUTDOWN", "takeover"])
def test_transactions_are_finished(cluster, own_gateway, how):
    cluster.sql("drop table if exists kept; create table kept (n int); grant all on kept to alice")
    gateway = own_gateway(drain("8s") + app(cluster, "size = 4") + ALICE
                          + f'[users.root]\npassword = "{PASSWORD}"\nadmin = true\n')
    transactions_end_well(gateway, Postgres(gateway), how,
                          lambda: int(cluster.sql("select count(*) from kept")[0]))


@pytest.mark.mariadb
@pytest.mark.parametrize("how", ["SIGTERM", "takeover"])
def test_transactions_of_mysql_clients_are_finished(my_server, own_my_gateway, how):
    my_server.sql("create or replace table app.kept (n int)")
    gateway = own_my_gateway(drain("8s") + mariadb.shared_config(my_server))
    transactions_end_well(gateway, Mysql(gateway), how,
                          lambda: my_server.sql("select count(*) from app.kept")[0][0])


def test_systemd_hears_who_serves(cluster, own_gateway, monkeypatch):
    """The old process names the new one: of that alone systemd would not take it."""
    with servers.short_folder() as place, notify_socket(place) as (at, path):
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        gateway = own_gateway(drain("5s") + app(cluster) + ALICE)
        old = gateway.process.pid
        took = take_over(gateway)
        took.old_has_ended()
        new = took.process.pid
        wait_until(lambda: "the process that was taken over has ended" in took.log(),
                   what="the old one has ended")
        gateway.stop()
        said = said_by(at)
    assert said[0] == (old, ["READY=1", "STATUS=serving"])
    assert (old, [f"MAINPID={new}"]) in said
    assert said.index((old, [f"MAINPID={new}"])) < said.index(
        (new, [f"MAINPID={new}", "READY=1", "STATUS=serving"]))
    assert not any(pid == old and "STOPPING=1" in lines for pid, lines in said)
    assert said[-1][0] == new and "STOPPING=1" in said[-1][1]


def asleep(cluster, connection, seconds):
    """A thread in which a statement sleeps; it puts the SQLSTATE of its end into the list."""
    ended = []

    def sleep():
        try:
            connection.execute(f"SELECT pg_sleep({seconds})")
        except psycopg.Error as error:
            ended.append(error.sqlstate)

    thread = threading.Thread(target=sleep)
    thread.start()
    wait_until(lambda: cluster.sql(f"select 1 from pg_stat_activity where state = 'active' and "
                                   f"query like '%pg_sleep({seconds})%' and usename = 'alice'"),
               what="it sleeps")
    return thread, ended


def test_a_cancel_reaches_the_old_process(cluster, own_gateway):
    """Also the process before that one."""
    gateway = own_gateway(drain("60s") + app(cluster) + ALICE)
    with connect(gateway) as one, connect(gateway) as two:
        sleepers = [(one, *asleep(cluster, one, 31)), (two, *asleep(cluster, two, 32))]
        took = []
        with contextlib.ExitStack() as stays:
            for number, (connection, thread, ended) in enumerate(sleepers):
                took.append(take_over(gateway, number))
                began = time.monotonic()
                connection.cancel()
                thread.join(25)
                assert ended == ["57014"] and time.monotonic() - began < 25
                # It keeps the process in the middle from ending.
                stays.enter_context(connect(gateway)).execute("BEGIN")
    for each in took:
        each.old_has_ended()


def test_the_old_process_is_killed(cluster, own_gateway):
    """At any moment of the takeover: the new one serves."""
    gateway = own_gateway(drain("5s") + app(cluster) + ALICE)
    chance = random.Random(7)
    for number in range(6):
        taking = Next(gateway, number)
        try:
            time.sleep(chance.uniform(0, 0.12))
            taking.old.kill()
            taking.old.wait()
            taking.serves()
        except BaseException:
            taking.end()
            raise
        with connect(gateway) as connection:
            assert value(connection, "SELECT 1") == 1


def test_the_new_process_fails(cluster, own_gateway):
    """Before it is ready: the old one goes on, also at its Unix socket, and can be taken over."""
    folder = "{folder}"
    listen = f'[listen]\npostgres = ["127.0.0.1:{{port}}", "unix:{folder}/.s.PGSQL.7001"]\n'
    gateway = own_gateway(drain("5s") + app(cluster) + ALICE
                          + '[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n',
                          listen=listen)
    unix = target_of(gateway, host=str(gateway.folder), port=7001)
    with connect(gateway) as stays, connect(gateway, "lite") as lite, socket.socket() as taken:
        lite.execute("CREATE TABLE t (n integer)")
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = (gateway.folder / "sluice.toml").read_text()
        gateway.listen = listen[:-2] + f', "127.0.0.1:{taken.getsockname()[1]}"]\n'
        gateway.write(gateway.config)
        failing = Next(gateway)
        assert failing.process.wait(60) == 1
        assert "cannot listen" in failing.log()
        wait_until(lambda: "this process goes on" in gateway.log(), what="the old one noticed")
        assert value(stays, "SELECT 1") == 1
        lite.execute("INSERT INTO t VALUES (1)")
        with psycopg.connect(unix.dsn()) as other:
            assert value(other, "SELECT 1") == 1
        (gateway.folder / "sluice.toml").write_text(config)
        take_over(gateway, 2)
        with psycopg.connect(unix.dsn()) as other:
            assert value(other, "SELECT 1") == 1
        with connect(gateway, "lite") as again:
            assert value(again, "SELECT count(*) FROM t") == 1


def test_a_process_replaces_itself(cluster, own_gateway, monkeypatch):
    """SIGUSR2: systemd takes only a process of the service itself for its main one."""
    # Who is left behind by the old process becomes a child of this one.
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
    with servers.short_folder() as place, notify_socket(place) as (at, path):
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        gateway = own_gateway(drain("5s") + app(cluster) + ALICE)
        good = (gateway.folder / "sluice.toml").read_text()
        (gateway.folder / "sluice.toml").write_text(good + "nonsense = 1\n")
        gateway.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "the process that was to take over has ended" in gateway.log(),
                   what="the new one is told what is wrong")
        (gateway.folder / "sluice.toml").write_text(good)
        with Load(target_of(gateway), 4, "SELECT 1", reconnect=True) as load:
            gateway.process.send_signal(signal.SIGUSR2)
            assert gateway.process.wait(60) == 0, gateway.log()
            before = load.done
            wait_until(lambda: load.done > before + 20, what="clients are served")
        assert not load.failed, load.failed[:3]
        new = int(re.findall(r"is started to take over pid=(\d+)", gateway.log())[-1])
        os.kill(new, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(new, 0)[1]) == 0
        said = said_by(at)
    assert (gateway.process.pid, [f"MAINPID={new}"]) in said
    assert (new, [f"MAINPID={new}", "READY=1", "STATUS=serving"]) in said


def test_http_is_handed_over(cluster, own_gateway):
    http = servers.free_port()
    gateway = own_gateway(drain("5s") + app(cluster) + ALICE, listen='[listen]\npostgres = '
                          f'["127.0.0.1:{{port}}"]\nhttp = "127.0.0.1:{http}"\n')
    with connect(gateway) as stays:
        stays.execute("BEGIN")
        took = take_over(gateway)
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/readyz", timeout=60) as answer:
            assert answer.status == 200
        stays.execute("COMMIT")
    took.old_has_ended()
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz", timeout=60) as answer:
        assert answer.status == 200


def test_nobody_to_take_over_from(cluster, folder):
    place = folder / "first"
    place.mkdir()
    port = servers.free_port()
    (place / "sluice.toml").write_text(
        drain("2s") + f'[listen]\npostgres = ["127.0.0.1:{port}"]\n' + app(cluster) + ALICE)
    with open(place / "log", "wb") as log:
        running = subprocess.Popen([BINARY, "--config", place / "sluice.toml", "--takeover"],
                                   stdout=log, stderr=log)
    try:
        wait_until(lambda: servers.accepts(port), what="it serves")
        assert "nobody to take over from" in (place / "log").read_text()
        # A second one without --takeover does not disturb the first.
        second = subprocess.run([BINARY, "--config", place / "sluice.toml"], capture_output=True,
                                text=True, timeout=60)
        assert second.returncode == 1 and "cannot listen" in second.stderr
        assert (place / "sluice.toml.control").exists()
        # Nonsense at the control socket is answered by its end.
        for nonsense in (b"", b"\0" * 100, b"ready", b"takeover\nversion=99", b"x" * 60000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as at:
                at.settimeout(60)
                at.connect(str(place / "sluice.toml.control"))
                if nonsense:
                    at.send(nonsense)
                    with contextlib.suppress(ConnectionResetError):
                        said = at.recv(4096)
                        assert said == b"" or said.startswith(b"refused")
        assert servers.accepts(port)
    finally:
        running.terminate()
        try:
            assert running.wait(60) == 0
        finally:
            running.kill()
            running.wait()
    assert not (place / "sluice.toml.control").exists()


def test_sqlite_is_handed_over_under_load(own_gateway):
    """Both processes write to the file for a while: no statement is refused, no row is lost."""
    gateway = own_gateway(drain("10s") + '[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n'
                          + ALICE)
    target = target_of(gateway, "lite")
    with connect(gateway, "lite") as first:
        first.execute("CREATE TABLE t (n integer)")
        with Load(target, 4, "INSERT INTO t VALUES (1)", reconnect=True) as load, \
                Load(target, 2, "SELECT count(*) FROM t", reconnect=True) as reads:
            time.sleep(0.5)
            first.execute("BEGIN")
            first.execute("INSERT INTO t VALUES (2)")
            took = take_over(gateway)
            time.sleep(0.3)
            first.execute("INSERT INTO t VALUES (2)")
            first.execute("COMMIT")
            before = load.done
            wait_until(lambda: load.done > before + 20, what="writes go on")
            took.old_has_ended()
            before = load.done
            wait_until(lambda: load.done > before + 20, what="writes go on")
    assert not load.failed and not reads.failed, (load.failed + reads.failed)[:3]
    with connect(gateway, "lite") as connection:
        assert value(connection, "SELECT count(*) FROM t WHERE n = 1") == load.done
        assert value(connection, "SELECT count(*) FROM t WHERE n = 2") == 2
    gateway.stop()
    with contextlib.closing(sqlite3.connect(gateway.folder / "lite.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM t").fetchone() == (load.done + 2,)
    # Checkpoints are made again: the log was copied when the new process ended.
    wal = gateway.folder / "lite.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0


def test_sqlite_files_are_never_in_three_processes(own_gateway):
    gateway = own_gateway(drain("10s") + '[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n'
                          + ALICE)
    with connect(gateway, "lite") as stays:
        stays.execute("CREATE TABLE t (n integer)")
        stays.execute("BEGIN")
        stays.execute("INSERT INTO t VALUES (1)")
        first = take_over(gateway, 1)
        too_early = Next(gateway, 2)
        assert too_early.process.wait(60) == 1
        assert "databases.lite" in too_early.log() and "try again" in too_early.log()
        stays.execute("COMMIT")
    first.old_has_ended()
    with connect(gateway, "lite") as again:
        again.execute("BEGIN")
        again.execute("INSERT INTO t VALUES (2)")
        wait_until(lambda: take_over_if_possible(gateway), what="it has the file for itself")
        again.execute("COMMIT")
        with connect(gateway, "lite") as newest:
            assert value(newest, "SELECT count(*) FROM t") == 2


def take_over_if_possible(gateway):
    made = Next(gateway, 3)
    wait_until(lambda: made.process.poll() is not None or " ready " in made.log(), what="an answer")
    if made.process.poll() is not None:
        return False
    made.serves()
    return True


def test_exclusive_files_are_not_handed_over(own_gateway):
    gateway = own_gateway(drain("2s") + '[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n'
                          "exclusive = true\n" + ALICE)
    refused = Next(gateway)
    assert refused.process.wait(60) == 1
    assert "databases.lite.exclusive" in refused.log()
    with connect(gateway, "lite") as connection:
        assert value(connection, "SELECT 1") == 1


@pytest.mark.mariadb
def test_mysql_clients(my_server, own_my_gateway):
    """Ids stay unique, and KILL reaches a client of the old process."""
    gateway = own_my_gateway(drain("60s") + mariadb.shared_config(my_server))
    target = mariadb.Target("sluice", gateway.port, "app", "alice", PASSWORD)
    with contextlib.closing(target.connect()) as sleeper:
        cursor = sleeper.cursor()
        number = sleeper.thread_id()
        ended = []

        def sleep():
            try:
                cursor.execute("SELECT SLEEP(30)")
                ended.append(cursor.fetchone()[0])
            except Exception as error:  # noqa: BLE001
                ended.append(error.args[0])

        thread = threading.Thread(target=sleep)
        thread.start()
        wait_until(lambda: my_server.sql("SELECT 1 FROM information_schema.processlist WHERE "
                                         "info = 'SELECT SLEEP(30)'"), what="it sleeps")
        took = take_over(gateway)
        with contextlib.closing(target.connect()) as other:
            second = other.cursor()
            assert other.thread_id() > number
            second.execute(f"KILL QUERY {number}")
        thread.join(60)
        assert ended and ended[0] in (1, 1317), ended
    took.old_has_ended()


@pytest.mark.mariadb
def test_sysbench_with_reconnects(my_server, own_my_gateway):
    gateway = own_my_gateway(drain("10s") + mariadb.shared_config(my_server))
    with reconnecting.sysbench(my_server, gateway, 3):
        time.sleep(1)
        take_over(gateway).old_has_ended()
