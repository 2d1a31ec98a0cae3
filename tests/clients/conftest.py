"""Fixtures: one PostgreSQL 15 cluster and one Sluice for the whole run, and what a test connects to.

`target` is where a portable test connects: sluice-pg (transaction mode, few backends),
sluice-pg-session and sluice-sqlite; with SLUICE_TEST_DIRECT=1 the database itself, to try the
tests without a gateway. Tests marked `postgres` need PostgreSQL's own features and skip SQLite.
"""
import pathlib
import signal
import sys
import zlib

import psycopg
import pytest

import mariadb
import second_run
import servers

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # mywire and pgwire
DIRECT = servers.DIRECT
LIMIT = 240


def pytest_configure(config):
    config.addinivalue_line("markers", "postgres: needs PostgreSQL behind the gateway")
    config.addinivalue_line("markers", "mariadb: needs MariaDB behind the gateway")
    config.addinivalue_line("markers", "gateway: tests the gateway itself, not run directly")
    config.pluginmanager.register(second_run)


MY_TARGETS = {"my-pool": "app", "my-session": "app_session", "my-sqlite": "lite"}


def pytest_generate_tests(metafunc):
    if "my" in metafunc.fixturenames:
        names = ["direct"] if DIRECT else list(MY_TARGETS)
        if metafunc.definition.get_closest_marker("mariadb"):
            names = [name for name in names if name != "my-sqlite"]
        metafunc.parametrize("my", names, indirect=True)
    if "target" not in metafunc.fixturenames:
        return
    if DIRECT:
        names = ["direct"]
    elif metafunc.definition.get_closest_marker("postgres"):
        names = ["sluice-pg", "sluice-pg-session"]
    else:
        names = ["sluice-pg", "sluice-pg-session", "sluice-sqlite"]
    metafunc.parametrize("target", names, indirect=True)


def pytest_collection_modifyitems(items):
    if DIRECT:
        items[:] = [item for item in items if not item.get_closest_marker("gateway")]


@pytest.fixture(scope="session")
def folder():
    with servers.short_folder() as path:
        yield path


@pytest.fixture(scope="session")
def cluster(folder):
    with servers.Cluster(folder / "pg") as running:
        running.sql("CREATE DATABASE other", database="postgres")
        yield running


@pytest.fixture(scope="session")
def shared_gateway(cluster, folder):
    with servers.Sluice(folder / "shared", servers.shared_config(cluster)) as running:
        yield running


@pytest.fixture
def gateway(shared_gateway):
    """The Sluice that most tests share. The test in which it dies fails; the next has a new one."""
    yield from while_it_lives(shared_gateway)


def while_it_lives(running):
    if running.process.poll() is not None:
        running.__enter__()
    yield running
    status = running.process.poll()
    assert status is None, f"Sluice ended with {status}:\n{running.log()[-3000:]}"


@pytest.fixture
def own_gateway(folder):
    """Makes a Sluice with a configuration of the test's own: own_gateway(toml, **options)."""
    yield from makes_gateways(folder)


@pytest.fixture
def own_my_gateway(folder):
    """The same for clients of MySQL."""
    yield from makes_gateways(folder, listen=mariadb.LISTEN)


def makes_gateways(folder, **always):
    running = []

    def make(config, **options):
        place = folder / f"own{len(list(folder.iterdir()))}"
        running.append(servers.Sluice(place, config, **always, **options))
        return running[-1].__enter__()

    yield make
    for one in reversed(running):
        one.__exit__(None, None, None)


@pytest.fixture(scope="session")
def my_server(folder):
    with mariadb.Server(folder / "my") as running:
        yield running


@pytest.fixture(scope="session")
def my_shared_gateway(my_server, folder):
    with mariadb.gateway(folder / "myshared", mariadb.shared_config(my_server)) as running:
        yield running


@pytest.fixture
def my_gateway(my_shared_gateway):
    """The same for clients of MySQL."""
    yield from while_it_lives(my_shared_gateway)


@pytest.fixture
def my(request, my_server):
    """A MySQL client's target: my-pool (transaction mode), my-session, my-sqlite or direct."""
    if request.param == "direct":
        return mariadb.Target("direct", my_server.port)
    gateway = request.getfixturevalue("my_gateway")
    return mariadb.Target(request.param, gateway.port, MY_TARGETS[request.param])


@pytest.fixture
def my_pool(my_server, request):
    """MySQL in transaction mode, for tests of what pooling must not break."""
    if DIRECT:
        return mariadb.Target("direct", my_server.port)
    return mariadb.Target("my-pool", request.getfixturevalue("my_gateway").port)


@pytest.fixture
def my_crowd(my_pool):
    """More clients than the pool has backends, so that they take turns on every one of them."""
    made = [my_pool.connect() for _ in range(3 * servers.POOL_SIZE)]
    yield made
    for connection in made:
        if connection.open:
            connection.close()


@pytest.fixture
def my_table(my, request):
    """A fresh table (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER); its name."""
    name = "t_" + str(zlib.crc32(request.node.nodeid.encode()))
    with my.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)")
    return name


@pytest.fixture
def target(request, cluster):
    if request.param == "direct":
        return servers.Target("direct", cluster.port, "app", "alice", "alice secret")
    gateway = request.getfixturevalue("gateway")
    database = {"sluice-pg": "app", "sluice-pg-session": "app_session",
                "sluice-sqlite": "lite"}[request.param]
    return servers.Target(request.param, gateway.port, database, "alice", "alice secret")


@pytest.fixture
def pg(cluster, request):
    """Transaction mode through the gateway, for tests of what pooling must not break."""
    if DIRECT:
        return servers.Target("direct", cluster.port, "app", "alice", "alice secret")
    return servers.Target("sluice-pg", request.getfixturevalue("gateway").port, "app", "alice",
                          "alice secret")


@pytest.fixture
def table(target, request):
    """A fresh table (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER); its name."""
    name = "t_" + str(abs(hash(request.node.nodeid)) % 10**8)
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(
            f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)")
    return name


@pytest.fixture(autouse=True)
def bounded(request):
    """No test runs for more than four minutes, whatever it waits for."""
    def ring(*_):
        raise AssertionError(f"{request.node.name} has not ended within {LIMIT} s")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def crowd(pg):
    """More clients than the pool has backends, so that they take turns on every one of them."""
    with servers.clients(pg, 3 * servers.POOL_SIZE) as made:
        yield made
