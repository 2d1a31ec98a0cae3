"""The admin console: every SHOW by psql, psycopg, asyncpg, the mariadb CLI and PyMySQL, while clients
work; who may; PgBouncer's columns."""
import asyncio
import contextlib
import os
import pwd
import re
import subprocess

import asyncpg
import psycopg
import pymysql
import pytest

import servers
from admin_console import (admin_gateway, connect, console, load, my_connect,  # noqa: F401
                           psql, row_of, table, target)
from servers import PASSWORD, wait_until

pytestmark = pytest.mark.gateway

SHOWS = ["HELP", "POOLS", "CLIENTS", "SERVERS", "STATS", "STATS_TOTALS", "STATS_AVERAGES", "TOTALS",
         "LISTS", "DATABASES", "USERS", "CONFIG", "VERSION", "STATE", "MEM", "TENANTS", "WAITING",
         "PINS", "STATEMENTS", "ERRORS"]
PGBOUNCERS = ["POOLS", "CLIENTS", "SERVERS", "STATS", "STATS_TOTALS", "STATS_AVERAGES", "LISTS",
              "DATABASES", "USERS", "CONFIG", "VERSION", "TOTALS", "MEM"]


def test_psql_shows_everything(admin_gateway):
    with load(admin_gateway):
        for database in ("sluice", "pgbouncer"):
            done = psql(admin_gateway, *[f"SHOW {each}" for each in SHOWS], database=database)
            assert done.returncode == 0 and not done.stderr, done.stderr
            assert done.stdout.count("row)") + done.stdout.count("rows)") == len(SHOWS)


def test_psycopg_both_protocols(admin_gateway, console):
    with load(admin_gateway) as working:
        for what in SHOWS:
            simple = console.execute(f"SHOW {what}")
            extended = console.cursor(binary=True)
            extended.execute(f"SHOW {what}", prepare=True)
            assert [c[:2] for c in simple.description] == [c[:2] for c in extended.description]
            numbers = [c.type_code == 20 for c in simple.description]
            for rows in (simple.fetchall(), extended.fetchall()):
                for row in rows:
                    assert all(value is None or isinstance(value, int if number else str)
                               for value, number in zip(row, numbers)), (what, row)
        assert not working.errors
    with connect(admin_gateway) as connection:  # drivers that open transactions
        connection.autocommit = False
        connection.execute("SHOW VERSION")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        connection.commit()
        with connection.pipeline():
            one, two = connection.execute("SHOW STATE"), connection.execute("SELECT 1 AS one")
            assert one.fetchone()[0] == "active" and two.fetchone() == (1,)


def test_asyncpg(admin_gateway):
    async def run():
        async with asyncpg.create_pool(host="127.0.0.1", port=admin_gateway.port, user="root",
                                       password=PASSWORD, database="pgbouncer", min_size=1) as pool:
            for _ in range(2):  # with its reset in between
                async with pool.acquire() as connection:
                    for what in SHOWS:
                        await connection.fetch(f"SHOW {what}")
                    databases = await connection.fetch("SHOW DATABASES")
                    assert {"app", "lite"} <= {row["name"] for row in databases}
                    statement = await connection.prepare("SHOW LISTS")
                    assert [a.name for a in statement.get_attributes()] == ["list", "items"]
                    async with connection.transaction():
                        assert await connection.fetchval("SELECT 1") == 1
                    with pytest.raises(asyncpg.PostgresSyntaxError):
                        await connection.fetch("SHOW NOTHING")
                    assert await connection.execute("RECONNECT app") == "RECONNECT"
    asyncio.run(run())


def test_psycopg_async(admin_gateway):
    async def run():
        where = target(admin_gateway).dsn()
        async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
            for what in SHOWS:
                await (await connection.execute(f"SHOW {what}")).fetchall()
    asyncio.run(run())


def test_mysql_clients(admin_gateway):
    with contextlib.closing(my_connect(admin_gateway)) as connection, connection.cursor() as cursor:
        with load(admin_gateway):
            for what in SHOWS:
                cursor.execute(f"SHOW {what}")
                assert cursor.description
        cursor.execute("SHOW LISTS")
        assert dict(cursor.fetchall())["used_clients"] >= 1
        with pytest.raises(pymysql.ProgrammingError) as refused:
            cursor.execute("SHOW NOTHING")
        assert refused.value.args[0] == 1064 and "SHOW HELP" in refused.value.args[1]
        cursor.execute("SELECT @@version_comment")
        assert cursor.fetchone() == ("Sluice admin console",)
        connection.select_db("lite")
        cursor.execute("SELECT 1 + 1")
        assert cursor.fetchone() == (2,)
        connection.select_db("sluice")
        cursor.execute("SHOW VERSION")
        assert cursor.fetchone()[0].startswith("Sluice ")
    words = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{admin_gateway.my_port}", "-uroot",
             f"-p{PASSWORD}"]
    done = subprocess.run([*words, "--auto-rehash", "--table", "sluice"], capture_output=True,
                          text=True, timeout=60,
                          input=";\n".join(f"SHOW {each}" for each in SHOWS) + ";\nUSE lite;\n"
                          "SELECT 41 + 1;\nUSE sluice;\nPAUSE lite;\nRESUME lite;\n")
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    assert re.search(r"^\| +42 \|$", done.stdout, re.M) and "cl_active" in done.stdout


def test_only_administrators(admin_gateway):
    with pytest.raises(psycopg.OperationalError) as refused:
        connect(admin_gateway, user="alice")
    assert "admin = true in [users.alice]" in str(refused.value)
    with pytest.raises(pymysql.OperationalError) as refused:
        my_connect(admin_gateway, user="alice")
    assert refused.value.args[0] == 1044 and "[users.alice]" in refused.value.args[1]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(target(admin_gateway).but(password="wrong").dsn())
    with connect(admin_gateway, user="looker") as connection:
        assert table(connection, "POOLS") is not None
        for command in ("PAUSE", "RESUME", "KILL app", "RELOAD", "SHUTDOWN", "SET log_level = off"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="admin = true"):
                connection.execute(command)
    with contextlib.closing(my_connect(admin_gateway, "lite")) as connection:
        connection.select_db("pgbouncer")
    with contextlib.closing(my_connect(admin_gateway, "lite", "alice")) as connection:
        with pytest.raises(pymysql.err.OperationalError) as refused:
            connection.select_db("sluice")
        assert refused.value.args[0] == 1044
        connection.query("SELECT 1")


def test_errors_leave_the_session_usable(console):
    for text in ("FROBNICATE", "SHOW POOL", "KILL", "PAUSE nowhere", "SELECT * FROM pg_class",
                 "SET log_level = loud", "SET nothing = 1", "KILL_CLIENT 999999", "SHOW POOLS x",
                 'KILL ""', "SELECT usename FROM pg_user"):
        for prepare in (False, True):
            with pytest.raises(psycopg.Error) as refused:
                console.execute(text, prepare=prepare)
            assert refused.value.sqlstate in ("42601", "3D000", "22023", "42704"), text
        assert console.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.Error, match='did you mean "POOLS"'):
        console.execute("SHOW POOL")
    assert "PAUSE" in {row["command"].split()[0] for row in table(console, "HELP")}


def test_settings_are_shown_without_secrets(admin_gateway, console):
    settings = {row["key"]: row for row in table(console, "CONFIG")}
    assert settings["databases.app.pool.size"]["value"] == str(servers.POOL_SIZE)
    assert settings["gateway.max_clients"]["value"] == "10000"
    assert settings["gateway.log.level"]["changeable"] == "yes"
    for what in SHOWS:
        assert PASSWORD not in str(table(console, what)), what
    console.execute("SET log_level = debug")
    assert row_of(console, "CONFIG", key="gateway.log.level")["value"] == "debug"
    console.execute("SET log_level TO 'info'")
    wait_until(lambda: "gateway.log.level: debug → info" in admin_gateway.log())


def test_databases_and_users(console):
    app = row_of(console, "DATABASES", name="app")
    assert (app["host"], app["database"], app["pool_size"]) == ("127.0.0.1", "app", 4)
    assert row_of(console, "DATABASES", name="lite")["engine"] == "sqlite"
    assert row_of(console, "USERS", name="root")["admin"] == 1
    assert row_of(console, "USERS", name="alice")["stats"] == 0


def test_columns_are_pgbouncers(console, folder):
    """What a real PgBouncer shows comes first, under the same names."""
    place = folder / "pgbouncer"
    place.mkdir(exist_ok=True)
    port = servers.free_port()
    (place / "b.ini").write_text(
        "[databases]\napp = host=127.0.0.1 port=1\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\nadmin_users = root\n")
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    words = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"] \
        if owner else []
    with open(place / "log", "wb") as log:
        process = subprocess.Popen([*words, "/usr/sbin/pgbouncer", place / "b.ini"], stdout=log,
                                   stderr=log)
    try:
        wait_until(lambda: servers.accepts(port), what="PgBouncer accepts connections")
        for what in PGBOUNCERS:
            done = subprocess.run([servers.PG_BIN / "psql", "-XAc", f"SHOW {what}", "-h", "127.0.0.1",
                                   "-p", str(port), "-U", "root", "-d", "pgbouncer"],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            theirs = done.stdout.splitlines()[0].split("|")
            ours = [each.name for each in console.execute(f"SHOW {what}").description]
            assert ours[:len(theirs)] == theirs, what
    finally:
        process.terminate()
        process.wait(60)
