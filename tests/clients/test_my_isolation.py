"""200 MySQL clients over 5 backends on 2 workers: every reply belongs to its sender, the money adds
up. SLUICE_STRESS_SECONDS: how long (20; 60 for the full test). SLUICE_STRESS_SEED: another sequence.
"""
import functools
import os

import pytest

import mariadb
import metrics
import servers

from stress import crowd, ledger, watch

pytestmark = pytest.mark.gateway
SECONDS = float(os.environ.get("SLUICE_STRESS_SECONDS", "20"))
SEED = int(os.environ.get("SLUICE_STRESS_SEED", "1"))
BACKENDS = 5
OURS = "FROM information_schema.processlist WHERE db = 'isolation' AND user = 'alice'"


def sql(server, text):
    return [str(row[0]) for row in server.sql(text, database="isolation")]


def test_every_reply_belongs_to_its_sender(my_server, own_gateway):
    # A database of its own: other tests' backends are not to be counted.
    my_server.sql("CREATE DATABASE isolation", "GRANT ALL ON isolation.* TO alice", "USE isolation",
                  *ledger.MY_CREATE)
    http = servers.free_port()
    gateway = own_gateway(
        '[gateway]\nworkers = 2\ndrain_timeout = "2s"\n'
        + mariadb.database(my_server, "isolation", f'mode = "transaction", size = {BACKENDS}',
                           dbname="isolation") + mariadb.ALICE,
        listen=mariadb.LISTEN + f'http = "127.0.0.1:{http}"\n')
    target = {"host": "127.0.0.1", "port": gateway.port, "user": "alice",
              "password": servers.PASSWORD, "database": "isolation"}
    def seen():
        return my_server.value(f"SELECT COUNT(*) {OURS}")

    with watch.Watch(metrics.Http(http), seen) as watched:
        failures, acknowledged, tally = crowd.run(target, 200, SECONDS, SEED, side=crowd.MYSQL)
    assert not failures, "\n".join(failures)
    assert not ledger.faults(functools.partial(sql, my_server), acknowledged, ledger.MY_WRITTEN)
    assert acknowledged and min(tally.values()) > 0, tally
    assert watched.looks and watched.open_most == BACKENDS and not watched.above, watched.above
    # Backends that were closed are seen until the server gets to them: their successors, too. What
    # it has when all is quiet is compared below.
    assert 0 < watched.seen_most <= 4 * BACKENDS
    # What was abandoned has been rolled back, and nobody holds a backend any more.
    servers.wait_until(lambda: not my_server.sql(f"SELECT id {OURS} AND command <> 'Sleep'"), 60,
                       "the backends are idle")
    servers.wait_until(lambda: not my_server.value(
        "SELECT COUNT(*) FROM information_schema.innodb_trx"), 60, "no transaction is left")
    servers.wait_until(lambda: seen() == watched.open(), 60,
                       "the server has as many as the gateway")
    assert gateway.process.poll() is None
