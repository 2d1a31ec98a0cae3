"""Runs sysbench's point selects and looks at its middle, without logins and ramp.

sysbench reports every second; the CPU of the proxy is read as each report arrives, so that queries
and CPU time are counted over the same span: from the first report to the last.
"""
import re
import statistics
import subprocess

import meters
from servers import DATABASE, PASSWORD, USER

REPORT = re.compile(r"\[ (\d+)s \] .* qps: ([\d.]+) .*lat \(ms,99%\): ([\d.]+) .*"
                    r"err/s: ([\d.]+) reconn/s: ([\d.]+)")
ROWS = 100_000


def command(port, what, *options):
    return ["sysbench", "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1",
            f"--mysql-port={port}", f"--mysql-user={USER}", f"--mysql-password={PASSWORD}",
            f"--mysql-db={DATABASE}", "--tables=1", f"--table-size={ROWS}", *options, what]


def prepare(port):
    subprocess.run(command(port, "prepare"), check=True, capture_output=True, timeout=120)


def run(target, threads, prepared, seconds):
    """{'qps', 'p99' (ms), 'cpu', 'user', 'system' (µs a query)}"""
    mode = "auto" if prepared else "disable"
    length = round(seconds) + 2
    process = subprocess.Popen(
        command(target.port, "run", f"--db-ps-mode={mode}", f"--threads={threads}",
                f"--time={length}", "--report-interval=1", "--percentile=99"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen, said = [], []
    for line in process.stdout:
        said.append(line)
        found = REPORT.search(line)
        if found:
            seen.append(([float(x) for x in found.groups()],
                         meters.cpu(target.pid) if target.pid else (0.0, 0.0)))
    if process.wait(30) or len(seen) < 3:
        raise RuntimeError("sysbench: " + "".join(said)[-1500:])
    middle = [figures for figures, _ in seen[1:]]
    if any(figures[3] or figures[4] for figures in middle):
        raise RuntimeError("sysbench met errors: " + "".join(said)[-1500:])
    queries = sum(figures[1] for figures in middle)
    user, system = (1e6 * (seen[-1][1][i] - seen[0][1][i]) / queries for i in (0, 1))
    return {"qps": queries / len(middle), "p99": statistics.median(f[2] for f in middle),
            "user": user, "system": system, "cpu": user + system}
