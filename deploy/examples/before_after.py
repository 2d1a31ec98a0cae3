#!/usr/bin/python3
"""Runs asyncio_service.py on a PostgreSQL and a MariaDB directly and through Sluice, and prints a
table with the connections that the servers saw. Starts its own servers: deploy/install --test.

    deploy/examples/before_after.py [--tasks 50] [--seconds 5]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/clients"))
import mariadb  # noqa: E402
import servers  # noqa: E402

CONFIG = """
[databases.app]
engine = "postgres"
url = "{postgres}"
password = "{password}"
pool = {{ size = 10 }}

[databases.shop]
engine = "mysql"
host = "127.0.0.1"
port = {mysql}
user = "alice"
password = "{password}"
dbname = "app"
pool = {{ size = 10 }}

[users.alice]
password = "{password}"
"""


class Peak:
    """The most connections that a question about them was answered with meanwhile."""

    def __init__(self, ask):
        self.ask, self.most, self.done = ask, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.is_set():
            self.most = max(self.most, self.ask())
            time.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def run(kind, url, given):
    done = subprocess.run([sys.executable, HERE / "asyncio_service.py", f"--{kind}", url, "--json",
                           "--tasks", str(given.tasks), "--seconds", str(given.seconds)],
                          capture_output=True, text=True, timeout=60 + 4 * given.seconds)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tasks", type=int, default=50)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    secret = servers.PASSWORD.replace(" ", "%20")
    rows = []
    with servers.short_folder() as folder, servers.Cluster(folder / "pg") as pg, \
            mariadb.Server(folder / "my") as my:
        config = CONFIG.format(postgres=pg.url(), mysql=my.port, password=servers.PASSWORD)
        ports = servers.free_port()
        listen = '[listen]\npostgres = ["127.0.0.1:{port}"]\nmysql = ["127.0.0.1:%d"]\n' % ports
        with servers.Sluice(folder / "sluice", config, listen=listen) as gateway:
            postgres = ("SELECT count(*) FROM pg_stat_activity WHERE usename = 'alice'",
                        lambda text: int(pg.sql(text)[0]))
            mysql = ("SELECT count(*) FROM information_schema.processlist WHERE user = 'alice'",
                     my.value)
            for kind, direct, through, (question, ask) in (
                    ("postgres", f"postgresql://alice:{secret}@127.0.0.1:{pg.port}/app",
                     f"postgresql://alice:{secret}@127.0.0.1:{gateway.port}/app", postgres),
                    ("mysql", f"mysql://alice:{secret}@127.0.0.1:{my.port}/app",
                     f"mysql://alice:{secret}@127.0.0.1:{ports}/shop", mysql)):
                for name, url in (("direct", direct), ("sluice", through)):
                    with Peak(lambda: ask(question)) as peak:
                        made = run(kind, url, given)
                    rows += [{"target": name, "server_connections": peak.most, **row}
                             for row in made]
    if given.json:
        return print(json.dumps(rows))
    print("| driver, way | target | requests/s | p50 ms | p99 ms | failures | server connections |")
    print("|---|---|---:|---:|---:|---:|---:|")
    driver = {"postgres": "asyncpg", "mysql": "aiomysql"}
    for row in sorted(rows, key=lambda r: (r["driver"], r["way"], r["target"])):
        print(f"| {driver[row['driver']]}, {row['way']} | {row['target']} "
              f"| {row['requests_per_second']} | {row['p50_ms']} | {row['p99_ms']} "
              f"| {row['failures']} | {row['server_connections']} |")


main()
