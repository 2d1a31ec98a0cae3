"""The front for MySQL clients, with their drivers: verifiers, plugins, TCP, TLS, Unix sockets, what
is told apart and what is not, the version that clients are told, limits, databases."""
import contextlib
import hashlib
import os
import signal
import time
import ssl
import subprocess

import MySQLdb
import pymysql
import pytest

import mariadb
import servers
from test_login import scram_verifier

pytestmark = [pytest.mark.mariadb, pytest.mark.gateway]

SECRET = "a secret: ünö"
LISTEN = """[listen]
mysql = ["127.0.0.1:{port}", "unix:{folder}/my.sock"]
tls = {{ mode = "TLS", cert_file = "{folder}/server.crt", key_file = "{folder}/server.key" }}
"""


def native(password):
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def sha2(password):
    return "SHA2$" + hashlib.sha256(hashlib.sha256(password.encode()).digest()).hexdigest()


USERS = f"""
[users.plain]
password = "{SECRET}"
[users.native]
password = "{native(SECRET)}"
[users.sha2]
password = "{sha2(SECRET)}"
[users.scram]
password = "{scram_verifier(SECRET)}"
[users.both]
password = ["{scram_verifier('the old one')}", "{sha2(SECRET)}", "{native(SECRET)}"]
"""
NAMES = ["plain", "native", "sha2", "scram", "both"]


def certificate(folder):
    folder.mkdir(exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", folder / "server.key", "-out", folder / "server.crt"],
                   check=True, capture_output=True, timeout=80)


@contextlib.contextmanager
def gateway_of(place, server, listen, more=""):
    certificate(place)
    config = mariadb.database(server, "app", "size = 2") + USERS + more
    with servers.Sluice(place, config, listen=listen, secrets=(servers.PASSWORD, SECRET)) as made:
        made.place = place
        yield made


@pytest.fixture(scope="module")
def gateway(my_server, folder):
    with gateway_of(folder / "mylogin", my_server, LISTEN.replace("TLS", "prefer")) as made:
        yield made


@pytest.fixture(scope="module")
def mysql8(my_server, folder):
    """Greets as MySQL 8, so that clients begin with caching_sha2_password."""
    listen = LISTEN.replace("TLS", "prefer") + 'mysql_version = "8.0.36"\n'
    with gateway_of(folder / "mylogin8", my_server, listen) as made:
        yield made


WAYS = ["tcp", "tls", "unix"]


def pymysql_works(gateway, user, way, password=SECRET, **options):
    words = {"host": "127.0.0.1", "port": gateway.port, "user": user,
             "password": password.encode(), "database": "app", "connect_timeout": 60,
             "read_timeout": 60, **options}
    if way == "unix":
        words["unix_socket"] = str(gateway.place / "my.sock")
    if way == "tls":
        words["ssl"] = {"ca": str(gateway.place / "server.crt")}
    with pymysql.connect(**words) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 40 + 2")
        return cursor.fetchone() == (42,)


def mysqlclient_works(gateway, user, way, password=SECRET):
    words = {"user": user, "password": password, "database": "app", "connect_timeout": 10}
    if way == "unix":
        words["unix_socket"] = str(gateway.place / "my.sock")
    else:
        words |= {"host": "127.0.0.1", "port": gateway.port}
    if way == "tls":
        words["ssl"] = {"ca": str(gateway.place / "server.crt")}
    with contextlib.closing(MySQLdb.connect(**words)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 40 + 2")
        return cursor.fetchall() == ((42,),)


def program(gateway, user, way, password=SECRET, sql="SELECT 40 + 2", more=()):
    words = ["mariadb", "--no-defaults", f"--user={user}", "--batch", "--skip-column-names"]
    if way == "unix":
        words.append(f"--socket={gateway.place}/my.sock")
    else:
        words += ["--protocol=tcp", "--host=127.0.0.1", f"--port={gateway.port}"]
    if way == "tls":
        words += ["--ssl", f"--ssl-ca={gateway.place}/server.crt"]
    done = subprocess.run([*words, *more, "app", "-e", sql], capture_output=True, text=True,
                          env={**os.environ, "MYSQL_PWD": password, "LC_ALL": "C.UTF-8"},
                          timeout=80)
    return done.stdout.strip() or done.stderr.strip()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", NAMES)
@pytest.mark.parametrize("which", ["gateway", "mysql8"])
def test_every_verifier_every_way(request, which, user, way):
    at = request.getfixturevalue(which)
    assert pymysql_works(at, user, way)
    assert mysqlclient_works(at, user, way)
    assert program(at, user, way) == "42"


def test_an_older_password_in_the_list_works_where_it_comes_itself(mysql8):
    for way in WAYS:
        assert pymysql_works(mysql8, "both", way, "the old one")


@pytest.mark.parametrize("plugin", ["mysql_native_password", "caching_sha2_password"])
def test_clients_that_begin_with_another_plugin(gateway, mysql8, plugin):
    for at in (gateway, mysql8):
        for user in ("plain", "native", "sha2"):
            assert program(at, user, "tcp", more=[f"--default-auth={plugin}"]) == "42"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", NAMES + ["nobody"])
def test_wrong_passwords_and_strangers_are_not_told_apart(gateway, mysql8, user, way):
    for at in (gateway, mysql8):
        for password in ("wrong", ""):
            with pytest.raises(pymysql.err.OperationalError) as caught:
                pymysql_works(at, user, way, password)
            host = "localhost" if way == "unix" else "127.0.0.1"
            using = "YES" if password else "NO"
            assert caught.value.args == (1045, f"Access denied for user '{user}'@'{host}' "
                                               f"(using password: {using})")
        assert "1045" in program(at, user, way, "wrong")


def test_the_log_says_what_a_scram_user_may_add(gateway):
    with pytest.raises(pymysql.err.OperationalError):
        pymysql_works(gateway, "scram", "tcp", "wrong")
    servers.wait_until(lambda: "sluice password scram" in gateway.log(), 60, "a hint in the log")


def test_the_greeting_is_that_of_the_server_behind(gateway, mysql8, my_server):
    with pymysql.connect(host="127.0.0.1", port=my_server.port, user="root") as direct:
        version = direct.server_version
    assert "MariaDB" in version
    for at, told in ((gateway, version), (mysql8, "8.0.36")):
        with pymysql.connect(host="127.0.0.1", port=at.port, user="plain",
                             password=SECRET.encode()) as connection:
            assert connection.server_version == told


def test_tls_may_be_required(my_server, folder):
    with gateway_of(folder / "myrequire", my_server, LISTEN.replace("TLS", "require")) as at:
        with pytest.raises(pymysql.err.OperationalError) as caught:
            pymysql_works(at, "plain", "tcp")
        assert caught.value.args[0] == 3159
        for way in ("tls", "unix"):
            assert pymysql_works(at, "plain", way)
            assert program(at, "scram", way) == "42"
        context = ssl.create_default_context()  # which does not know the certificate
        with pytest.raises(pymysql.err.OperationalError, match="certificate verify failed"):
            pymysql_works(at, "plain", "tcp", ssl=context)


def test_limits_of_users_databases_and_of_the_gateway(own_my_gateway, my_server):
    at = own_my_gateway('[gateway]\nmax_clients = 4\ndrain_timeout = "1s"\n'
                        + mariadb.database(my_server, "app", "size = 2") + "max_clients = 3\n"
                        '[users.one]\npassword = "x"\nmax_clients = 1\n'
                        '[users.two]\npassword = "x"\n')

    def connect(user):
        return pymysql.connect(host="127.0.0.1", port=at.port, user=user, password="x",
                               database="app", connect_timeout=60, read_timeout=60)

    def refusal(user):
        with pytest.raises(pymysql.err.OperationalError) as caught:
            connect(user)
        assert caught.value.args[0] == 1040
        return caught.value.args[1]

    def admitted(user):
        try:
            return connect(user)
        except pymysql.err.OperationalError as refused:
            assert refused.args[0] == 1040
            return None

    # Who was refused, or looked whether the gateway listens, may still be leaving, and count.
    with contextlib.ExitStack() as held:
        def hold(user):
            held.enter_context(servers.wait_until(lambda: admitted(user), 60, "a place"))

        hold("one")
        servers.wait_until(lambda: "users.one.max_clients" in refusal("one"), 60)
        hold("two")
        hold("two")
        servers.wait_until(lambda: "databases.app.max_clients" in refusal("two"), 60)

        def greeted():
            idle = held.enter_context(contextlib.closing(
                __import__("socket").create_connection(("127.0.0.1", at.port))))
            return idle.recv(4096)[4:5] == b"\n"
        servers.wait_until(greeted, 60, "a greeting")
        assert "gateway.max_clients" in refusal("two")
    with servers.wait_until(lambda: admitted("one"), 60, "a place") as again:
        again.ping(reconnect=False)


def test_use_moves_a_client_and_its_variables(own_my_gateway, my_server):
    at = own_my_gateway(mariadb.database(my_server, "first", "size = 1", dbname="app")
                        + mariadb.database(my_server, "second", "size = 1", dbname="app_two")
                        + mariadb.ALICE)
    with pymysql.connect(host="127.0.0.1", port=at.port, user="alice",
                         password=servers.PASSWORD) as connection:
        def value(sql):
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0]

        assert value("SELECT DATABASE()") == "information_schema"
        with connection.cursor() as cursor:
            cursor.execute("SET @@sort_buffer_size = 123456, @@sql_mode = 'ANSI_QUOTES'")
            cursor.execute("SET NAMES latin1")
        connection.select_db("second")
        assert value("SELECT DATABASE()") == "app_two"
        assert value("SELECT @@sort_buffer_size") == 123456
        with connection.cursor() as cursor:
            cursor.execute("USE first")
        assert value("SELECT DATABASE()") == "app"
        assert value("SELECT @@sql_mode") == "ANSI_QUOTES"
        assert value("SELECT @@character_set_client") == "latin1"
        assert value("SELECT @@autocommit") == 0, "PyMySQL set it before a database was chosen"


def test_change_user_to_another_database(own_my_gateway, my_server):
    at = own_my_gateway(mariadb.database(my_server, "first", "size = 1", dbname="app")
                        + mariadb.database(my_server, "second", "size = 1", dbname="app_two")
                        + '[users.one]\npassword = "x"\ndatabases = ["first"]\n'
                        '[users.two]\npassword = "y"\ndatabases = ["second"]\n')
    for _ in range(3):
        connection = MySQLdb.connect(host="127.0.0.1", port=at.port, user="one", password="x",
                                     database="first")
        with contextlib.closing(connection):
            for user, password, database, schema in (("two", "y", "second", "app_two"),
                                                     ("one", "x", "first", "app")) * 3:
                cursor = connection.cursor()
                cursor.execute("SET @@sort_buffer_size = 123456")
                connection.change_user(user, password, database)
                cursor = connection.cursor()
                cursor.execute("SELECT DATABASE(), @@sort_buffer_size = 123456")
                assert cursor.fetchall() == ((schema, 0),)
            with pytest.raises(MySQLdb.OperationalError) as caught:
                connection.change_user("one", "x", "second")
            assert caught.value.args[0] == 1044


def test_sigterm_drains(own_my_gateway, my_server):
    at = own_my_gateway('[gateway]\ndrain_timeout = "60s"\n'
                        + mariadb.database(my_server, "app", "size = 1") + mariadb.ALICE)
    with pymysql.connect(host="127.0.0.1", port=at.port, user="alice", database="app",
                         password=servers.PASSWORD) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        at.process.send_signal(signal.SIGTERM)
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        cursor.execute("COMMIT")
        with pytest.raises(pymysql.err.OperationalError):
            # Busy all the time: it is not cut off at once, see server::begin_drain().
            until = time.monotonic() + 40
            while time.monotonic() < until:
                cursor.execute("SELECT 1")
        connection.open and connection._force_close()
