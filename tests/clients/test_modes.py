"""Pool modes other than transaction, `[databases."*"]`, users with limits, queueing."""
import contextlib
import threading
import time

import psycopg
import pytest

import metrics
import servers
from servers import value

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]


def target_of(gateway, database, user="alice", password=servers.PASSWORD):
    return servers.Target("sluice", gateway.port, database, user, password)


def test_session_mode_shows_the_backends_pid(gateway):
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(psycopg.connect(target_of(gateway, "app_session").dsn(),
                                                    autocommit=True)) for _ in range(5)]
        for connection in made:
            assert value(connection, "SELECT pg_backend_pid()") == connection.info.backend_pid
        assert len({c.info.backend_pid for c in made}) == 5


def test_session_mode_keeps_everything(gateway):
    dsn = target_of(gateway, "app_session").dsn(options="-c work_mem=7MB", application_name="keeper")
    with psycopg.connect(dsn, autocommit=True) as connection:
        assert value(connection, "SHOW work_mem") == "7MB"
        assert value(connection, "SHOW application_name") == "keeper"
        connection.execute("CREATE TEMP TABLE mine AS SELECT 5 AS n")
        connection.execute("PREPARE plan AS SELECT n FROM mine")
        assert value(connection, "SELECT pg_try_advisory_lock(11)")
        assert value(connection, "EXECUTE plan") == 5
    for _ in range(3):
        with psycopg.connect(target_of(gateway, "app_session").dsn(), autocommit=True) as connection:
            servers.wait_until(lambda: value(connection, "SELECT pg_try_advisory_lock(11)"))
            value(connection, "SELECT pg_advisory_unlock(11)")
            assert value(connection, "SHOW work_mem") == "4MB"
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT * FROM mine")


def test_session_mode_pg_terminate_backend_by_pid(gateway):
    with psycopg.connect(target_of(gateway, "app_session").dsn(), autocommit=True) as victim, \
            psycopg.connect(target_of(gateway, "app_session").dsn(), autocommit=True) as killer:
        assert value(killer, "SELECT pg_terminate_backend(%s)", victim.info.backend_pid)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(3):
                victim.execute("SELECT 1")


def test_statement_mode_refuses_transactions(gateway):
    with psycopg.connect(target_of(gateway, "app_statement").dsn(), autocommit=True) as connection:
        assert value(connection, "SELECT 1") == 1
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("BEGIN")
        assert "pool.mode" in str(caught.value)
        assert value(connection, "SELECT 2") == 2
    with psycopg.connect(target_of(gateway, "app_statement").dsn(), autocommit=True) as connection:
        assert value(connection, "SELECT %s + 1", 5) == 6


def test_any_other_database(own_gateway, cluster):
    gateway = own_gateway(f"""
[databases."*"]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{cluster.port}"
password = "{servers.PASSWORD}"
pool = {{ size = 3 }}

[users.alice]
password = "{servers.PASSWORD}"
""")
    for database in ("app", "other", "postgres"):
        with psycopg.connect(target_of(gateway, database).dsn(), autocommit=True) as connection:
            assert value(connection, "SELECT current_database()") == database
    with pytest.raises(psycopg.OperationalError) as caught:
        with psycopg.connect(target_of(gateway, "nowhere").dsn(), autocommit=True) as connection:
            connection.execute("SELECT 1")
    assert "nowhere" in str(caught.value)


def test_first_come_first_served(own_gateway, cluster):
    """One backend; clients that begin one after the other are served in that order."""
    listen, http = metrics.listen()
    pool = "size = 1, multiplex = false"
    gateway = own_gateway(servers.table(cluster, "one", pool) + servers.ALICE, listen=listen)
    http, target = metrics.Http(http), target_of(gateway, "one")
    served = [None] * 8
    with servers.clients(target, 9) as (holder, *clients):
        def work(number):
            served[number] = value(clients[number], "SELECT clock_timestamp()")

        holder.execute("BEGIN")
        holder.execute("SELECT 1")
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for number, thread in enumerate(threads):
            thread.start()
            servers.wait_until(lambda: http.state()["waiting_count"] == number + 1, what="it waits")
            time.sleep(0.02)  # whoever came 2 ms earlier is first, whatever his worker
        holder.execute("COMMIT")
        for thread in threads:
            thread.join(60)
    assert served == sorted(served)


def test_queue_timeout(own_gateway, cluster):
    gateway = own_gateway(f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"
pool = {{ size = 1, queue_timeout = "500ms" }}

[users.alice]
password = "{servers.PASSWORD}"
""")
    target = target_of(gateway, "app")
    with psycopg.connect(target.dsn(), autocommit=True) as first, \
            psycopg.connect(target.dsn(), autocommit=True) as second:
        with first.transaction():
            first.execute("SELECT 1")
            begun = time.monotonic()
            with pytest.raises(psycopg.Error) as caught:
                second.execute("SELECT 1")
            assert 0.49 < time.monotonic() - begun < 30
            assert caught.value.sqlstate == "53400"
            assert "queue_timeout" in str(caught.value)
        assert value(second, "SELECT 2") == 2


def test_unreachable_server_names_the_cause(own_gateway):
    nobody = servers.free_port()
    gateway = own_gateway(f"""
[databases.app]
engine = "postgres"
url = "postgresql://alice@127.0.0.1:{nobody}/app"
pool = {{ connect_timeout = "1s", queue_timeout = "30s" }}

[users.alice]
password = "{servers.PASSWORD}"
""")
    with pytest.raises(psycopg.Error) as caught:
        with psycopg.connect(target_of(gateway, "app").dsn(), autocommit=True) as connection:
            connection.execute("SELECT 1")
    assert "refused" in str(caught.value)


def test_users_may_use_their_databases_only(own_gateway, cluster):
    gateway = own_gateway(f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"

[databases.other]
engine = "postgres"
url = "{cluster.url("other")}"
password = "{servers.PASSWORD}"

[users.alice]
password = "{servers.PASSWORD}"
databases = ["app"]
""")
    with psycopg.connect(target_of(gateway, "app").dsn()) as connection:
        assert value(connection, "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(target_of(gateway, "other").dsn())
    assert "other" in str(caught.value)


def test_backend_user(own_gateway, cluster):
    cluster.sql("DROP ROLE IF EXISTS bob; CREATE ROLE bob LOGIN PASSWORD 'bobs own'")
    gateway = own_gateway(f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"

[users.alice]
password = "{servers.PASSWORD}"

[users.robert]
password = "front"
backend_user = "bob"
backend_password = "bobs own"
""", secrets=(servers.PASSWORD, "bobs own"))
    with psycopg.connect(target_of(gateway, "app", "robert", "front").dsn()) as connection:
        assert value(connection, "SELECT current_user") == "bob"
    with psycopg.connect(target_of(gateway, "app").dsn()) as connection:
        assert value(connection, "SELECT current_user") == "alice"


def test_sigterm_lets_a_transaction_end(own_gateway, cluster):
    gateway = own_gateway('[gateway]\ndrain_timeout = "60s"\n' + servers.shared_config(cluster))
    with psycopg.connect(target_of(gateway, "app").dsn(), autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1")
        gateway.process.terminate()
        time.sleep(0.5)
        assert value(connection, "SELECT 2") == 2
        connection.execute("COMMIT")
        with pytest.raises(psycopg.OperationalError):
            for _ in range(300):
                connection.execute("SELECT 3")
                time.sleep(0.1)
    assert gateway.process.wait(60) == 0


def test_sigterm_after_drain_timeout(own_gateway, cluster):
    gateway = own_gateway('[gateway]\ndrain_timeout = "1s"\n' + servers.shared_config(cluster))
    with psycopg.connect(target_of(gateway, "app").dsn(), autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1")
        gateway.process.terminate()
        assert gateway.process.wait(60) == 0
        with pytest.raises(psycopg.OperationalError) as caught:
            connection.execute("SELECT 2")
        assert "57P01" in str(caught.value.sqlstate) or "closed" in str(caught.value) \
            or "terminat" in str(caught.value) or "shut" in str(caught.value)
