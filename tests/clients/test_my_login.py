"""Each driver's way in: every kind of verifier over TCP, TLS and a Unix socket, right and wrong."""
import asyncio
import base64
import hashlib
import hmac
import json
import os
import ssl
import subprocess

import aiomysql
import MySQLdb
import pymysql
import pytest

import mariadb
from servers import PASSWORD
from test_node import FOLDER, modules  # noqa: F401

pytestmark = pytest.mark.gateway
WAYS = ("tcp", "tls", "socket")
DENIED = 1045


def native_verifier(password):
    return "*" + hashlib.sha1(hashlib.sha1(password).digest()).hexdigest().upper()


def scram_verifier(password):
    salt = b"0123456789abcdef"
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, 4096)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256$4096:{text[0]}${text[1]}:{text[2]}"


VERIFIERS = {"plain": PASSWORD, "native": native_verifier(PASSWORD.encode()),
             "scram": scram_verifier(PASSWORD.encode())}


@pytest.fixture(scope="module")
def door(my_server, folder):
    """A gateway with users of every kind, TLS and a socket; its folder."""
    place = folder / "door"
    place.mkdir()
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", place / "server.key", "-out", place / "server.crt"],
        capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stderr
    listen = ('[listen]\nmysql = ["127.0.0.1:{port}", "unix:{folder}/my.sock"]\n'
              'tls = {{ mode = "prefer", cert_file = "server.crt", key_file = "server.key" }}\n')
    users = "".join(f'[users.{name}]\npassword = "{text}"\n' for name, text in VERIFIERS.items())
    config = mariadb.database(my_server, "app", "size = 4") + users
    with mariadb.servers.Sluice(place, config, listen=listen) as running:
        yield running


def address(door, way):
    if way == "socket":
        return {"unix_socket": str(door.folder / "my.sock")}
    return {"host": "127.0.0.1", "port": door.port}


def context(door):
    return ssl.create_default_context(cafile=str(door.folder / "server.crt"))


# Each gives 0 when SELECT 42 was answered, else the error's number.


def with_pymysql(door, user, password, way):
    tls = {"ssl": context(door)} if way == "tls" else {"ssl_disabled": True}
    try:
        with pymysql.connect(user=user, password=password, database="app",
                             **address(door, way), **tls) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 42")
                return 0 if cursor.fetchall() == ((42,),) else -1
    except pymysql.MySQLError as error:
        return error.args[0]


def with_mysqlclient(door, user, password, way):
    tls = {"ssl": {"ca": str(door.folder / "server.crt")}} if way == "tls" else {}
    try:
        connection = MySQLdb.connect(user=user, password=password, database="app",
                                     **address(door, way), **tls)
        connection.query("SELECT 42")
        found = connection.store_result().fetch_row()
        connection.close()
        return 0 if found == ((42,),) else -1
    except MySQLdb.Error as error:
        return error.args[0]


def with_aiomysql(door, user, password, way):
    async def ask():
        tls = {"ssl": context(door)} if way == "tls" else {}
        connection = await aiomysql.connect(user=user, password=password, db="app",
                                            **address(door, way), **tls)
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT 42")
            found = await cursor.fetchall()
        await connection.ensure_closed()
        return 0 if found == ((42,),) else -1

    try:
        return asyncio.run(asyncio.wait_for(ask(), 80))
    except aiomysql.MySQLError as error:
        return (error.__cause__ or error).args[0]


def with_cli(door, user, password, way):
    how = {"tcp": ["--protocol=tcp", "--skip-ssl"], "tls": ["--protocol=tcp", "--ssl"],
           "socket": [f"--socket={door.folder}/my.sock"]}[way]
    done = subprocess.run(
        ["mariadb", "--no-defaults", "--host=127.0.0.1" if way != "socket" else "--host=localhost",
         f"--port={door.port}", f"--user={user}", *how, "app", "-Ne", "SELECT 42"],
        capture_output=True, text=True, timeout=80, env={**os.environ, "MYSQL_PWD": password})
    if done.returncode == 0:
        return 0 if done.stdout.strip() == "42" else -1
    return int(done.stderr.split()[1])


PYTHON = {"pymysql": with_pymysql, "mysqlclient": with_mysqlclient, "aiomysql": with_aiomysql,
          "mariadb": with_cli}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", VERIFIERS)
@pytest.mark.parametrize("driver", PYTHON)
def test_drivers(door, driver, user, way):
    assert PYTHON[driver](door, user, PASSWORD, way) == 0
    assert PYTHON[driver](door, user, PASSWORD + "x", way) == DENIED
    assert PYTHON[driver](door, user, "", way) == DENIED
    assert PYTHON[driver](door, "stranger", PASSWORD, way) == DENIED


NODE = """
const attempts = JSON.parse(process.argv[1]);
const mysql2 = require('mysql2/promise'), mariadb = require('mariadb');
(async () => {
  const found = [];
  for (const {driver, options} of attempts) {
    try {
      const made = await (driver === 'mysql2' ? mysql2 : mariadb).createConnection(options);
      const rows = await made.query('SELECT 42 AS n');
      found.push((driver === 'mysql2' ? rows[0] : rows)[0].n == 42 ? 0 : -1);
      await made.end();
    } catch (e) { found.push(e.errno); }
  }
  console.log(JSON.stringify(found));
})();
"""


@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_node(door, modules, driver):  # noqa: F811
    attempts, wanted = [], []
    for user in (*VERIFIERS, "stranger"):
        for way in WAYS:
            for password in (PASSWORD, PASSWORD + "x"):
                options = {"user": user, "password": password, "database": "app"}
                if way == "socket":
                    options["socketPath"] = str(door.folder / "my.sock")
                else:
                    options |= {"host": "localhost", "port": door.port}
                if way == "tls":
                    options["ssl"] = {"ca": (door.folder / "server.crt").read_text()}
                if driver == "mariadb":
                    options["allowPublicKeyRetrieval"] = True
                attempts.append({"driver": driver, "options": options})
                right = password == PASSWORD and user in VERIFIERS
                wanted.append(0 if right else DENIED)
    done = subprocess.run(["node", "-e", NODE, json.dumps(attempts)], cwd=FOLDER, timeout=80,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == wanted


PHP = """
mysqli_report(MYSQLI_REPORT_OFF);
$found = [];
foreach (json_decode($argv[1], true) as [$user, $password, $way, $port, $folder]) {
  $link = mysqli_init();
  $link->ssl_set(null, null, $way == 'tls' ? "$folder/server.crt" : null, null, null);
  @$link->real_connect($way == 'socket' ? 'localhost' : '127.0.0.1', $user, $password, 'app', $port,
                       $way == 'socket' ? "$folder/my.sock" : null,
                       $way == 'tls' ? MYSQLI_CLIENT_SSL : 0);
  $error = mysqli_connect_errno();
  $found[] = $error ?: ($link->query('SELECT 42')->fetch_row()[0] == 42 ? 0 : -1);
}
echo json_encode($found);
"""


def test_php(door):
    attempts = [[user, password, way, door.port, str(door.folder)]
                for user in (*VERIFIERS, "stranger") for way in WAYS
                for password in (PASSWORD, PASSWORD + "x")]
    wanted = [0 if password == PASSWORD and user in VERIFIERS else DENIED
              for user, password, *_ in attempts]
    done = subprocess.run(["php", "-r", PHP, json.dumps(attempts)], timeout=80,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == wanted


def test_change_user(door):
    """Connector/C's mysql_change_user: another account on the same connection, or none."""
    for way in WAYS:
        tls = {"ssl": {"ca": str(door.folder / "server.crt")}} if way == "tls" else {}
        connection = MySQLdb.connect(user="plain", password=PASSWORD, database="app",
                                     **address(door, way), **tls)
        for user in ("native", "scram", "plain"):
            connection.change_user(user, PASSWORD, "app")
            connection.query("SELECT 42")
            assert connection.store_result().fetch_row() == ((42,),)
        with pytest.raises(MySQLdb.OperationalError) as refused:
            connection.change_user("native", PASSWORD + "x", "app")
        assert refused.value.args[0] == DENIED
