"""What an operator does while clients come and go, through the console and by signals: none of them
sees an error. (Takeovers: test_takeover.py.)"""
import contextlib
import time

import psycopg
import pytest

import mariadb
import reconnecting
from servers import PASSWORD, Target, wait_until
from test_reload import ALICE, app, reload, target_of

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]

ROOT = f'[users.root]\npassword = "{PASSWORD}"\nadmin = true\n'


@contextlib.contextmanager
def console(port):
    target = Target("sluice", port, "sluice", "root", PASSWORD)
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        yield connection


def test_reloads_and_pgbench(cluster, own_gateway):
    gateway = own_gateway(app(cluster) + ALICE + ROOT)
    with console(gateway.port) as admin, reconnecting.pgbench(cluster, target_of(gateway), 4):
        time.sleep(0.5)
        for turn in range(4):
            reload(gateway, app(cluster, f"size = {2 + turn}") + ALICE + ROOT)
            gateway.write(app(cluster, f"size = {6 + turn}") + ALICE + ROOT)
            changes = admin.execute("RELOAD").fetchall()
            assert ("changed", f"databases.app.pool.size: {2 + turn} → {6 + turn}") in changes
            time.sleep(0.2)
        gateway.write("nonsense")
        with pytest.raises(psycopg.Error, match=r"(?s)nothing was changed.*sluice\.toml:\d+:\d+"):
            admin.execute("RELOAD")
        gateway.write(app(cluster) + ALICE + ROOT)


def test_pauses_and_pgbench(cluster, own_gateway):
    # Of gateways that other tests share.
    others = sorted({0, *map(int, cluster.sql("select pid from pg_stat_activity"))})
    gateway = own_gateway(app(cluster) + ALICE + ROOT)
    with console(gateway.port) as admin, reconnecting.pgbench(cluster, target_of(gateway), 4):
        for _ in range(4):
            time.sleep(0.4)
            admin.execute("PAUSE app")
            wait_until(lambda: cluster.sql(
                "select count(*) from pg_stat_activity where datname = 'app' and usename = 'alice' "
                f"and pid <> all (array{others})") == ["0"], what="no backend")
            admin.execute("RESUME app")


@pytest.mark.mariadb
@pytest.mark.parametrize("what", ["reload", "pause"])
def test_sysbench(my_server, own_my_gateway, what):
    config = mariadb.shared_config(my_server) + ROOT
    gateway = own_my_gateway(config)
    target = mariadb.Target("sluice", gateway.port, "sluice", "root", PASSWORD)
    with contextlib.closing(target.connect()) as admin, admin.cursor() as cursor, \
            reconnecting.sysbench(my_server, gateway, 4):
        for turn in range(4):
            time.sleep(0.4)
            if what == "pause":
                cursor.execute("PAUSE app")
                cursor.execute("RESUME app")
            else:
                gateway.write(config + f'[users.u{turn}]\npassword = "p"\n')
                cursor.execute("RELOAD")
                assert ("changed", f"users.u{turn}: added") in cursor.fetchall()
