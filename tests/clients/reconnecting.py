"""pgbench and sysbench with a connection for each transaction, beside what the block does: not one of
them may fail, and what they say they did is what is in the table."""
import contextlib
import re
import subprocess

from servers import PASSWORD, PG_BIN

TRANSACTION = "BEGIN;\nINSERT INTO counted VALUES (1);\nSELECT 1;\nEND;\n"

SYSBENCH = """
function thread_init() end
function event()
   local con = sysbench.sql.driver():connect()
   con:query("INSERT INTO counted VALUES (1)")
   con:query("SELECT 1")
   con:disconnect()
end
function thread_done() end
"""


@contextlib.contextmanager
def running(*words, **options):
    bench = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, **options)
    said = []
    try:
        yield said
        said.append(bench.communicate(timeout=60)[0])
        assert bench.returncode == 0, said[0]
    finally:
        bench.kill()
        bench.wait()


@contextlib.contextmanager
def pgbench(cluster, target, seconds):
    cluster.sql("drop table if exists counted; create table counted (n int); "
                "grant all on counted to alice")
    with running(PG_BIN / "pgbench", "-n", "-f", "/dev/stdin", "-c", 8, "-T", seconds, "-C",
                 env=target.environment(), stdin=script(TRANSACTION)) as said:
        yield
    out = said[0]
    assert "number of failed transactions: 0" in out and "error" not in out, out
    done = int(re.search(r"number of transactions actually processed: (\d+)", out)[1])
    assert done > 0 and int(cluster.sql("select count(*) from counted")[0]) == done


@contextlib.contextmanager
def sysbench(server, gateway, seconds):
    server.sql("create or replace table app.counted (n int)")
    file = gateway.folder / "reconnect.lua"
    file.write_text(SYSBENCH)
    with running("sysbench", "--db-driver=mysql", "--mysql-host=127.0.0.1",
                 f"--mysql-port={gateway.port}", "--mysql-user=alice",
                 f"--mysql-password={PASSWORD}", "--mysql-db=app", "--threads=4",
                 f"--time={seconds}", file, "run") as said:
        yield
    out = said[0]
    assert "FATAL" not in out, out
    done = int(re.search(r"total number of events: +(\d+)", out)[1])
    assert done > 0 and server.sql("select count(*) from app.counted")[0][0] == done


def script(text):
    """A pipe from which it can be read."""
    made = subprocess.Popen(["printf", "%s", text], stdout=subprocess.PIPE)
    made.wait()
    return made.stdout
