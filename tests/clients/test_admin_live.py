"""The admin console over a gateway at work: its numbers are the load's, who waits and who is pinned,
KILL_CLIENT, RELOAD, SHUTDOWN, and Debian's exporter for PgBouncer."""
import contextlib
import os
import re
import select
import socket
import subprocess
import threading
import time
import urllib.request

import psycopg
import pymysql
import pytest

import pgwire
import servers
from admin_console import (admin_gateway, connect, console, load, my_connect,  # noqa: F401
                           psql, row_of, table)
from servers import PASSWORD, wait_until
from test_login import certificates  # noqa: F401

pytestmark = pytest.mark.gateway


def test_kill_client(admin_gateway, console):
    with connect(admin_gateway, "app", "alice", application_name="victim") as client:
        client.execute("SELECT 1")
        row = row_of(console, "CLIENTS", application_name="victim")
        console.execute(f"KILL_CLIENT {row['id']}")
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    with pytest.raises(psycopg.errors.UndefinedObject):
        console.execute(f"KILL_CLIENT {row['ptr']}")


def test_where_servers_are_connected_from(admin_gateway, console, cluster):
    """local_addr and local_port are the server's client_addr and client_port."""
    with connect(admin_gateway, "app", "alice") as client:
        servers.value(client, "SELECT 1")
        shown = {row["remote_pid"]: (row["local_addr"], row["local_port"])
                 for row in table(console, "SERVERS") if row["database"] == "app"}
        there = cluster.sql("SELECT pid, client_addr, client_port FROM pg_stat_activity "
                            "WHERE client_port > 0")
        known = {int(pid): (address, int(port))
                 for pid, address, port in (line.split("|") for line in there)}
        assert shown and all(known[pid] == local for pid, local in shown.items())


def test_close_needed(admin_gateway, console):
    """After RECONNECT, of connections that are in use still."""
    def needed():
        return [row["close_needed"] for row in table(console, "SERVERS")
                if row["database"] == "one"]

    with connect(admin_gateway, "one", "alice") as client:
        client.autocommit = False
        servers.value(client, "SELECT 1")
        assert needed() == [0]
        console.execute("RECONNECT one")
        wait_until(lambda: needed() == [1], what="it is to be closed")
        client.rollback()
        servers.value(client, "SELECT 1")
        wait_until(lambda: needed() == [0], what="another one")


def test_where_clients_are_connected_to(own_gateway, folder):
    """As PgBouncer shows them: both ends, and of a Unix socket the port that it is named for."""
    number, my_port = servers.free_port(), servers.free_port()
    with servers.short_folder() as place:
        running = own_gateway(
            "[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n"
            f"[users.alice]\npassword = '{PASSWORD}'\n"
            f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n",
            listen=f'[listen]\npostgres = ["127.0.0.1:{{port}}", "unix:{place}/.s.PGSQL.{number}"]\n'
                   f'mysql = ["127.0.0.1:{my_port}", "unix:{place}/mysql.sock"]\n'
                   'mysql_version = "10.11.6-MariaDB"\n')
        running.my_port = my_port
        with connect(running) as console, connect(running, "lite", "alice") as tcp, \
                psycopg.connect(host=place, port=number, user="alice", dbname="lite",
                                password=PASSWORD) as named, \
                my_connect(running, "lite", "alice") as my_tcp, \
                pymysql.connect(unix_socket=f"{place}/mysql.sock", user="alice", database="lite",
                                password=PASSWORD) as my_unix:
            rows = [row for row in table(console, "CLIENTS") if row["database"] == "lite"]
            shown = sorted((row["addr"], row["port"], row["local_addr"], row["local_port"],
                            row["protocol"], row["remote_pid"]) for row in rows)
            sockets = [socket.socket(fileno=os.dup(each)) for each in
                       (tcp.fileno(), my_tcp._sock.fileno())]
            near, my_near = [each.getsockname() for each in sockets]
            far, my_far = [each.getpeername() for each in sockets]
            for each in sockets:
                each.close()
            assert shown == sorted([
                (*near, *far, "postgres", 0),
                ("unix", number, "unix", number, "postgres", os.getpid()),
                (*my_near, *my_far, "mysql", 0),
                ("unix", 0, "unix", 0, "mysql", os.getpid())])
            assert {row["close_needed"] for row in table(console, "CLIENTS")} == {0}
            assert named.info.status.name == "OK" and my_unix.open


def test_clients_that_will_be_closed(own_gateway):
    """Those of a database that a reload took away, and everybody's when the gateway drains."""
    databases = "".join(f"[databases.{name}]\nengine = 'sqlite'\nfile = '{name}.db'\n"
                        for name in ("stays", "goes"))
    rest = (f"[users.alice]\npassword = '{PASSWORD}'\n"
            f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n"
            "[gateway]\ndrain_timeout = '60s'\n")
    running = own_gateway(databases + rest)

    def needed():
        return {row["database"]: row["close_needed"] for row in table(console, "CLIENTS")}

    with connect(running) as console, connect(running, "stays", "alice") as stays, \
            contextlib.closing(connect(running, "goes", "alice")) as goes:
        for each in (stays, goes):
            each.execute("BEGIN")
            each.execute("SELECT 1")
        assert needed() == {"sluice": 0, "stays": 0, "goes": 0}
        running.write(databases[:databases.index("[databases.goes]")] + rest)
        console.execute("RELOAD")
        wait_until(lambda: needed() == {"sluice": 0, "stays": 0, "goes": 1}, what="it is to go")
        with pytest.raises(psycopg.OperationalError):
            goes.execute("ROLLBACK")
            goes.execute("SELECT 1")
        wait_until(lambda: needed() == {"sluice": 0, "stays": 0}, what="it has gone")
        console.execute("SHUTDOWN WAIT_FOR_CLIENTS")
        wait_until(lambda: needed() == {"sluice": 1, "stays": 1}, what="all are to go")
        stays.execute("ROLLBACK")
        assert running.process.wait(60) == 0


class Counted:
    """A socket that counts what passes."""

    def __init__(self, inner):
        self.inner, self.sent, self.received = inner, 0, 0

    def sendall(self, data):
        self.inner.sendall(data)
        self.sent += len(data)

    def recv(self, size):
        data = self.inner.recv(size)
        self.received += len(data)
        return data

    def recv_into(self, buffer):
        count = self.inner.recv_into(buffer)
        self.received += count
        return count

    def close(self):
        self.inner.close()


def generate_load(client, rounds):
    """Statements, transactions and errors of what it does."""
    extended = (pgwire.parse("", "SELECT $1::text, 'some text'") + pgwire.bind("", "", ["x" * 99])
                + pgwire.execute() + pgwire.sync())
    for i in range(rounds):
        client.send(pgwire.query("SELECT 1, 2"))
        client.drain()
        client.send(extended)
        client.drain()
        for text in ("BEGIN", "SELECT 3", "COMMIT"):
            client.send(pgwire.query(text))
            client.drain()
        client.send(pgwire.query(f"SELECT nonsense_{i}"))
        while client.receive()[0] != b"Z":
            pass
    return 6 * rounds, 4 * rounds, rounds


@pytest.mark.parametrize("database", ["app", "lite"])
def test_numbers_agree_with_the_load(admin_gateway, console, database):
    """Statements, transactions, errors, rows and bytes: exactly."""
    rounds, workers = 50, 4
    clients = [pgwire.Blocking("127.0.0.1", admin_gateway.port, "alice", database, PASSWORD,
                               timeout=60) for _ in range(workers)]
    for each in clients:
        # What a login took is counted when it has ended: a moment after the client hears of that.
        each.send(pgwire.query("SELECT 1"))
        each.drain()
        each.socket = Counted(each.socket)
    # Whom other tests had has left.
    wait_until(lambda: row_of(console, "TENANTS", tenant=database)["clients"] == workers,
               what="these clients alone")
    before = row_of(console, "STATS", database=database)
    calls = calls_of(console, database)
    done = []
    threads = [threading.Thread(target=lambda c=c: done.append(generate_load(c, rounds)))
               for c in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    after = row_of(console, "STATS", database=database)
    grown = {name: after[name] - before[name] for name in after if name.startswith("total_")}
    statements, transactions, errors = (sum(column) for column in zip(*done))
    assert len(done) == workers
    assert grown["total_query_count"] == statements
    assert grown["total_xact_count"] == transactions
    assert grown["total_errors"] == errors
    assert grown["total_received"] == sum(each.socket.sent for each in clients)
    assert grown["total_sent"] == sum(each.socket.received for each in clients)
    assert grown["total_rows"] == 3 * rounds * workers
    assert 0 < grown["total_query_time"] and 0 < grown["total_xact_time"]
    assert row_of(console, "TOTALS", name="total_query_count")["value"] >= statements
    now = calls_of(console, database)
    for text in ("SELECT ?, ...", "SELECT ?::text, ?", "BEGIN"):
        assert now[text] - calls.get(text, 0) == rounds * workers, (text, now)
    codes = [row for row in table(console, "ERRORS") if row["database"] == database]
    assert sum(row["count"] for row in codes if row["source"] == "all") == after["total_errors"]
    tenant = row_of(console, "TENANTS", tenant=database)
    assert (tenant["clients"], tenant["statements"]) == (workers, after["total_query_count"])
    for each in clients:
        each.close()


def calls_of(console, database):
    return {row["statement"]: row["calls"] for row in table(console, "STATEMENTS")
            if row["database"] == database}


def test_numbers_of_mysql_clients(admin_gateway):
    """The same over the other listener, asked for there."""
    with contextlib.closing(my_connect(admin_gateway, "sluice")) as console, \
            contextlib.closing(my_connect(admin_gateway, "lite", "alice")) as client:
        def count():
            with console.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute("SHOW STATS_TOTALS")
                return next(row for row in cursor.fetchall() if row["database"] == "lite")
        before = count()
        with client.cursor() as cursor:
            for i in range(77):
                cursor.execute("SELECT %s", (i,))
            with pytest.raises(pymysql.MySQLError):
                cursor.execute("SELECT nonsense")
        after = count()
        assert after["query_count"] - before["query_count"] == 78
        assert after["errors"] - before["errors"] == 1


def test_who_waits_and_who_is_pinned(admin_gateway, console):
    with connect(admin_gateway, "one", "alice") as holder, \
            connect(admin_gateway, "one", "alice", application_name="waiter") as waiter:
        holder.execute("BEGIN")
        thread = threading.Thread(target=waiter.execute, args=("SELECT 1",))
        thread.start()
        row = wait_until(lambda: [each for each in table(console, "WAITING")
                                  if each["application_name"] == "waiter"])[0]
        assert row["waits_for"] and row["database"] == "one"
        pool = row_of(console, "POOLS", database="one")
        assert (pool["cl_waiting"], pool["sv_active"]) == (1, 1)
        holder.execute("COMMIT")
        thread.join(60)
        holder.execute("LISTEN news")
        pinned = row_of(console, "PINS", database="one")
        assert "LISTEN" in pinned["pinned_by"] and pinned["user"] == "alice"
        client = row_of(console, "CLIENTS", id=pinned["id"])
        server = row_of(console, "SERVERS", database="one")
        assert (client["link"], server["link"]) == (server["ptr"], client["ptr"])
        assert server["remote_pid"] == pinned["server_pid"] > 0


def test_prometheus_pgbouncer_exporter(admin_gateway, console):
    port = servers.free_port()
    process = subprocess.Popen(
        ["prometheus-pgbouncer-exporter", "--host", "127.0.0.1", "--port", str(port),
         "--pgbouncer-host", "127.0.0.1", "--pgbouncer-port", str(admin_gateway.port),
         "--pgbouncer-user", "root"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, "PGPASSWORD": PASSWORD})
    try:
        wait_until(lambda: process.poll() is not None or servers.accepts(port), what="the exporter")
        with load(admin_gateway, workers=2) as working:
            working.stop.set()
            for each in working.threads:
                each.join(60)
            wait_until(lambda: not [row for row in table(console, "CLIENTS")
                                    if row["database"] == "app"], what="they have left")
            asked = row_of(console, "STATS", database="app")
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read()
        text = text.decode()
        for metric in ("pgbouncer_requests_total", "pgbouncer_received_bytes_total",
                       "pgbouncer_active_clients", "pgbouncer_waiting_clients",
                       "pgbouncer_pool_size"):
            assert re.search(rf'^{metric}{{database="app"[^}}]*}} ', text, re.M), (metric, text)
        assert re.search(r"^pgbouncer_used_clients [1-9]", text, re.M)
        for metric, column in (("requests_total", "total_requests"),
                               ("received_bytes_total", "total_received"),
                               ("query_microseconds_total", "total_query_time")):
            found = re.search(rf'^pgbouncer_{metric}{{database="app"}} (.+)$', text, re.M)
            assert float(found[1]) == asked[column], metric
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_reload(admin_gateway, console):
    config = admin_gateway.config
    try:
        admin_gateway.write(config.replace(f"size = {servers.POOL_SIZE} ", "size = 7 "))
        changes = [row[1] for row in console.execute("RELOAD").fetchall()]
        assert any("databases.app.pool.size" in each for each in changes), changes
        assert row_of(console, "DATABASES", name="app")["pool_size"] == 7
        admin_gateway.write(config + "\n[databases.bad]\nengine = 'none'\n")
        with pytest.raises(psycopg.Error, match="sluice.toml:") as refused:
            console.execute("RELOAD")
        assert refused.value.sqlstate == "F0000"
        assert row_of(console, "DATABASES", name="app")["pool_size"] == 7
        # Who lost the right to look is told so, also when it is here already.
        with connect(admin_gateway, user="looker") as looker:
            looker.execute("SHOW POOLS")
            admin_gateway.write(config.replace("stats = true", "stats = false"))
            with contextlib.closing(my_connect(admin_gateway)) as other, other.cursor() as cursor:
                cursor.execute("RELOAD")
                assert any("looker" in row[1] for row in cursor.fetchall())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                looker.execute("SHOW POOLS")
    finally:
        admin_gateway.write(config)
        console.execute("RELOAD")


@pytest.mark.parametrize("how", ["SHUTDOWN", "SHUTDOWN WAIT_FOR_CLIENTS"])
def test_shutdown(own_gateway, how):
    running = own_gateway("[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n"
                          f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n")
    with contextlib.closing(connect(running, "lite")) as client:
        client.execute("SELECT 1")
        done = psql(running, how)
        assert "SHUTDOWN" in done.stdout, done.stderr
        assert running.process.wait(60) == 0
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")


def test_tls_is_as_for_everybody(own_gateway, certificates):
    names = f'cert_file = "{certificates}/server.crt", key_file = "{certificates}/server.key"'
    running = own_gateway(
        "[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n"
        f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n",
        listen='[listen]\npostgres = ["127.0.0.1:{port}"]\n'
               f'tls = {{{{ mode = "require", {names} }}}}\n')
    with pytest.raises(psycopg.OperationalError, match="TLS|SSL"):
        connect(running, sslmode="disable")
    with connect(running, sslmode="require") as console:
        assert row_of(console, "CLIENTS", database="sluice")["tls"] == "TLS"


def test_an_administrator_gets_in_when_it_is_full(own_gateway):
    running = own_gateway(
        "[gateway]\nmax_clients = 2\n[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n"
        f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n")
    with connect(running, "lite"), connect(running, "lite"):
        with connect(running) as console:
            assert len(table(console, "CLIENTS")) == 3
            with pytest.raises(psycopg.OperationalError, match="gateway.max_clients = 2"):
                connect(running, "lite")
    wait_until(lambda: opens(running, "lite"), what="there is room again")


def opens(gateway, database):
    with contextlib.suppress(psycopg.OperationalError), connect(gateway, database):
        return True
    return False


def test_who_does_not_read_is_not_answered_for_ever(admin_gateway, console):
    """Ten thousand questions at once, 40 MB of answers: not kept in memory, and all there in the end."""
    questions = 10000
    before = row_of(console, "MEM", name="resident")["used"]
    with contextlib.closing(pgwire.Blocking("127.0.0.1", admin_gateway.port, "root", "sluice",
                                            PASSWORD, timeout=60)) as client:
        sender = threading.Thread(target=client.send,
                                  args=(pgwire.query("SHOW HELP") * questions + b"X\0\0\0\4",))
        sender.start()
        for _ in range(10):
            time.sleep(0.05)
            grown = row_of(console, "MEM", name="resident")["used"] - before
            assert grown < 24 << 20, grown
        received, answers = b"", 0
        while piece := client.socket.recv(1 << 18):
            received = received[-5:] + piece
            answers += received.count(b"Z\0\0\0\5I")
        sender.join(60)
        assert answers == questions


def test_waiting_names_the_tenants_limit(own_gateway, cluster):
    running = own_gateway(servers.shared_config(cluster) + f"""
[users.root]
password = "{PASSWORD}"
admin = true
[tenants.app]
max_concurrent = 1
[tenants.lite]
max_concurrent = 1
""")
    for database in ("app", "lite"):
        with connect(running) as console, connect(running, database, "alice") as holder, \
                connect(running, database, "alice", application_name="waiter") as waiter:
            holder.execute("CREATE TABLE IF NOT EXISTS held (a int)")
            holder.execute("BEGIN")
            holder.execute("INSERT INTO held VALUES (1)")
            thread = threading.Thread(target=waiter.execute, args=("SELECT 1",))
            thread.start()
            row = wait_until(lambda: table(console, "WAITING"))[0]
            assert row["application_name"] == "waiter" and row["tenant"] == database
            assert row["waits_for"] == "1 of max_concurrent = 1 requests run", row
            assert row["position"] == 1 and row["wait_us"] >= 0
            tenant = row_of(console, "TENANTS", tenant=database)
            assert (tenant["active"], tenant["waiting"]) == (1, 1)
            holder.execute("ROLLBACK")
            thread.join(60)


def test_waiting_names_the_pause(admin_gateway, console):
    for database in ("app", "lite"):
        with connect(admin_gateway, database, "alice") as client:
            client.execute("SELECT 1")
            console.execute(f"PAUSE {database}")
            thread = threading.Thread(target=client.execute, args=("SELECT 1",))
            thread.start()
            row = wait_until(lambda: [each for each in table(console, "WAITING")
                                      if each["database"] == database])[0]
            assert row["waits_for"] == "database paused"
            console.execute(f"RESUME {database}")
            thread.join(60)
            assert not thread.is_alive()


def test_waiting_names_max_buffer_under_tls(own_gateway, certificates):
    """Who asks is held back while another one of its tenant does not read; who is idle is not."""
    names = f'cert_file = "{certificates}/server.crt", key_file = "{certificates}/server.key"'
    running = own_gateway(
        "[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n[tenants.lite]\nmax_buffer = '1B'\n"
        f"[users.alice]\npassword = '{PASSWORD}'\n"
        f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n",
        listen='[listen]\npostgres = ["127.0.0.1:{port}"]\n'
               f'tls = {{{{ mode = "require", {names} }}}}\n')

    def held():
        return [row["application_name"] for row in table(console, "WAITING")
                if re.fullmatch(r"\d+ of max_buffer = 1 bytes are in flight", row["waits_for"])]

    def tls(*whom, **options):
        return connect(running, *whom, sslmode="require", **options)

    with (tls() as console, tls("lite", "alice") as deaf,
          tls("lite", "alice", application_name="asks") as asks,
          tls("lite", "alice", application_name="idle") as idle):
        idle.execute("SELECT 1")
        deaf.pgconn.send_query(b"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                               b"WHERE n < 50000) SELECT printf('%.1000c', 'x') FROM c")
        deaf.pgconn.flush()
        wait_until(lambda: any(row["unsent_bytes"] for row in table(console, "CLIENTS")),
                   what="bytes are kept")
        thread = threading.Thread(target=asks.execute, args=("SELECT 1",))
        thread.start()
        wait_until(lambda: held() == ["asks"], what="it is held back")
        while deaf.pgconn.get_result():
            pass
        thread.join(60)
        assert not thread.is_alive() and not table(console, "WAITING")


def test_who_is_held_back_is_not_idle(own_gateway):
    """gateway.client_idle_timeout is not for clients whose request max_buffer leaves in the socket."""
    running = own_gateway(
        "[databases.lite]\nengine = 'sqlite'\nfile = 'x.db'\n[tenants.lite]\nmax_buffer = '1B'\n"
        f"[gateway]\nclient_idle_timeout = '1s'\n[users.alice]\npassword = '{PASSWORD}'\n"
        f"[users.root]\npassword = '{PASSWORD}'\nadmin = true\n")
    with contextlib.closing(connect(running, "lite", "alice")) as idle, \
            connect(running, "lite", "alice") as deaf, connect(running, "lite", "alice") as asks:
        deaf.pgconn.send_query(b"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                               b"WHERE n < 50000) SELECT printf('%.1000c', 'x') FROM c")
        deaf.pgconn.flush()
        with connect(running) as console:
            wait_until(lambda: any(row["unsent_bytes"] for row in table(console, "CLIENTS")),
                       what="bytes are kept")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(servers.value(asks, "SELECT 7")))
        thread.start()
        # Both have said nothing since: one is told so and has to go.
        assert select.select([idle.fileno()], [], [], 60)[0], "who is idle is closed"
        time.sleep(1.5)
        assert not answers and not select.select([asks.fileno()], [], [], 0)[0]
        while deaf.pgconn.get_result():
            pass
        thread.join(60)
        assert answers == [7]
