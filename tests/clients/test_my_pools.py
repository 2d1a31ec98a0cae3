"""MySQL: `[databases."*"]`, users with a backend user, the log while a server is down."""
import asyncio
import re
import threading
import time

import pymysql
import pytest

import mariadb
import mywire
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
    gateway = own_my_gateway(any_other(my_server).replace(
        "size = 3", 'size = 3, connect_timeout = "2s"'))  # how long the words take to come
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
    async def changes():
        """The client changes its user: so does the user of its statements, prepared ones too."""
        connection = await mywire.Connection.open(*robert.wire())
        for user, password, behind in (("alice", servers.PASSWORD, "alice@%"),
                                       ("robert", "front", "bob@%")):
            await connection.change_user(user, password, "app")
            assert (await connection.query("SELECT CURRENT_USER()")).rows == [[behind]]
            statement = await connection.prepare("SELECT CURRENT_USER(), ?")
            assert (await connection.execute(statement, [1])).rows == [[behind, 1]]
        await connection.close()
    asyncio.run(asyncio.wait_for(changes(), 80))
    with pytest.raises(pymysql.OperationalError) as caught:
        target.but(user="bob", password="bobs own").connect()
    assert caught.value.args[0] == 1045


@pytest.mark.clock
def test_a_backend_users_statements_are_killed(my_server, own_my_gateway):
    """KILL QUERY goes to the server as who runs the statement, and by time limits as well."""
    my_server.sql("CREATE OR REPLACE USER bob IDENTIFIED BY 'bobs own'", "GRANT ALL ON app.* TO bob")
    gateway = own_my_gateway(any_other(my_server) + """
[users.robert]
password = "front"
backend_user = "bob"
backend_password = "bobs own"
[tenants.app]
statement_timeout = "3s"
""", secrets=(servers.PASSWORD, "bobs own"))
    robert = mariadb.Target("users", gateway.port, user="robert", password="front")
    with robert.connect() as slow, robert.connect() as killer:
        seen = []

        def sleep():
            try:
                value(slow, "SELECT SLEEP(80)")
            except pymysql.Error as error:
                seen.append(error)
        began = time.monotonic()
        sleep()
        assert time.monotonic() - began < 40 and "tenants.app.statement_timeout" in str(seen[0])
        thread = threading.Thread(target=sleep)
        thread.start()
        servers.wait_until(lambda: my_server.sql(
            "SELECT 1 FROM information_schema.processlist WHERE user = 'bob' AND info LIKE "
            "'SELECT SLEEP%'"), 60, "the statement runs")
        with killer.cursor() as cursor:
            cursor.execute(f"KILL QUERY {slow.thread_id()}")
        thread.join(60)
        assert not thread.is_alive() and len(seen) == 2
        assert value(slow, "SELECT CURRENT_USER()") == "bob@%"
        assert value(killer, "SELECT CURRENT_USER()") == "bob@%"


def test_any_other_database_has_pools_of_its_own(my_server, own_my_gateway):
    """Prepared statements, state and size of one name are not another's; several users' neither."""
    my_server.sql("CREATE OR REPLACE USER bob IDENTIFIED BY 'bobs own'", "GRANT ALL ON app.* TO bob")
    gateway = own_my_gateway(any_other(my_server) + """
[users.robert]
password = "front"
databases = ["app"]
backend_user = "bob"
backend_password = "bobs own"
""", secrets=(servers.PASSWORD, "bobs own"))
    target = mariadb.Target("any", gateway.port)
    robert = target.but(user="robert", password="front")

    async def scenario():
        names = ["app", "app_two", "app_three"]
        crowd = [await mywire.Connection.open(*target.but(database=name).wire())
                 for name in names for _ in range(6)]
        theirs = [name for name in names for _ in range(6)]
        prepared = [await one.prepare("SELECT DATABASE(), ?") for one in crowd]
        for turn in range(5):
            replies = await asyncio.gather(*(one.execute(each, [turn])
                                             for one, each in zip(crowd, prepared)))
            assert [reply.rows for reply in replies] == [[[name, turn]] for name in theirs]
            replies = await asyncio.gather(*(
                one.query(f"SELECT DATABASE(), @@sort_buffer_size > {turn}, SLEEP(0.002)")
                for one in crowd))
            assert [reply.rows[0][0] for reply in replies] == theirs
        busy = my_server.sql("SELECT db, COUNT(*) FROM information_schema.processlist "
                             "WHERE user = 'alice' GROUP BY db")
        open_ones = {name: count for name, count in busy if name in names}
        assert all(0 < count for count in open_ones.values()) and set(open_ones) == set(names)
        for one in crowd:
            await one.close()
    asyncio.run(asyncio.wait_for(scenario(), 85))
    with robert.connect() as connection:
        assert value(connection, "SELECT CURRENT_USER()") == "bob@%"
        with pytest.raises(pymysql.Error) as caught:  # not in its list
            connection.select_db("app_two")
            value(connection, "SELECT 1")
        assert caught.value.args[0] == 1044, caught.value
    with pytest.raises(pymysql.Error) as caught:
        robert.but(database="app_two").connect()
    assert caught.value.args[0] == 1044 and "robert" in str(caught.value)


def test_log_of_an_outage(folder, own_my_gateway, my_server):
    """Retries are not a line each: the first, and when the database is back."""
    port = servers.free_port()
    gateway = own_my_gateway(mariadb.database(
        my_server, "app", 'size = 4, connect_timeout = "1s"', port=port) + mariadb.ALICE)
    target = mariadb.Target("outage", gateway.port)
    began = time.monotonic()
    with target.connect() as connection:
        for _ in range(2):
            with pytest.raises(pymysql.Error):
                value(connection, "SELECT 1")
        own_port, my_server.port = my_server.port, port
        try:
            second = mariadb.Server(folder / "my-late")
            second.port = port
            with second:
                servers.wait_until(lambda: not fails(target), 60, "the database is served")
        finally:
            my_server.port = own_port
    log = gateway.log()
    most = 2 + (time.monotonic() - began) // 10  # see gateway/log/outage.hpp
    assert 0 < len(re.findall("connect failed", log)) <= most, log
    assert 0 < len(re.findall("no backend for a request", log)) <= most, log
    back = re.search(r"database is back.* after_ms=(\d+) attempts=(\d+)", log)
    assert back and int(back[1]) > 1000 and int(back[2]) > 2, log


def fails(target):
    try:
        with target.connect() as connection:
            value(connection, "SELECT 1")
    except pymysql.Error:
        return True
    return False
