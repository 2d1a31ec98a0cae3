"""Runs pgbench and looks at a window in its middle: no connects, no logins, no ramp.

pgbench logs every transaction (-l) with its end in epoch microseconds; the CPU of the proxy is
sampled beside it. The window reaches from the first CPU sample after the warm-up to the last one
before the end, so statements and CPU time are counted over the very same span.
"""
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

import meters
import servers

WARM_UP = 0.3  # seconds after the first transaction
# pgbench's -T runs while its clients still log in one by one, at some milliseconds each.
LOGIN = 0.005


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def command(port, database, clients, protocol, arguments, load=("-S",)):
    return [servers.pg_binary("pgbench"), "-n", *map(str, load), "-h", "127.0.0.1", "-p", str(port), "-U",
            servers.CROWD, "-c", str(clients), "-j", str(min(clients, 2)), "-M", protocol,
            *arguments, database]


def environment():
    return {**os.environ, "PGPASSWORD": servers.PASSWORD, "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable"}


def run_transactions(port, database, clients, protocol, each):
    """`each` transactions for every client. No figures but that they succeeded."""
    done = subprocess.run(command(port, database, clients, protocol, ["-t", str(each)]),
                          capture_output=True, text=True, env=environment(), timeout=300)
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr.strip()[-600:]}")
    return clients * each


def run(target, clients, protocol, seconds, database=servers.DATABASE, load=("-S",)):
    """{'tps', 'p50', 'p99', 'p999' (ms), 'cpu', 'user', 'system' (µs a statement), 'failed'}"""
    pids = [target.pid] if target.pid else []
    with tempfile.TemporaryDirectory(prefix="pgbench-") as folder:
        log = pathlib.Path(folder) / "log"
        duration = round(seconds + clients * LOGIN)
        arguments = ["-T", str(duration), "-l", f"--log-prefix={log}"]
        read = (lambda: meters.cpu(pids[0])) if pids else (lambda: (0.0, 0.0))
        with meters.Sampler(read, 0.05) as sampler:
            done = subprocess.run(
                command(target.port, database, clients, protocol, arguments, load),
                capture_output=True, text=True, env=environment(), timeout=duration + 120)
        if done.returncode:
            raise RuntimeError(f"pgbench: {done.stderr.strip()[-600:]}")
        ends = []  # (end in µs, latency in µs)
        for path in pathlib.Path(folder).glob("log.*"):
            for line in path.open():
                words = line.split()
                ends.append((int(words[4]) * 1_000_000 + int(words[5]), int(words[2])))
    figures = window(ends, sampler.samples)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    figures["failed"] = int(failed[1]) if failed else 0
    return figures


def steady_ratio(ends, begin, until, slice_us=250_000):
    """p99/p50 inside a quarter of a second, the median of all: without how fast the machine was from
    one to the next. It still varies inside of one."""
    slices = {}
    for at, latency in ends:
        if begin <= at / 1e6 < until:
            slices.setdefault(at // slice_us, []).append(latency)
    ratios = [percentile(each, 0.99) / percentile(each, 0.5)
              for each in map(sorted, slices.values()) if len(each) >= 500]
    return statistics.median(ratios) if ratios else 0.0


def window(ends, samples):
    if not ends:
        raise RuntimeError("no transaction was finished: give the round more --seconds")
    ends.sort()
    first, last = ends[0][0] / 1e6 + WARM_UP, ends[-1][0] / 1e6 - 0.1
    inside = [sample for sample in samples if first <= sample[0] <= last]
    if len(inside) < 2:
        raise RuntimeError("the round is too short for its warm-up: give it more --seconds")
    (begin, before), (until, after) = inside[0], inside[-1]
    latencies = sorted(latency for at, latency in ends if begin <= at / 1e6 < until)
    count = len(latencies)
    user, system = (1e6 * (after[i] - before[i]) / count for i in (0, 1))
    return {"tps": count / (until - begin), "p50": percentile(latencies, 0.50) / 1000,
            "p99": percentile(latencies, 0.99) / 1000,
            "p999": percentile(latencies, 0.999) / 1000,
            "steady_ratio": steady_ratio(ends, begin, until), "user": user, "system": system,
            "cpu": user + system, "statements": count}
