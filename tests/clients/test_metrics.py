"""Numbers: what the load did is what is counted, exactly, on every engine and protocol."""
import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.parse
from http import client as http_client

import psycopg
import pymysql
import pytest

import mariadb
import metrics
import servers

pytestmark = pytest.mark.gateway


@pytest.fixture(scope="module")
def counted(cluster, my_server, folder):
    """Sluice in front of everything, with HTTP."""
    my_port = servers.free_port()
    listen, http = metrics.listen(mysql=f'["127.0.0.1:{my_port}"]')
    config = "".join([
        servers.table(cluster, "app", 'size = 2, queue_timeout = "20s"'),
        servers.table(cluster, "plain", 'size = 1, multiplex = false, queue_timeout = "3s"'),
        mariadb.database(my_server, "shop", ""), servers.file_table("lite", "lite.db"),
        servers.table(cluster, "few", "size = 4"), servers.file_table("fewer", "fewer.db"),
        servers.file_table("hasty", "hasty.db", """statement_timeout = "700ms"
transaction_timeout = "1200ms"
idle_transaction_timeout = "600ms"
"""),
        "[tenants.few]\nmax_concurrent = 1\n",
        "[tenants.fewer]\nmax_concurrent = 1\nmax_queued = 1\n", servers.ALICE])
    # What a test that failed may have left.
    cluster.sql("DROP TABLE IF EXISTS statements_counted, many")
    my_server.sql("DROP TABLE IF EXISTS app.counted2")
    with servers.Sluice(folder / "counted", config, listen) as running:
        running.my_port = my_port
        running.http = metrics.Http(http)
        yield running


def pg(running, database):
    return servers.Target("counted", running.port, database, "alice", servers.PASSWORD)


def my(running, database):
    return pymysql.connect(host="127.0.0.1", port=running.my_port, user="alice",
                           password=servers.PASSWORD, database=database, autocommit=True)


class Difference:
    """What the totals of one database grew by since it was made."""

    def __init__(self, running, database):
        self.http, self.database = running.http, database
        self.before = self.now()

    def now(self):
        found = [each for each in self.http.state()["databases"] if each["name"] == self.database]
        return found[0] if found else {}

    def __getitem__(self, name):
        return self.now()[name] - self.before.get(name, 0)


def settled(running, database):
    """Clients that left are gone for the gateway, too."""
    def idle():
        now = [each for each in running.http.state()["databases"] if each["name"] == database]
        return not now or (now[0]["clients"], now[0]["active"], now[0]["waiting"]) == (0, 0, 0)
    servers.wait_until(idle, what="no clients are left")


@pytest.mark.parametrize("database", ["app", "plain", "lite"])
def test_postgres_statements_and_transactions(counted, database):
    grown = Difference(counted, database)
    with psycopg.connect(pg(counted, database).dsn(), autocommit=True) as db:
        db.execute("CREATE TABLE statements_counted (a int)")
        for i in range(20):
            db.execute("INSERT INTO statements_counted VALUES (%s)", (i,), prepare=False)
        assert len(db.execute("SELECT a FROM statements_counted", prepare=True).fetchall()) == 20
        with db.transaction():
            db.execute("UPDATE statements_counted SET a = a + 1")
            db.execute("SELECT count(*) FROM statements_counted")
        with pytest.raises(psycopg.Error):
            db.execute("SELECT * FROM nowhere")
        db.execute("DROP TABLE statements_counted")
    settled(counted, database)
    # CREATE, 20 INSERT, SELECT, BEGIN, UPDATE, SELECT, COMMIT, an error, DROP, and psycopg's own
    # DEALLOCATE ALL after that.
    assert grown["statements"] == 29
    assert grown["transactions"] == 26
    assert grown["errors"] == 1
    assert grown["rows"] == 20 + 20 + 20 + 1
    assert grown["logins"] == 1


@pytest.mark.parametrize("database", ["shop", "lite"])
def test_mysql_statements_and_transactions(counted, database):
    grown = Difference(counted, database)
    db = my(counted, database)
    connected = grown["statements"]  # the driver's own
    with db.cursor() as cursor:
        cursor.execute("CREATE TABLE counted2 (a int)")
        for i in range(20):
            cursor.execute("INSERT INTO counted2 VALUES (%s)", (i,))
        cursor.execute("SELECT a FROM counted2")
        assert len(cursor.fetchall()) == 20
        db.begin()
        cursor.execute("UPDATE counted2 SET a = a + 1")
        cursor.execute("SELECT count(*) FROM counted2")
        db.commit()
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("SELECT * FROM nowhere")
        cursor.execute("DROP TABLE counted2")
    db.close()
    settled(counted, database)
    assert grown["statements"] - connected == 28
    assert grown["transactions"] - connected == 25
    assert grown["errors"] == 1
    assert grown["rows"] == 20 + 20 + 20 + 1
    code = "1146"
    assert counted.http.total("sluice_errors_total", database=database, code=code) == 1


@pytest.mark.parametrize("database", ["app", "plain", "lite"])
def test_pipelined_requests_are_each_counted(counted, database):
    grown = Difference(counted, database)
    with psycopg.connect(pg(counted, database).dsn(), autocommit=True) as db:
        with db.pipeline():
            for i in range(30):
                db.execute("SELECT %s::int", (i,))
    with psycopg.connect(pg(counted, database).dsn(), autocommit=True) as db, db.cursor() as cursor:
        cursor.execute("CREATE TABLE many (a int)")
        cursor.executemany("INSERT INTO many VALUES (%s)", [(i,) for i in range(50)])
        cursor.execute("DROP TABLE many")
    settled(counted, database)
    assert grown["statements"] == 83, "and DEALLOCATE ALL"


def pgbench(target, mode, clients, transactions):
    done = subprocess.run(
        [servers.PG_BIN / "pgbench", "-n", "-S", "-M", mode, "-c", str(clients), "-t",
         str(transactions)], env=target.environment(), capture_output=True, text=True, timeout=60)
    all_of_them = clients * transactions
    assert f"processed: {all_of_them}/{all_of_them}" in done.stdout, done.stdout + done.stderr


def calls(running, database):
    return sum(each["calls"] for each in running.http.json("/api/v1/statements")
               if each["database"] == database
               and each["text"] == "SELECT abalance FROM pgbench_accounts WHERE aid = ?;")


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("database", ["app", "plain"])
def test_pgbench_counts_the_same(counted, database, mode):
    """Many clients at once, multiplexed where that is on."""
    if not calls(counted, "app"):
        subprocess.run([servers.PG_BIN / "pgbench", "-i", "-q", "-s", "1"], check=True,
                       env=pg(counted, "app").environment(), capture_output=True, timeout=60)
    target = pg(counted, database)
    names = ("statements", "transactions", "rows")
    once = Difference(counted, database)
    pgbench(target, mode, 1, 1)
    settled(counted, database)
    own = {name: once[name] - 1 for name in names}  # it looks at its tables first
    grown, before = Difference(counted, database), calls(counted, database)
    pgbench(target, mode, 12, 200)
    settled(counted, database)
    assert {name: grown[name] - own[name] for name in names} == dict.fromkeys(names, 2400)
    assert calls(counted, database) - before == 2400
    assert (grown["multiplexed"] > 0) == (database == "app")


@pytest.mark.parametrize("database", ["app", "lite"])
def test_bytes_are_those_of_the_socket(counted, database):
    """A relay of our own counts what passes."""
    grown = Difference(counted, database)
    with metrics.Door(counted.port) as door:
        target = pg(counted, database).but(port=door.port)
        with psycopg.connect(target.dsn(), autocommit=True) as db:
            for size in (1, 1000, 300_000):
                assert len(servers.value(db, "SELECT %s::text", "x" * size)) == size
    settled(counted, database)
    assert grown["received_bytes"] == door.up
    assert grown["sent_bytes"] == door.down


def test_waiting_is_seen_timed_and_refused(counted):
    refused = counted.http.total("sluice_refusals_total", database="plain", reason="queue_timeout")
    with servers.clients(pg(counted, "plain"), 2) as (holder, waiter):
        holder.execute("BEGIN")
        longer = waited_longer(counted)
        late = threading.Thread(target=lambda: pytest.raises(psycopg.Error, waiter.execute, "SELECT 1"))
        late.start()
        now = servers.wait_until(lambda: (s := counted.http.state())["waiting"] and s, what="waits")
        [row] = now["waiting"]
        assert (row["for"], row["database"], row["user"]) == ("pool full", "plain", "alice")
        [held] = now["pinned"]
        assert held["state"] == "in transaction" and held["backend"] > 0
        late.join()
        holder.execute("ROLLBACK")
    assert counted.http.total("sluice_refusals_total", database="plain",
                              reason="queue_timeout") == refused + 1
    assert waited_longer(counted) == longer + 1


@pytest.mark.parametrize("database", ["few", "fewer"])
@pytest.mark.parametrize("prepare", [False, True])
def test_a_tenants_limit_is_the_reason(counted, database, prepare):
    grown = Difference(counted, database)
    with servers.clients(pg(counted, database), 2) as (holder, waiter):
        holder.execute("CREATE TABLE IF NOT EXISTS held (a int)")
        holder.execute("BEGIN")
        holder.execute("INSERT INTO held VALUES (1)")
        late = threading.Thread(target=waiter.execute, args=("SELECT a FROM held WHERE a = %s", (1,)),
                                kwargs={"prepare": prepare})
        late.start()
        now = servers.wait_until(lambda: (s := counted.http.state())["waiting"] and s, what="waits")
        [row] = now["waiting"]
        assert (row["for"], row["tenant"]) == ("tenant limit", database)
        assert row["why"] == "1 of max_concurrent = 1 requests run"
        [tenant] = [each for each in counted.http.state()["tenants"] if each["name"] == database]
        assert (tenant["running"], tenant["queued"], tenant["max_concurrent"]) == (1, 1, 1)
        assert counted.http.total("sluice_tenant_queued", tenant=database) == 1
        assert counted.http.total("sluice_clients_waiting", database=database) == 1
        time.sleep(0.2)
        holder.execute("COMMIT")
        late.join(60)
    settled(counted, database)
    assert grown["wait_ms"] >= 200
    assert counted.http.total("sluice_clients_waiting", database=database) == 0


@pytest.mark.parametrize("reach", [pg, None])
def test_a_tenants_refusals_are_counted(counted, reach):
    """One runs, one waits, and max_queued = 1 has no room for the third."""
    def refused():
        return (counted.http.total("sluice_tenant_refusals_total", tenant="fewer", limit="max_queued"),
                counted.http.total("sluice_refusals_total", database="fewer", reason="queue_full"))
    before = refused()
    errors = Difference(counted, "fewer")
    with servers.clients(pg(counted, "fewer"), 2) as (holder, waiter):
        holder.execute("CREATE TABLE IF NOT EXISTS held (a int)")
        holder.execute("BEGIN")
        holder.execute("INSERT INTO held VALUES (1)")
        late = threading.Thread(target=waiter.execute, args=("SELECT a FROM held",))
        late.start()
        servers.wait_until(lambda: counted.http.state()["waiting"], what="waits")
        if reach:
            with psycopg.connect(pg(counted, "fewer").dsn(), autocommit=True) as third:
                with pytest.raises(psycopg.Error, match="max_queued"):
                    third.execute("SELECT 1")
        else:
            third = my(counted, "fewer")
            with pytest.raises(pymysql.MySQLError, match="max_queued"):
                third.query("SELECT 1")
            third.close()
        holder.execute("COMMIT")
        late.join(60)
    settled(counted, "fewer")
    assert refused() == (before[0] + 1, before[1] + 1)
    assert errors["errors"] == 1


def waited_longer(running):
    """Requests that waited longer than 268 ms."""
    short = running.http.total("sluice_wait_seconds_bucket", pool="plain", le="0.268435456")
    return running.http.total("sluice_wait_seconds_count", pool="plain") - short


def test_pins_have_reasons(counted):
    with psycopg.connect(pg(counted, "app").dsn(), autocommit=True) as db:
        db.execute("LISTEN news")
        now = counted.http.state()
        assert [each["pinned_by"] for each in now["pinned"]] == ["LISTEN"]
    assert counted.http.total("sluice_pins_total", pool="app", reason="LISTEN") >= 1


def test_login_failures(counted):
    before = counted.http.total("sluice_login_failures_total")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(pg(counted, "app").but(password="wrong").dsn())
    assert counted.http.total("sluice_login_failures_total") == before + 1


def test_metrics_are_what_prometheus_takes(counted):
    _, text, _ = counted.http.ask("/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_scrapes_it(counted, folder):
    port = servers.free_port()
    (folder / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: sluice
    static_configs: [{{ targets: ["127.0.0.1:{counted.http.port}"] }}]
""")
    with open(folder / "prometheus.log", "wb") as log:
        server = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder}/tsdb"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    http = metrics.Http(port)

    def query(text):
        try:
            status, body, _ = http.ask("/api/v1/query?query=" + text)
        except OSError:
            return None
        found = json.loads(body)["data"]["result"] if status == 200 else None
        return float(found[0]["value"][1]) if found else None

    try:
        servers.wait_until(lambda: query("up") == 1.0, what="Prometheus has scraped")
        with psycopg.connect(pg(counted, "app").dsn(), autocommit=True) as db:
            for _ in range(100):
                db.execute("SELECT 1")
        exact = counted.http.total("sluice_statements_total")
        servers.wait_until(lambda: query("sum(sluice_statements_total)") == exact,
                           what="Prometheus has the gateway's number")
        servers.wait_until(lambda: query("sum(increase(sluice_loop_delay_seconds_count[60s]))")
                           is not None, what="a rate")
    finally:
        server.terminate()
        server.wait(60)


def test_health(counted):
    assert counted.http.ask("/healthz")[:2] == (200, "ok\n")
    status, body, _ = counted.http.ask("/readyz")
    assert (status, json.loads(body)["reasons"]) == (200, [])


def test_ready_from_the_first_answer(folder):
    """While it starts a probe may be refused or wait, and so may a client; never is one told 503
    beside a port that is open."""
    place = folder / "starts"
    for _ in range(5):
        listen, http = metrics.listen()
        running = servers.Sluice(place, "[gateway]\nworkers = 16\n" + servers.file_table("lite", "a.db")
                                 + servers.ALICE, listen)
        seen, over = [], threading.Event()
        threads = [threading.Thread(target=ask_until_answered, args=(each, http, seen, over))
                   for each in (http, running.port)]
        for each in threads:
            each.start()
        with running:
            for each in threads:
                each.join(60)
            over.set()
        assert len(seen) == 2 and {status for status, _ in seen} == {200}, seen


def ask_until_answered(first, http, seen, over):
    """/readyz as soon as `first` is open."""
    while not over.is_set() and not servers.accepts(first):
        pass
    while not over.is_set():
        with contextlib.suppress(ConnectionError):
            asked = http_client.HTTPConnection("127.0.0.1", http, timeout=60)
            asked.request("GET", "/readyz")
            answer = asked.getresponse()
            return seen.append((answer.status, answer.read()))


def test_a_server_that_is_gone_is_not_ready(folder):
    listen, port = metrics.listen()
    config = f"""
[databases.away]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{servers.free_port()}/app"
pool = {{ queue_timeout = "500ms", connect_timeout = "300ms" }}
[users.alice]
password = "{servers.PASSWORD}"
"""
    with servers.Sluice(folder / "away", config, listen) as running:
        http = metrics.Http(port)
        servers.wait_until(lambda: http.ask("/readyz")[0] == 200, what="it is ready")
        with pytest.raises(psycopg.Error):
            psycopg.connect(pg(running, "away").dsn())
        status, body, _ = http.ask("/readyz")
        assert status == 503 and 'pool "away"' in json.loads(body)["reasons"][0]
        assert http.total("sluice_connect_failures_total", pool="away") >= 1
        assert http.total("sluice_pool_up", pool="away") == 0


def test_only_who_may_look_does(counted):
    assert counted.http.ask("/metrics", Host="127.0.0.1")[0] == 200
    assert counted.http.ask("/metrics", Host="evil.example")[0] == 403, "DNS rebinding"
    assert counted.http.ask("/api/v1/pause", b"database=app")[0] == 403


def test_token(cluster, folder):
    token = "a-token-of-some-length"
    listen, port = metrics.listen(http_token=f'"{token}"')
    listen = listen.replace("127.0.0.1:" + str(port), "0.0.0.0:" + str(port))
    with servers.Sluice(folder / "token", servers.shared_config(cluster), listen,
                        secrets=(servers.PASSWORD, token)):
        nobody, known = metrics.Http(port), metrics.Http(port, token)
        servers.wait_until(lambda: nobody.ask("/readyz")[0] == 200, what="it is ready")
        for path in ("/metrics", "/api/v1/state", "/"):
            assert nobody.ask(path)[0] == 401
            assert known.ask(path)[0] == 200
        assert nobody.ask("/healthz")[0] == 200
        assert "databases" not in nobody.ask("/readyz")[1]
        assert metrics.Http(port, token + "x").ask("/metrics")[0] == 401
        assert nobody.ask("/login", b"token=wrong")[0] == 401
        cookie = log_in(port, b"token=" + token.encode())
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert nobody.ask("/metrics", Cookie=cookie.split(";")[0])[0] == 200


def log_in(port, form):
    """The Set-Cookie header of a login that goes well."""
    with socket.create_connection(("127.0.0.1", port), 60) as wire:
        wire.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                     b"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(form), form))
        answer = b""
        while data := wire.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 303"), answer
    [line] = [line for line in answer.decode().split("\r\n") if line.startswith("Set-Cookie: ")]
    return line.removeprefix("Set-Cookie: ")


def test_an_open_address_needs_a_token(folder):
    file = folder / "open.toml"
    file.write_text('[listen]\npostgres = ["127.0.0.1:0"]\nhttp = "0.0.0.0:9632"\n')
    done = subprocess.run([servers.BINARY, "check", file], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode != 0
    assert "open.toml:3:8" in done.stderr + done.stdout and "http_token" in done.stderr + done.stdout


@pytest.mark.clock
def test_a_thousand_pools_are_scraped_quickly(folder):
    """[databases."*"]: one pool per name that clients use; nobody has to serve them."""
    listen, port = metrics.listen()
    config = f"""
[databases.lite]
engine = "sqlite"
file = "lite.db"
[databases."*"]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{servers.free_port()}"
pool = {{ size = 2, connect_timeout = "2s", queue_timeout = "20ms" }}
[users.alice]
password = "{servers.PASSWORD}"
[auth]
method = "trust"
"""
    with servers.Sluice(folder / "thousand", config, listen) as running:
        def visit(names):
            for name in names:
                with pytest.raises(psycopg.Error):
                    psycopg.connect(pg(running, name).dsn())

        names = [f"db{i}" for i in range(1000)]
        visitors = [threading.Thread(target=visit, args=(names[i::16],)) for i in range(16)]
        for each in visitors:
            each.start()
        for each in visitors:
            each.join()
        http = metrics.Http(port)
        assert len(http.samples()["sluice_statements_total"]) >= 1000
        slow = servers.slowness()
        took = best(lambda: scrape(port), 0.05 * slow)
        assert took < 0.05 * slow, f"{took * 1000:.0f} ms"
        with servers.clients(pg(running, "lite"), 300):
            assert http.state()["clients"] == {"idle": 300}
            piece = best(lambda: http.state()["longest_piece_ms"], slow)
        assert 0 < piece < slow, f"{piece:.2f} ms of a worker's loop at once"


def best(look, enough):
    """The least of what is seen, until it is small enough: others use this machine, too."""
    least = look()
    for _ in range(60):
        if least < enough:
            break
        least = min(least, look())
    return least


def scrape(port):
    """Seconds until all is here."""
    room = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port), 60) as wire:
        began = time.monotonic()
        wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while wire.recv_into(room):
            pass
        return time.monotonic() - began


def test_sqlite_numbers(counted):
    with psycopg.connect(pg(counted, "lite").dsn(), autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS flushed (a int)")
        before = counted.http.total("sluice_sqlite_fsyncs_total", database="lite")
        for i in range(10):
            db.execute("INSERT INTO flushed VALUES (%s)", (i,))
        after = counted.http.total("sluice_sqlite_fsyncs_total", database="lite")
        assert after - before == 10, "nobody else wrote: each commit flushes"
        assert counted.http.total("sluice_sqlite_wal_frames", database="lite") > 0


ENDLESS = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000) "
           "SELECT count(*) FROM c")


def statement_takes_too_long(run):
    run(ENDLESS)


def transaction_is_idle(run):
    run("BEGIN")
    run("INSERT INTO hasty VALUES (1)")
    time.sleep(1.1)
    run("INSERT INTO hasty VALUES (2)")


def transaction_takes_too_long(run):
    run("BEGIN")
    for _ in range(500):
        run("INSERT INTO hasty VALUES (1)")
        time.sleep(0.05)


def transaction_is_over_between_statements(run):
    """Noticed by the sweep, told at the next statement."""
    run("BEGIN")
    run("SELECT 1")  # holds no writer, so that idling is allowed
    time.sleep(1.8)
    run("INSERT INTO hasty VALUES (1)")


@pytest.mark.clock
@pytest.mark.parametrize("reach", ["postgres", "mysql"])
@pytest.mark.parametrize("work, limit, codes", [
    (statement_takes_too_long, "statement_timeout", ("57014", "3024")),
    (transaction_is_idle, "idle_transaction_timeout", ("25P03", "3024")),
    (transaction_takes_too_long, "transaction_timeout", ("25P04", "3024")),
    (transaction_is_over_between_statements, "transaction_timeout", ("25P04", "3024"))])
def test_time_limits_of_sqlite_are_counted(counted, reach, work, limit, codes):
    code = codes[reach == "mysql"]

    def now():
        return (counted.http.total("sluice_refusals_total", database="hasty", reason=limit),
                counted.http.total("sluice_errors_total", database="hasty", code=code))

    if reach == "postgres":
        client = psycopg.connect(pg(counted, "hasty").dsn(), autocommit=True)
        run = client.execute
    else:
        client = my(counted, "hasty")
        run = client.cursor().execute
    try:
        run("CREATE TABLE IF NOT EXISTS hasty (n int)")
        before = now()
        with pytest.raises((psycopg.Error, pymysql.Error), match=limit):
            work(run)
        assert now() == (before[0] + 1, before[1] + 1)
    finally:
        client.close()


@pytest.mark.parametrize("database", ["app", "lite"])
def test_admins_pause_and_resume(cluster, folder, database):
    listen, port = metrics.listen()
    config = servers.shared_config(cluster) + "admin = true\n"
    with servers.Sluice(folder / f"paused-{database}", config, listen) as running:
        http = metrics.Http(port)
        form = urllib.parse.urlencode({"user": "alice", "password": servers.PASSWORD}).encode()
        assert http.ask("/login", b"user=alice&password=wrong")[0] == 401
        cookie = log_in(port, form).split(";")[0]
        word = json.loads(http.ask("/api/v1/session", Cookie=cookie)[1])["word"]
        pause = {"Cookie": cookie, "X-Sluice-Word": word}
        assert http.ask("/api/v1/pause", f"database={database}".encode(), Cookie=cookie)[0] == 403, "no word"
        assert http.ask("/api/v1/pause", b"database=nowhere", **pause)[0] == 404
        target = pg(running, database)
        this_one = f"database={database}".encode()
        with psycopg.connect(target.dsn(), autocommit=True) as db:
            assert servers.value(db, "SELECT 1") == 1
            assert http.ask("/api/v1/pause", this_one, **pause)[0] == 200
            late = threading.Thread(target=db.execute, args=("SELECT 2",))
            late.start()
            [row] = servers.wait_until(lambda: http.state()["waiting"], what="the client waits")
            assert row["for"] == "database paused"
            assert http.ask("/api/v1/resume", this_one, **pause)[0] == 200
            late.join(60)
            assert not late.is_alive()
