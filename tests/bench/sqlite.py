"""A SQLite file behind the PostgreSQL wire, beside PostgreSQL 15 itself, aiosqlite and the limit.

Every write is durable before it is acknowledged, everywhere: synchronous=FULL and
synchronous_commit=on. The targets take turns in one run on one load; the disk is that of the
temporary folder (TMPDIR), which must not be a memory disk.
"""
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import psycopg

import machine
import pgbench
import servers
import sqlite_report
from postgres import guarded, progress

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = (1, 16, 64, 256)
PROTOCOLS = ("prepared",)
PARTS = ("loads", "grouping", "relay", "readers")
ROWS = 100_000
LOADS = {
    "point SELECT": [("select", 1)],
    "INSERT": [("insert", 1)],
    "90/10 mix": [("select", 9), ("insert", 1)],
}
SCRIPTS = {
    "select": f"\\set id random(1, {ROWS})\nSELECT balance FROM account WHERE id = :id;\n",
    "insert": "\\set k random(1, 1000000)\n"
              f"INSERT INTO entry(k, payload, n) VALUES (:k, '{'p' * 96}', 5);\n",
}
SCHEMA = ("CREATE TABLE account(id {key}, branch integer, balance integer, filler text)",
          "CREATE TABLE entry(id {key}, k integer, payload text, n integer)",
          "CREATE INDEX entry_k ON entry(k)")


class File(servers.Sluice):
    """One worker, one SQLite file."""

    def __init__(self, cluster, name="sluice", keys=""):
        super().__init__(cluster)
        self.name = name
        self.config = f"""[gateway]
workers = 1
[listen]
postgres = ["127.0.0.1:{self.port}"]
[databases.{servers.DATABASE}]
engine = "sqlite"
file = "bench.db"
{keys}
[users.{servers.CROWD}]
password = "{servers.verifier(servers.PASSWORD, 1)}"
"""

    def __enter__(self):
        super().__enter__()
        fill(self, "integer primary key")
        return self


def connect(target):
    return psycopg.connect(host="127.0.0.1", port=target.port, user=servers.CROWD,
                           dbname=servers.DATABASE, password=servers.PASSWORD, autocommit=True)


def fill(target, key):
    with connect(target) as connection:
        for statement in SCHEMA:
            connection.execute(statement.format(key=key))
        connection.execute(
            f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ROWS}) "
            f"INSERT INTO account SELECT n, n % 10, n, '{'f' * 80}' FROM c")


def measure(target, clients, load, seconds, protocol="prepared"):
    with tempfile.TemporaryDirectory(prefix="scripts-") as folder:
        arguments = []
        for name, weight in LOADS[load]:
            path = pathlib.Path(folder) / name
            path.write_text(SCRIPTS[name])
            arguments += ["-f", f"{path}@{weight}"]
        return pgbench.run(target, clients, protocol, seconds, load=arguments)


def program(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)


def loads(cluster, options):
    """[{target, load, clients, tps, p50, p99, p999, cpu, failed}], medians over the rounds."""
    measured, direct = {}, servers.Direct(cluster)
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="limit-")))
        limit = work / "limit"
        subprocess.run(["g++", "-O2", "-std=c++20", "-o", limit, HERE / "sqlite_limit.cpp",
                        "-lsqlite3"], check=True)
        file = stack.enter_context(File(cluster))
        for number in range(options.rounds):
            for load in LOADS:
                for clients in options.clients:
                    progress(f"round {number + 1}/{options.rounds}: {load}, {clients} clients")
                    kinds = {
                        "sluice": lambda: measure(file, clients, load, options.seconds),
                        "postgres": lambda: measure(direct, clients, load, options.seconds),
                        "aiosqlite": lambda: program(
                            "/usr/bin/python3", HERE / "sqlite_aio.py", load, str(clients),
                            str(options.seconds), str(ROWS)),
                        "limit": lambda: program(limit, load, str(options.seconds), str(ROWS),
                                                 str(work)),
                    }
                    for name, run in kinds.items():
                        if name == "limit" and clients != 1:
                            continue
                        measured.setdefault((load, clients, name), []).append(run())
    keys = ("tps", "p50", "p99", "p999", "cpu", "failed")
    return [{"load": load, "clients": clients, "target": name,
             **{key: statistics.median(one.get(key) or 0 for one in rounds) for key in keys}}
            for (load, clients, name), rounds in measured.items()]


def grouping(cluster, options):
    """64 clients' INSERTs with and without shared flushes, in turns."""
    found = []
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(File(cluster, "together")),
                   stack.enter_context(File(cluster, "one by one", "group_commit = false"))]
        for target in targets:
            rounds = [measure(target, 64, "INSERT", options.seconds)
                      for _ in range(options.rounds)]
            found.append({"target": target.name, **pgbench_median(rounds)})
    return found


def relay(cluster, options):
    """CPU of a point SELECT: translated to a file, and relayed to PostgreSQL."""
    found = []
    with contextlib.ExitStack() as stack:
        pooled = stack.enter_context(servers.Sluice(cluster, 20))
        for target, name in ((stack.enter_context(File(cluster)), "file"), (pooled, "relay")):
            for protocol in ("prepared", "extended", "simple"):
                rounds = [measure(target, 64, "point SELECT", options.seconds, protocol)
                          for _ in range(options.rounds)]
                found.append({"target": name, "protocol": protocol, **pgbench_median(rounds)})
    return found


def readers(cluster, options):
    """Readers at a steady rate, alone and beside a writer that never stops."""
    found = []
    rate = ["-R", "1000"]
    with File(cluster) as file:
        for name in ("alone", "beside a writer"):
            rounds = []
            # One round alone says more of what else the machine did.
            for _ in range(max(5, options.rounds)):
                writer = None
                if name != "alone":
                    writer = start_writer(file, options.seconds + 3)
                try:
                    with tempfile.TemporaryDirectory(prefix="scripts-") as folder:
                        path = pathlib.Path(folder) / "select"
                        path.write_text(SCRIPTS["select"])
                        rounds.append(pgbench.run(file, 16, "prepared", options.seconds,
                                                  load=["-f", path, *rate]))
                finally:
                    if writer:
                        writer.terminate()
                        writer.wait()
            found.append({"what": name, **pgbench_median(rounds)})
    return found


def start_writer(target, seconds):
    script = target.folder.write("insert.sql", SCRIPTS["insert"], 0o644)
    words = pgbench.command(target.port, servers.DATABASE, 8, "prepared",
                            ["-T", str(round(seconds + 5))], ["-f", script])
    return subprocess.Popen(words, env=pgbench.environment(), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def pgbench_median(rounds):
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def main(options):
    results = {"machine": machine.facts({"postgres": [servers.pg_binary("postgres"), "--version"]}), "seconds": options.seconds, "rounds": options.rounds}
    durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    with servers.Cluster(settings=durable) as cluster:
        fill(cluster, "integer primary key generated by default as identity")
        cluster.sql(f"grant all on account, entry to {servers.USER}")
        cluster.sql("vacuum analyze")
        parts = {"loads": loads, "grouping": grouping, "relay": relay, "readers": readers}
        for part in options.only or PARTS:
            progress(part)
            results[part] = guarded(part, parts[part], cluster, options)
    results["goals"] = sqlite_report.judge(results)
    text = sqlite_report.markdown(results)
    print(text)
    if not options.only or options.write:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "sqlite.md").write_text(text)
        (options.out / "sqlite.json").write_text(json.dumps(results, indent=1) + "\n")
        sqlite_report.plot(results, options.out / "sqlite.png")
    return 0 if all(goal["pass"] for goal in results["goals"]) else 1


if __name__ == "__main__":
    sys.exit("run tests/bench/run sqlite")
