"""MySQL: `[databases."*"]`, users with a backend user, the log while a server is down."""
import re

import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway


def value(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def any_other(server, extra=""):
    return f"""
[databases."*"]
engine = "mysql"
host = "127.0.0.1"
port = {server.port}
user = "alice"
password = "{servers.PASSWORD}"
pool = {{ size = 3 }}
""" + extra + mariadb.ALICE


def test_any_other_database(my_server, own_my_gateway):
    """Each name is a database of the server's, with a pool of its own; USE takes a client there."""
    gateway = own_my_gateway(any_other(my_server, mariadb.database(
        my_server, "named", "size = 2", dbname="app_two")))
    target = mariadb.Target("any", gateway.port)
    for database in ("app", "app_two", "app_three"):
        with target.but(database=database).connect() as connection:
            assert value(connection, "SELECT DATABASE()") == database
    with target.but(database="named").connect() as connection:
        assert value(connection, "SELECT DATABASE()") == "app_two"
        with connection.cursor() as cursor:
            cursor.execute("USE app_three")
        assert value(connection, "SELECT DATABASE()") == "app_three"
        connection.select_db("app")
        assert value(connection, "SELECT DATABASE()") == "app"
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE TABLE anywhere (n INT)")
        cursor.execute("INSERT INTO anywhere VALUES (7)")
    assert my_server.value("SELECT n FROM app.anywhere") == 7


def test_any_other_database_that_is_not_there(my_server, own_my_gateway):
    """The server's own words, at the first statement at the latest; and the pool is given up."""
    gateway = own_my_gateway(any_other(my_server))
    target = mariadb.Target("any", gateway.port)
    for database in ("nowhere", "mysql"):  # unknown, and not alice's
        with pytest.raises(pymysql.Error) as caught:
            with target.but(database=database).connect() as connection:
                value(connection, "SELECT 1")
        assert database in str(caught.value), caught.value
    with target.connect() as connection:
        with pytest.raises(pymysql.Error):
            connection.select_db("nowhere")
            value(connection, "SELECT 1")
        connection.select_db("app")
        assert value(connection, "SELECT DATABASE()") == "app"
    with target.connect() as connection:
        assert value(connection, "SELECT DATABASE()") == "app"


def test_backend_user(my_server, own_my_gateway):
    """A user's statements run as the database's user that the configuration names."""
    my_server.sql("CREATE OR REPLACE USER bob IDENTIFIED BY 'bobs own'", "GRANT ALL ON app.* TO bob")
    gateway = own_my_gateway(mariadb.database(my_server, "app", "size = 2") + mariadb.ALICE + """
[users.robert]
password = "front"
backend_user = "bob"
backend_password = "bobs own"
""", secrets=(servers.PASSWORD, "bobs own"))
    target = mariadb.Target("users", gateway.port)
    robert = target.but(user="robert", password="front")
    for _ in range(2):
        with robert.connect() as one, target.connect() as other:
            assert value(one, "SELECT CURRENT_USER()") == "bob@%"
            assert value(other, "SELECT CURRENT_USER()") == "alice@%"
    with robert.connect() as connection:
        # The client changes its user: so does the user of its statements.
        connection.user, connection.password = b"alice", servers.PASSWORD.encode()
        assert value(connection, "SELECT CURRENT_USER()") == "bob@%"
    with pytest.raises(pymysql.OperationalError) as caught:
        target.but(user="bob", password="bobs own").connect()
    assert caught.value.args[0] == 1045


def test_log_of_an_outage(folder, own_my_gateway, my_server):
    """Retries are not a line each: the first, and when the database is back."""
    port = servers.free_port()
    gateway = own_my_gateway(mariadb.database(
        my_server, "app", 'size = 4, connect_timeout = "1s"', port=port) + mariadb.ALICE)
    target = mariadb.Target("outage", gateway.port)
    with target.connect() as connection:
        for _ in range(2):
            with pytest.raises(pymysql.Error):
                value(connection, "SELECT 1")
        own_port, my_server.port = my_server.port, port
        try:
            second = mariadb.Server(folder / "my-late")
            second.port = port
            with second:
                servers.wait_until(lambda: not fails(target), 20, "the database is served")
        finally:
            my_server.port = own_port
    log = gateway.log()
    assert len(re.findall("connect failed", log)) in (1, 2), log
    assert len(re.findall("no backend for a request", log)) in (1, 2), log
    back = re.search(r"database is back.* after_ms=(\d+) attempts=(\d+)", log)
    assert back and int(back[1]) > 1000 and int(back[2]) > 2, log


def fails(target):
    try:
        with target.connect() as connection:
            value(connection, "SELECT 1")
    except pymysql.Error:
        return True
    return False
