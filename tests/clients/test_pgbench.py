"""pgbench in its three protocols: select-only and the TPC-B script, whose money must add up."""
import re
import subprocess

import pytest

import servers


def pgbench(target, *words):
    done = subprocess.run([servers.PG_BIN / "pgbench", *words], env=target.environment(),
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tables(cluster):
    subprocess.run([servers.PG_BIN / "pgbench", "-iq", "-s", "2", cluster.url(user="postgres")],
                   check=True, capture_output=True, timeout=200)
    cluster.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO alice")
    yield
    cluster.sql("DROP TABLE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers")


@pytest.mark.postgres
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_select(target, tables, protocol):
    out = pgbench(target, "-n", "-S", "-M", protocol, "-c", "16", "-j", "2", "-t", "300")
    assert "number of transactions actually processed: 4800/4800" in out
    assert re.search(r"number of failed transactions: 0 ", out)


@pytest.mark.postgres
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_transfers_add_up(target, tables, cluster, protocol):
    before = int(cluster.sql("SELECT count(*) FROM pgbench_history")[0])
    # A thread for each client: pgbench prepares with a blocking call, so a thread of several
    # clients would wait for a backend that one of its own transactions holds.
    out = pgbench(target, "-n", "-M", protocol, "-c", "16", "-j", "16", "-t", "60")
    assert "number of transactions actually processed: 960/960" in out
    sums = cluster.sql("SELECT (SELECT sum(abalance) FROM pgbench_accounts),"
                       "(SELECT sum(bbalance) FROM pgbench_branches),"
                       "(SELECT sum(tbalance) FROM pgbench_tellers),"
                       "(SELECT coalesce(sum(delta), 0) FROM pgbench_history)")[0].split("|")
    assert len(set(sums)) == 1
    assert int(cluster.sql("SELECT count(*) FROM pgbench_history")[0]) == before + 960


@pytest.mark.postgres
def test_new_connection_for_every_transaction(target, tables):
    out = pgbench(target, "-n", "-S", "-C", "-c", "4", "-t", "25")
    assert "number of transactions actually processed: 100/100" in out
