"""200 clients over 5 backends on 2 workers: every reply belongs to its sender, the money adds up.

SLUICE_STRESS_SECONDS: how long (20; 60 for the full test). SLUICE_STRESS_SEED: another sequence.
"""
import functools
import os
import pathlib
import sys

import pytest

import metrics
import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from stress import crowd, ledger, watch  # noqa: E402

pytestmark = pytest.mark.gateway
SECONDS = float(os.environ.get("SLUICE_STRESS_SECONDS", "20"))
SEED = int(os.environ.get("SLUICE_STRESS_SEED", "1"))
BACKENDS = 5
OURS = "from pg_stat_activity where datname = 'isolation' and usename = 'alice'"


def config(cluster):
    return f"""
[gateway]
workers = 2
drain_timeout = "2s"
[databases.app]
engine = "postgres"
url = "{cluster.url("isolation")}"
password = "{servers.PASSWORD}"
pool = {{ mode = "transaction", size = {BACKENDS} }}
[users.alice]
password = "{servers.PASSWORD}"
"""


def test_every_reply_belongs_to_its_sender(cluster, own_gateway):
    # A database of its own: other tests' backends are not to be counted.
    cluster.sql("create database isolation owner alice", database="postgres")
    sql = functools.partial(cluster.sql, database="isolation")
    listen, http = metrics.listen()
    gateway = own_gateway(config(cluster), listen=listen)
    target = {"host": "127.0.0.1", "port": gateway.port, "user": "alice",
              "password": servers.PASSWORD, "database": "app"}
    sql(f"set role alice; {ledger.CREATE}")
    with watch.Watch(metrics.Http(http), lambda: int(sql(f"select count(*) {OURS}")[0])) as watched:
        failures, acknowledged, tally = crowd.run(target, 200, SECONDS, SEED)
    assert not failures, "\n".join(failures)
    assert not ledger.faults(sql, acknowledged)
    assert acknowledged and min(tally.values()) > 0, tally
    assert watched.looks and watched.open_most == BACKENDS and not watched.above, watched.above
    # Backends that were closed are seen until the server gets to them: their successors, too. What
    # it has when all is quiet is compared below.
    assert 0 < watched.seen_most <= 4 * BACKENDS
    # What was abandoned has been rolled back, and nobody holds a backend any more.
    servers.wait_until(
        lambda: cluster.sql(f"select count(*) {OURS} and state <> 'idle'") == ["0"],
        60, "the backends are idle")
    servers.wait_until(lambda: int(sql(f"select count(*) {OURS}")[0]) == watched.open(),
                       60, "the server has as many as the gateway")
    assert gateway.process.poll() is None
