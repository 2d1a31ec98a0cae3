"""The recipes of deploy/recipes and README.md: their files are valid, their code runs."""
import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.parse

import psycopg
import pymysql
import pytest

import mariadb
import servers

pytestmark = pytest.mark.gateway

RECIPES = servers.ROOT / "deploy/recipes"
PAGES = sorted(RECIPES.glob("*.md")) + [servers.ROOT / "README.md"]
SECRET = servers.PASSWORD


def blocks(page, kind):
    """The fenced blocks of a kind, without their fences."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.M | re.S)


def recipe(name, kind="toml"):
    found = blocks(RECIPES / f"{name}.md", kind)
    assert len(found) == 1, f"{name}.md has {len(found)} blocks of {kind}"
    return found[0]


def replaced(text, *pairs):
    for old, new in pairs:
        assert old in text, f"{old!r} is not in the recipe any more"
        text = text.replace(old, str(new))
    return text


class Recipe(servers.Sluice):
    """Sluice with a file as it stands in a recipe, but for addresses."""

    def __init__(self, folder, config, port):
        super().__init__(folder, config)
        self.port = port

    def write(self, config):
        timeout = "" if "[gateway]" in config else '[gateway]\ndrain_timeout = "2s"\n'
        (self.folder / "sluice.toml").write_text(timeout + config)


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("APP_PASSWORD", SECRET)
    monkeypatch.setenv("SHOP_PASSWORD", mariadb.PASSWORD)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=recipes", "-keyout", place / "server.key",
                    "-out", place / "server.crt"], check=True, capture_output=True, timeout=60)
    return place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_in_it_is_valid(page, tmp_path, certificate):
    (tmp_path / "secret").write_text("secret\n")
    for number, text in enumerate(blocks(page, "toml")):
        for each in ('"SCRAM-SHA-256$4096:..."', '"SCRAM-SHA-256$..."', '["SHA2$...", "*..."]'):
            text = text.replace(each, '"secret"')
        text = text.replace("/run/secrets/app", str(tmp_path / "secret"))
        text = re.sub(r'"(server\.(?:crt|key))"', rf'"{certificate}/\1"', text)
        if "[listen]" not in text:
            text = '[listen]\npostgres = ["127.0.0.1:6432"]\n' + text
        if "[users." not in text:
            text += '[users.app]\npassword = "secret"\n'
        if "[databases." not in text:
            text += '[databases.app]\nengine = "postgres"\nhost = "db1"\n'
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        done = subprocess.run([servers.BINARY, "check", file], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0 and "warning" not in done.stderr, f"{text}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES + [servers.ROOT / "deploy/README.md"],
                         ids=lambda page: str(page.parent.name + "-" + page.stem))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_python_sidecar(cluster, my_server, folder):
    postgres, mysql = servers.free_port(), servers.free_port()
    config = replaced(
        recipe("python-sidecar"), ('"postgresql://app@db1/app"', f'"{cluster.url()}"'),
        ('host = "db3"\nuser = "app"', f'host = "127.0.0.1"\nport = {my_server.port}\n'
                                       'user = "alice"'),
        ('dbname = "shop"', 'dbname = "app"'), ("127.0.0.1:5432", f"127.0.0.1:{postgres}"),
        ("127.0.0.1:3306", f"127.0.0.1:{mysql}"))
    code = replaced(recipe("python-sidecar", "python after"),
                    ("app:secret@", f"app:{urllib.parse.quote(SECRET)}@"),
                    ('"secret"', repr(SECRET)), ("127.0.0.1:5432", f"127.0.0.1:{postgres}"),
                    ("port=3306", f"port={mysql}"))
    assert SECRET == mariadb.PASSWORD, "one password serves both in this recipe"
    space = {}
    exec(code, space)  # as it is printed, but for addresses

    async def serve():
        orders, shop = await space["open_pools"]()

        async def request(number):
            async with orders.acquire() as one, one.transaction():
                pid = await one.fetchval("SELECT pg_backend_pid()")
                first = await one.fetchval("SELECT $1::int + 1", number)
            async with shop.acquire() as other, other.cursor() as cursor:
                await cursor.execute("SELECT %s + 1, CONNECTION_ID()", (number,))
                second, connection = await cursor.fetchone()
            assert first == second == number + 1
            return pid, connection

        seen = await asyncio.gather(*(request(number) for number in range(200)))
        await orders.close()
        shop.close()
        await shop.wait_closed()
        return seen

    with Recipe(folder / "recipe-python", config, postgres):
        seen = asyncio.run(asyncio.wait_for(serve(), 150))
    assert len({pid for pid, _ in seen}) <= 5


def test_saas(cluster, folder):
    port = servers.free_port()
    config = replaced(recipe("saas"), ('"postgresql://app@db1/app"', f'"{cluster.url()}"'),
                      ("0.0.0.0:6432", f"127.0.0.1:{port}"),
                      ('statement_timeout = "30s"', 'statement_timeout = "700ms"'))
    code = replaced(recipe("saas", "python"), ('"gateway"', '"127.0.0.1"'), ("6432", port),
                    ('"secret"', repr(SECRET)))
    space = {}
    exec(code, space)
    with Recipe(folder / "recipe-saas", config, port):
        ask = space["ask"]
        assert ask("globex", "SELECT 1") == (1,)
        assert ask("acme", "SELECT 1, pg_sleep(1)") == (1, "")
        with pytest.raises(psycopg.errors.QueryCanceled,
                           match=r"tenants\.default\.statement_timeout = 700 ms"):
            ask("globex", "SELECT pg_sleep(30)")


def test_sqlite_of_many_processes(folder):
    port, mysql = servers.free_port(), servers.free_port()
    config = replaced(recipe("sqlite"), ("127.0.0.1:5432", f"127.0.0.1:{port}"),
                      ("127.0.0.1:3306", f"127.0.0.1:{mysql}"),
                      ("/run/sluice", str(folder)))
    code = replaced(recipe("sqlite", "python after"), ("port=5432", f"port={port}"))
    with Recipe(folder / "recipe-sqlite", config, port):
        options = {"host": "127.0.0.1", "port": port, "dbname": "notes", "user": "app"}
        with psycopg.connect(**options) as client:
            client.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        many = [subprocess.Popen([sys.executable, "-c", code + "\nfor n in range(20):\n"
                                  f"    add('{number}/' + str(n))"]) for number in range(6)]
        assert [one.wait(60) for one in many] == [0] * len(many)
        with psycopg.connect(**options) as client:
            assert client.execute("SELECT count(*), count(DISTINCT text) FROM notes").fetchone() \
                == (120, 120)
        with pymysql.connect(host="127.0.0.1", port=mysql, user="app", database="notes") as client:
            with client.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM notes")
                assert cursor.fetchone() == (120,)


def test_from_pgbouncer(tmp_path):
    (tmp_path / "pgbouncer.ini").write_text(recipe("from-pgbouncer", "ini"))
    (tmp_path / "userlist.txt").write_text('"alice" "secret"\n')
    done = subprocess.run([servers.BINARY, "import", tmp_path / "pgbouncer.ini"],
                          capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "sluice.toml").write_text(done.stdout)
    told = subprocess.run([servers.BINARY, "check", tmp_path / "sluice.toml"],
                          capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert "database reports: postgres" in told.stdout


def test_from_proxysql(my_server, folder):
    port = servers.free_port()
    config = replaced(recipe("from-proxysql"), ("127.0.0.1:6033", f"127.0.0.1:{port}"),
                      ('"db3"', '"127.0.0.1"'), ("port = 3306", f"port = {my_server.port}"),
                      ('user = "shop"', 'user = "alice"'), ('dbname = "shop"', 'dbname = "app"'),
                      ('"30s"', '"700ms"'))
    with Recipe(folder / "recipe-proxysql", config, port):
        # The hash in the recipe is that of this password.
        with pymysql.connect(host="127.0.0.1", port=port, user="shop", password="123456",
                             database="shop") as client, client.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
            with pytest.raises(pymysql.err.MySQLError, match="statement_timeout = 700 ms"):
                cursor.execute("SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b")


def test_before_and_after():
    """What the sidecar's page measures: the same service with and without Sluice."""
    done = subprocess.run([sys.executable, servers.ROOT / "deploy/examples/before_after.py",
                           "--json", "--seconds", "0.5", "--tasks", "16"],
                          capture_output=True, text=True, timeout=200, env={**os.environ})
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert len(rows) == 8
    for row in rows:
        assert row["failures"] == 0 and row["requests_per_second"] > 0, row
        if row["target"] == "sluice":
            assert row["server_connections"] <= 10, row
