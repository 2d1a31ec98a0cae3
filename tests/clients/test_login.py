"""Logging in: methods, what is told apart and what is not, TLS, Unix sockets, limits."""
import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
import socket
import ssl
import struct
import subprocess

import asyncpg
import psycopg
import pytest

import servers

pytestmark = [pytest.mark.postgres, pytest.mark.gateway]


def scram_verifier(password, iterations=4096):
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    words = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{words[0]}${words[1]}:{words[2]}"


def database(cluster):
    return f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{servers.PASSWORD}"
pool = {{ size = 2 }}
"""


def target_of(gateway, user, password, database="app"):
    return servers.Target("sluice", gateway.port, database, user, password)


def works(target, **options):
    with psycopg.connect(target.dsn(**options)) as connection:
        return connection.execute("SELECT 'in'").fetchone() == ("in",)


def refusal(target, **options):
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(target.dsn(**options))
    return str(caught.value)


def test_scram_with_verifier_plain_text_and_lists(own_gateway, cluster):
    gateway = own_gateway(database(cluster) + f"""
[users.verifier]
password = "{scram_verifier('first pass')}"
[users.plain]
password = "second pass"
[users.both]
password = ["old pass", "new pass"]
""", secrets=("first pass", "second pass", "old pass", "new pass", servers.PASSWORD))
    assert works(target_of(gateway, "verifier", "first pass"))
    assert works(target_of(gateway, "plain", "second pass"))
    assert works(target_of(gateway, "plain", "second pass"))
    assert works(target_of(gateway, "both", "old pass"))
    assert works(target_of(gateway, "both", "new pass"))
    assert "password authentication failed" in refusal(
        target_of(gateway, "verifier", "second pass"))


def test_refusals_do_not_tell_what_was_wrong(own_gateway, cluster):
    gateway = own_gateway(database(cluster) + '[users.alice]\npassword = "right"\n')

    def text(user, password, name):
        message = refusal(target_of(gateway, user, password, name))
        return message.replace(user, "USER").replace(name, "DATABASE")

    wrong_password = text("alice", "wrong", "app")
    assert "password authentication failed" in wrong_password
    assert text("nobody", "wrong", "app") == wrong_password
    assert text("alice", "wrong", "nowhere") == wrong_password
    assert text("nobody", "wrong", "nowhere") == wrong_password


def test_unknown_database_once_logged_in(gateway):
    message = refusal(target_of(gateway, "alice", servers.PASSWORD, "nowhere"))
    assert "nowhere" in message and "does not exist" in message


def test_md5(own_gateway, cluster):
    digest = "md5" + hashlib.md5(b"md5 passhashed").hexdigest()
    gateway = own_gateway(database(cluster) + f"""
[auth]
method = "md5"
[users.hashed]
password = "{digest}"
[users.plain]
password = "plain pass"
""", secrets=("md5 pass", "plain pass"))
    assert works(target_of(gateway, "hashed", "md5 pass"))
    assert works(target_of(gateway, "plain", "plain pass"))
    assert "password authentication failed" in refusal(target_of(gateway, "plain", "wrong"))


def test_trust(own_gateway, cluster):
    gateway = own_gateway(database(cluster) + '[auth]\nmethod = "trust"\n[users.alice]\n')
    assert works(target_of(gateway, "alice", "whatever"))


@pytest.fixture(scope="module")
def certificates(folder):
    """An authority, a server certificate for localhost, a client certificate for alice."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=60)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test CA",
            "-keyout", "ca.key", "-out", "ca.crt")
    for name, subject in (("server", "/CN=localhost"), ("client", "/CN=alice")):
        (folder / f"{name}.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", "-extfile", f"{name}.ext")
        (folder / f"{name}.key").chmod(0o600)
    return folder


def with_tls(own_gateway, cluster, certificates, mode):
    extra = f', ca_file = "{certificates}/ca.crt"' if mode == "verify" else ""
    listen = (f'[listen]\npostgres = ["127.0.0.1:{{port}}"]\ntls = {{{{ mode = "{mode}", cert_file ='
              f' "{certificates}/server.crt", key_file = "{certificates}/server.key"{extra} }}}}\n')
    return own_gateway(database(cluster) + '[users.alice]\npassword = "tls pass"\n', listen=listen,
                       secrets=("tls pass",))


def test_tls_preferred(own_gateway, cluster, certificates):
    gateway = with_tls(own_gateway, cluster, certificates, "prefer")
    target = target_of(gateway, "alice", "tls pass")
    assert works(target, sslmode="disable")
    assert works(target, sslmode="require")
    assert works(target.but(host="localhost"), sslmode="verify-full",
                 sslrootcert=certificates / "ca.crt")
    assert works(target, sslmode="require", channel_binding="require")
    with psycopg.connect(target.dsn(sslmode="require")) as connection:
        assert connection.pgconn.ssl_in_use
        text = "x" * 3_000_000
        assert connection.execute("SELECT %s", (text,)).fetchone() == (text,)


def test_tls_asyncpg(own_gateway, cluster, certificates):
    gateway = with_tls(own_gateway, cluster, certificates, "prefer")

    async def main():
        context = ssl.create_default_context(cafile=certificates / "ca.crt")
        connection = await asyncpg.connect(host="localhost", port=gateway.port, user="alice",
                                           password="tls pass", database="app", ssl=context)
        with pytest.raises(asyncio.TimeoutError):
            await connection.execute("SELECT pg_sleep(20)", timeout=0.3)
        assert await connection.fetchval("SELECT 7") == 7
        await connection.close()

    asyncio.run(asyncio.wait_for(main(), 80))


def test_tls_required(own_gateway, cluster, certificates):
    gateway = with_tls(own_gateway, cluster, certificates, "require")
    target = target_of(gateway, "alice", "tls pass")
    assert works(target, sslmode="require")
    message = refusal(target, sslmode="disable")
    assert "TLS" in message or "SSL" in message or "encrypt" in message


def test_tls_client_certificate(own_gateway, cluster, certificates):
    gateway = with_tls(own_gateway, cluster, certificates, "verify")
    target = target_of(gateway, "alice", "tls pass")
    assert works(target, sslmode="require", sslcert=certificates / "client.crt",
                 sslkey=certificates / "client.key")
    refusal(target, sslmode="require")


def test_unix_socket(own_gateway, cluster, folder):
    place = folder / "sock"
    place.mkdir()
    place.chmod(0o755)
    port = servers.free_port()
    gateway = own_gateway(
        database(cluster) + '[users.alice]\npassword = "unix pass"\n', secrets=("unix pass",),
        listen=f'[listen]\npostgres = ["127.0.0.1:{{port}}", "unix:{place}/.s.PGSQL.{port}"]\n')
    target = servers.Target("sluice", port, "app", "alice", "unix pass", host=str(place))
    assert works(target)
    assert "password authentication failed" in refusal(target.but(password="wrong"))
    gateway.stop()
    assert not (place / f".s.PGSQL.{port}").exists()


def test_max_clients(own_gateway, cluster):
    gateway = own_gateway('[gateway]\nmax_clients = 3\ndrain_timeout = "1s"\n' + database(cluster)
                          + '[users.alice]\npassword = "max pass"\n')
    target = target_of(gateway, "alice", "max pass")
    # Whoever looked whether the gateway listens may still be leaving, and count.
    made = [servers.wait_until(lambda: _connected(target), 60, "a place") for _ in range(3)]
    assert "max_clients" in refusal(target)
    made.pop().close()
    servers.wait_until(lambda: _try(target), 60, "a place is free again")
    for connection in made:
        connection.close()


def _connected(target):
    try:
        return psycopg.connect(target.dsn())
    except psycopg.OperationalError:
        return None


def _try(target):
    try:
        return works(target)
    except psycopg.OperationalError:
        return False


def test_login_timeout(own_gateway, cluster):
    gateway = own_gateway('[gateway]\nlogin_timeout = "3s"\ndrain_timeout = "1s"\n'
                          + database(cluster) + '[users.alice]\npassword = "late pass"\n')
    with socket.create_connection(("127.0.0.1", gateway.port), 60) as silent, \
            socket.create_connection(("127.0.0.1", gateway.port), 60) as half:
        half.sendall(struct.pack("!II", 30, 196608) + b"user\0")
        for one in (silent, half):
            while one.recv(1000):
                pass
    assert works(target_of(gateway, "alice", "late pass"))


def test_protocol_version_is_negotiated(gateway):
    body = struct.pack("!I", 3 << 16 | 9) + b"user\0alice\0database\0app\0_pq_.unknown\0on\0\0"
    with socket.create_connection(("127.0.0.1", gateway.port), 60) as raw:
        raw.sendall(struct.pack("!I", len(body) + 4) + body)
        answer = raw.recv(1000)
    assert answer[:1] == b"v" and b"_pq_.unknown" in answer


@pytest.mark.parametrize("bytes_", [
    b"\0" * 8, b"\0" * 1000, b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 8, 1),
    struct.pack("!II", 2**31 - 1, 196608), struct.pack("!II", 4, 196608),
    struct.pack("!II", 12, 196608) + b"abcd",
], ids=["zeros", "more zeros", "ones", "http", "version", "2 GB", "too short", "unterminated"])
def test_bad_first_packet(gateway, bytes_):
    with socket.create_connection(("127.0.0.1", gateway.port), 60) as raw:
        raw.sendall(bytes_)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while raw.recv(1000):
                pass
    assert works(target_of(gateway, "alice", servers.PASSWORD))


def test_check_and_password_commands(folder):
    made = subprocess.run([servers.BINARY, "password", "alice"], input="open sesame\n", text=True,
                          capture_output=True, timeout=30)
    assert made.returncode == 0 and "SCRAM-SHA-256$4096:" in made.stdout
    assert "open sesame" not in made.stdout + made.stderr
    good, bad = folder / "good.toml", folder / "bad.toml"
    good.write_text('[listen]\npostgres = ["127.0.0.1:6432"]\n[databases.a]\nengine = "sqlite"\n'
                    'file = "a.db"\n[users.alice]\npassword = "x"\n')
    bad.write_text('[listen]\npostgress = ["127.0.0.1:6432"]\n[databases.a]\nengine = "oracle"\n')
    assert subprocess.run([servers.BINARY, "check", good], capture_output=True,
                          timeout=30).returncode == 0
    refused = subprocess.run([servers.BINARY, "check", bad], capture_output=True, text=True,
                             timeout=30)
    assert refused.returncode != 0
    text = refused.stdout + refused.stderr
    assert "bad.toml:2:" in text and "did you mean" in text and "bad.toml:4:" in text
