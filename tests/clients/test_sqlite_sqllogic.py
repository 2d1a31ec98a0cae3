"""Files of statements and rows over both protocols, as text and prepared, and in SQLite itself."""
import dataclasses
import pathlib

import pytest

import mariadb
import servers
import sqllogic

pytestmark = pytest.mark.gateway

FILES = sorted((pathlib.Path(__file__).parent / "sqllogic").glob("*.test"))
WAYS = ("pg-text", "pg-binary", "my-text", "my-binary")


@dataclasses.dataclass
class Ports:
    pg: int
    my: int


@pytest.fixture(scope="module")
def ports(folder):
    mine = servers.free_port()
    listen = ('[listen]\npostgres = ["127.0.0.1:{port}"]\n'
              f'mysql = ["127.0.0.1:{mine}"]\n')
    config = "".join(f'[databases."{path.stem}-{way}"]\nengine = "sqlite"\nreaders = 1\n'
                     f'file = "{path.stem}-{way}.db"\n' for path in FILES for way in WAYS)
    with servers.Sluice(folder / "logic", config + mariadb.ALICE, listen=listen) as running:
        yield Ports(running.port, mine)


@pytest.mark.parametrize("way", (*WAYS, "sqlite"))
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path, way, request, tmp_path):
    if way == "sqlite":
        over = sqllogic.Sqlite(tmp_path / "plain.db")
    else:
        ports = request.getfixturevalue("ports")
        name, binary = f"{path.stem}-{way}", way.endswith("binary")
        if way.startswith("pg"):
            over = sqllogic.Postgres(
                servers.Target(way, ports.pg, name, "alice", servers.PASSWORD), binary)
        else:
            over = sqllogic.MySql(mariadb.Target(way, ports.my, name), binary)
    wrong = sqllogic.run(path, over)
    assert not wrong, wrong
