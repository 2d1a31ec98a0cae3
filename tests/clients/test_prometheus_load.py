"""Debian's Prometheus scrapes a gateway under load: its counters are the admin console's, and both are
what the load generators counted. SLUICE_TEST_SCRAPE_SECONDS=60 for a whole minute."""
import contextlib
import os
import re
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import metrics
import reconnecting
import servers
from servers import PASSWORD
from test_deploy_prometheus import Prometheus

pytestmark = pytest.mark.gateway

SECONDS = int(os.environ.get("SLUICE_TEST_SCRAPE_SECONDS", "6"))
BENCH = "BEGIN;\nINSERT INTO scraped VALUES (1);\nSELECT 1;\nSELECT 2;\nEND;\n"
SYSBENCH = """
function thread_init() con = sysbench.sql.driver():connect() end
function event()
   con:query("INSERT INTO scraped VALUES (1)")
   con:query("SELECT 1")
end
function thread_done() con:disconnect() end
"""
# Of SHOW STATS_TOTALS, and what Prometheus calls it; times are microseconds there, seconds here.
COUNTERS = {"xact_count": "transactions", "query_count": "statements",
            "bytes_received": "received_bytes", "bytes_sent": "sent_bytes", "requests": "requests",
            "rows": "rows", "errors": "errors", "multiplexed": "multiplexed_requests",
            "xact_time": "transaction_seconds", "query_time": "backend_seconds"}
TIMES = ("xact_time", "query_time")


@pytest.fixture(scope="module")
def watched(cluster, my_server):
    cluster.sql("CREATE TABLE IF NOT EXISTS scraped (n int); GRANT ALL ON scraped TO alice")
    my_server.sql("CREATE TABLE IF NOT EXISTS app.scraped (n INT)")
    with servers.short_folder() as folder:
        my_port = servers.free_port()
        listen, http = metrics.listen(mysql=f'["127.0.0.1:{my_port}"]')
        config = (servers.table(cluster, "app", "size = 3")
                  + mariadb.database(my_server, "shop", "size = 3") + servers.ALICE
                  + f'[users.root]\npassword = "{PASSWORD}"\nadmin = true\n')
        with servers.Sluice(folder / "gateway", config, listen) as running, \
                metrics.Door(running.port) as door, metrics.Door(my_port) as my_door, \
                Prometheus(folder, f"127.0.0.1:{http}") as prometheus:
            running.folder, running.doors = folder, {"app": door, "shop": my_door}
            running.http = metrics.Http(http)
            yield running, prometheus


class Failing(threading.Thread):
    """Statements that fail, one after another, and a good one after each."""

    def __init__(self, connect, error):
        super().__init__()
        self.connect, self.error = connect, error
        self.over, self.failed, self.problem = threading.Event(), 0, None

    def run(self):
        try:
            with contextlib.closing(self.connect()) as connection:
                while not self.over.is_set():
                    with connection.cursor() as cursor, contextlib.suppress(self.error):
                        cursor.execute("SELECT * FROM nowhere")
                        self.problem = "it did not fail"
                    self.failed += 1
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT 3")
        except Exception as problem:  # shown by the test
            self.problem = problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(60)
        assert not self.is_alive() and self.problem is None, self.problem


def load(running):
    """What each database was asked: (statements, errors)."""
    door, my_door = running.doors["app"], running.doors["shop"]
    target = servers.Target("watched", door.port, "app", "alice", PASSWORD)
    lua = running.folder / "load.lua"
    lua.write_text(SYSBENCH)

    def connect():
        return psycopg.connect(target.dsn(), autocommit=True, prepare_threshold=None)

    def my_connect():  # autocommit=None: no statement of the driver's own
        return pymysql.connect(host="127.0.0.1", port=my_door.port, user="alice",
                               password=PASSWORD, database="shop", autocommit=None)

    with reconnecting.running(
            servers.PG_BIN / "pgbench", "-n", "-f", "/dev/stdin", "-c", 4, "-T", SECONDS,
            env=target.environment(), stdin=reconnecting.script(BENCH)) as bench, \
            reconnecting.running(
                "sysbench", "--db-driver=mysql", "--mysql-host=127.0.0.1",
                f"--mysql-port={my_door.port}", "--mysql-user=alice",
                f"--mysql-password={PASSWORD}", "--mysql-db=shop", "--threads=3",
                f"--time={SECONDS}", lua, "run") as sysbench, \
            Failing(connect, psycopg.Error) as failing, \
            Failing(my_connect, pymysql.Error) as my_failing:
        time.sleep(SECONDS)
    transactions = int(re.search(r"actually processed: (\d+)", bench[0])[1])
    assert "number of failed transactions: 0" in bench[0], bench[0]
    queries = int(re.search(r"queries: +(\d+)", sysbench[0])[1])
    return {"app": (5 * transactions + 2 * failing.failed, failing.failed),
            "shop": (queries + 2 * my_failing.failed, my_failing.failed)}


def console_totals(running):
    target = servers.Target("console", running.port, "sluice", "root", PASSWORD)
    with psycopg.connect(target.dsn(), autocommit=True) as console:
        shown = console.execute("SHOW STATS_TOTALS")
        names = [each.name for each in shown.description]
        rows = [dict(zip(names, row)) for row in shown.fetchall()]
    return {row["database"]: row for row in rows if row["database"] in ("app", "shop")}


def test_a_scrape_under_load_says_what_was_done(watched):
    running, prometheus = watched
    servers.wait_until(lambda: prometheus.value("up"), what="a scrape")
    before = console_totals(running)
    assert all(row["query_count"] == 0 for row in before.values())
    asked = load(running)

    def idle():
        return all(each["clients"] == 0 for each in running.http.state()["databases"]
                   if each["name"] in asked)
    servers.wait_until(idle, what="all clients have left")
    after = console_totals(running)
    for database, (statements, errors) in asked.items():
        door = running.doors[database]
        told = after[database]
        assert told["query_count"] == statements, database
        assert told["errors"] == errors, database
        assert (told["bytes_received"], told["bytes_sent"]) == (door.up, door.down), database

    def scraped(database, counter):
        name = f"sluice_{COUNTERS[counter]}_total"
        found = prometheus.value(f'sum({name}{{database="{database}"}})')
        return float(found[0]["value"][1]) if found else 0.0

    last = time.time()
    servers.wait_until(lambda: float(prometheus.value("timestamp(up)")[0]["value"][1]) > last
                       and prometheus.value("up")[0]["value"][1] == "1",
                       what="a scrape after the load")
    for database, told in after.items():
        for counter in COUNTERS:
            expected = told[counter] / 1e6 if counter in TIMES else told[counter]
            precision = {"abs": 2e-6} if counter in TIMES else {"rel": 0, "abs": 0}
            assert scraped(database, counter) == pytest.approx(expected, **precision), (
                database, counter)
    # It saw the load while it ran: scrapes were answered (but for what a machine that stalls costs),
    # nothing ever went backwards.
    window = f"[{SECONDS + 30}s]"
    number = float(prometheus.value(f"count_over_time(up{window})")[0]["value"][1])
    assert number >= SECONDS * 0.7
    assert float(prometheus.value(f"avg_over_time(up{window})")[0]["value"][1]) > 0.7
    assert all(each["value"][1] == "0" for each in prometheus.value(
        f"resets(sluice_statements_total{window})"))
    assert float(prometheus.value(
        f'max(changes(sluice_statements_total{{database="app"}}{window}))')[0]["value"][1]) >= 3
