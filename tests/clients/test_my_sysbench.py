"""sysbench: its transactions and point selects, with and without prepared statements."""
import re
import subprocess

import pytest


def sysbench(my, workload, command, *options, threads=8):
    done = subprocess.run(
        ["sysbench", workload, f"--mysql-host={my.host}", f"--mysql-port={my.port}",
         f"--mysql-user={my.user}", f"--mysql-password={my.password}", f"--mysql-db={my.database}",
         "--tables=2", "--table-size=500", f"--threads={threads}", *options, command],
        capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def tables(my):
    sysbench(my, "oltp_read_write", "cleanup")
    sysbench(my, "oltp_read_write", "prepare", threads=1)


@pytest.mark.mariadb
@pytest.mark.parametrize("mode", ["auto", "disable"])
@pytest.mark.parametrize("workload", ["oltp_read_write", "oltp_point_select"])
def test_sysbench(my, tables, workload, mode):
    # Deadlocks are repeated by sysbench itself; any other error ends it.
    out = sysbench(my, workload, "run", "--time=1", f"--db-ps-mode={mode}")
    assert int(re.search(r"transactions: +(\d+)", out)[1]) > 0, out
    assert re.search(r"reconnects: +0 ", out), out
