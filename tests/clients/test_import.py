"""sluice import: the same clients connect to PgBouncer and to Sluice with the imported file."""
import os
import shutil
import subprocess

import psycopg
import pytest

import servers

pytestmark = pytest.mark.gateway

INI = """
[databases]
app = host=127.0.0.1 port={pg} dbname=app
wide = host=127.0.0.1 port={pg} dbname=app pool_size=3 pool_mode=session
%include more.ini

[users]
alice = max_user_connections=15

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = transaction
default_pool_size = 4
max_client_conn = 50
query_wait_timeout = 60
ignore_startup_parameters = extra_float_digits
reserve_pool_size = 2
"""


def look_around(folder, port):
    """What clients see behind `port`."""
    seen = []
    for host in ("127.0.0.1", str(folder)):
        for database in ("app", "wide", "postgres"):
            with psycopg.connect(host=host, port=port, user="alice", password=servers.PASSWORD,
                                 dbname=database, connect_timeout=30) as client:
                seen.append((database, client.execute(
                    "SELECT current_user, current_database(), count(*) FROM generate_series(1, 9)"
                ).fetchone()))
    for wrong in ({"password": "wrong"}, {"user": "mallory"}):
        known = {"user": "alice", "password": servers.PASSWORD, **wrong}
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, dbname="app", connect_timeout=30, **known)
    crowd = [psycopg.connect(host="127.0.0.1", port=port, user="alice", autocommit=True,
                             password=servers.PASSWORD, dbname="app") for _ in range(12)]
    seen.append(sum(c.execute("SELECT 1").fetchone()[0] for c in crowd))
    pids = {c.execute("SELECT pg_backend_pid()").fetchone()[0] for c in crowd}
    assert len(pids) <= 4
    for client in crowd:
        client.close()
    return seen


def test_clients_of_pgbouncer_find_everything_behind_sluice(cluster, tmp_path_factory):
    with servers.short_folder() as folder:
        port = servers.free_port()
        (folder / "pgbouncer.ini").write_text(
            INI.format(pg=cluster.port, port=port, folder=folder))
        (folder / "more.ini").write_text(f"* = host=127.0.0.1 port={cluster.port}\n")
        (folder / "users.txt").write_text(f'"alice" "{servers.PASSWORD}"\n')
        if cluster.owner:
            os.chown(folder, cluster.owner.pw_uid, cluster.owner.pw_gid)
        binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        with open(folder / "pgbouncer.log", "wb") as log:
            running = subprocess.Popen(cluster.command(binary, "pgbouncer.ini"), cwd=folder,
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            servers.wait_until(lambda: running.poll() is not None or servers.accepts(port), 60,
                               "PgBouncer accepts connections")
            assert running.poll() is None, (folder / "pgbouncer.log").read_text()
            before = look_around(folder, port)
        finally:
            running.terminate()
            running.wait(60)

        made = subprocess.run([servers.BINARY, "import", folder / "pgbouncer.ini", "-o",
                               folder / "sluice.toml"], capture_output=True, text=True, timeout=60)
        assert made.returncode == 0, made.stderr
        assert f"{folder}/pgbouncer.ini:21: reserve_pool_size: has no counterpart" in made.stderr
        assert servers.PASSWORD not in made.stderr

        gateway = servers.Sluice(folder, "")
        gateway.port = port
        gateway.write = lambda config: None
        with gateway:
            assert look_around(folder, port) == before
