"""gateway.log.slow_statement: whose, with which trace, and where the time went."""
import json
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import metrics
import servers
from servers import value

pytestmark = pytest.mark.gateway

TRACE, SPAN = "5bd66ef5095369c7b0d1f8f4bd33716a", "c532cb4098ac3dd2"
PARENT = f"00-{TRACE}-{SPAN}-01"
COMMENT = f"/*db_driver='psycopg',traceparent='{PARENT}'*/"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WIDE = "SELECT repeat('x', 1000) FROM generate_series(1, 30000)"
WIDE_LITE = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) "
             "SELECT printf('%.1000c', 'x') FROM c")


@pytest.fixture(scope="module")
def running(cluster, my_server, folder):
    mysql, http = servers.free_port(), servers.free_port()
    pool = f"""
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"
statement_timeout = "1500ms"
"""
    config = (servers.table(cluster, "wide", "size = 1")
              + f'[databases.one]{pool}pool = {{ size = 1 }}\n'
              f'[databases.direct]{pool}pool = {{ mode = "session" }}\n'
              + mariadb.database(my_server, "shop", "size = 1")
              + '[databases.lite]\nengine = "sqlite"\nfile = "slow.db"\n'
              '[gateway.log]\nformat = "json"\nslow_statement = "200ms"\n'
              f'[users.alice]\npassword = "{servers.PASSWORD}"\n')
    listen = '[listen]\npostgres = ["127.0.0.1:{port}"]\nmysql = ["127.0.0.1:%d"]\n' % mysql
    listen += f'http = "127.0.0.1:{http}"\n'
    with servers.Sluice(folder / "slow", config, listen=listen) as gateway:
        gateway.mysql, gateway.http = mysql, metrics.Http(http)
        yield gateway


class Lines:
    """The slow statements that are logged from now on; on a slow machine, those with some word."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.before = {}
        for word in ("pg_sleep", "SLEEP", "repeat", "RECURSIVE"):
            self.before[word] = len(self.all(word))

    def all(self, word):
        lines = [json.loads(line) for line in self.gateway.log().splitlines()
                 if line.startswith("{") and line.endswith("}")]
        return [line for line in lines
                if line["message"] == "slow statement" and word in line["statement"]]

    def take(self, word, count=1):
        before = self.before[word]
        servers.wait_until(lambda: len(self.all(word)) >= before + count, what="a slow statement")
        found = self.all(word)[before:]
        self.before[word] += len(found)
        assert len(found) == count, found
        return found[0] if count == 1 else found


@pytest.fixture
def lines(running):
    yield Lines(running)
    assert running.process.poll() is None, "Sluice has ended"


def connect(gateway, database, **options):
    target = servers.Target(database, gateway.port, database, "alice", servers.PASSWORD)
    return psycopg.connect(target.dsn(), **{"autocommit": True, **options})


def my_connect(gateway, database, trace=None):
    made = pymysql.connect(host="127.0.0.1", port=gateway.mysql, user="alice",
                           password=servers.PASSWORD, database=database, autocommit=True,
                           defer_connect=True)
    if trace:
        made._connect_attrs["sluice.traceparent"] = trace
    made.connect()
    return made


def ask(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.mark.clock
@pytest.mark.parametrize("database,prepare", [("one", False), ("one", True), ("direct", False)])
def test_on_the_backend(running, lines, database, prepare):
    with connect(running, database) as client:
        client.execute("SELECT 1 " + COMMENT)
        client.execute(f"SELECT pg_sleep(0.3), 'a secret' {COMMENT}", prepare=prepare)
        client.execute("SELECT 2")
    line = lines.take("pg_sleep")
    assert (line["trace"], line["span"]) == (TRACE, SPAN)
    assert (line["user"], line["database"], line["rows"], line["error"]) == (
        "alice", database, 1, "")
    assert 290 <= line["backend_ms"] < 1500
    assert line["waited_ms"] < 250 and line["sending_ms"] < 250
    assert "secret" not in line["statement"]
    assert "pg_sleep" in line["statement"]


@pytest.mark.clock
def test_waited_and_the_connections_trace(running, lines):
    with connect(running, "one") as first, \
            connect(running, "one", options=f"-c sluice.traceparent={OTHER}") as second:
        thread = threading.Thread(target=first.execute, args=("SELECT pg_sleep(0.8)",))
        thread.start()
        time.sleep(0.1)
        assert value(second, "SELECT pg_sleep(0.01)::text") == ""
        thread.join()
    line = next(one for one in lines.take("pg_sleep", 2) if one["trace"])
    assert line["trace"] == OTHER[3:35]
    assert 250 <= line["waited_ms"] < 2000 and line["backend_ms"] < 250


def test_an_error(running, lines):
    with connect(running, "one") as client, pytest.raises(psycopg.errors.QueryCanceled):
        client.execute("SELECT pg_sleep(9) " + COMMENT)
    line = lines.take("pg_sleep")
    assert line["error"] == "57014" and line["trace"] == TRACE and line["backend_ms"] >= 1490
    for family, labels in (("refusals", {"reason": "statement_timeout"}),
                           ("errors", {"code": "57014"})):
        assert running.http.total(f"sluice_{family}_total", database="one", **labels) >= 1, family


@pytest.mark.parametrize("database", ["wide", "lite"])
def test_sending(running, lines, database):
    wide = WIDE if database == "wide" else WIDE_LITE
    with connect(running, database) as client:
        client.pgconn.send_query(f"{wide} {COMMENT}".encode())
        client.pgconn.flush()
        running.http.full(tenant=database)
        time.sleep(0.3)
        while client.pgconn.get_result():
            pass
    line = lines.take("repeat" if database == "wide" else "RECURSIVE")
    assert line["trace"] == TRACE and line["sending_ms"] >= 250, line
    assert line["rows"] == 30000


def test_sqlite(running, lines):
    slow = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) "
            f"SELECT count(*) FROM c {COMMENT}")
    with connect(running, "lite") as client:
        client.execute(slow)
    line = lines.take("RECURSIVE")
    assert line["trace"] == TRACE and line["backend_ms"] >= 190
    with my_connect(running, "lite") as client:
        ask(client, slow)
    line = lines.take("RECURSIVE")
    assert line["trace"] == TRACE and line["database"] == "lite"


def test_mysql(running, lines):
    with my_connect(running, "shop", OTHER) as client:
        ask(client, "SELECT SLEEP(0.3)")
        ask(client, f"SELECT SLEEP(0.31) {COMMENT}")
        ask(client, "SELECT 1")
    first, second = lines.take("SLEEP", 2)
    assert first["trace"] == OTHER[3:35] and second["trace"] == TRACE
    assert first["backend_ms"] >= 290 and "0.3" not in first["statement"]
