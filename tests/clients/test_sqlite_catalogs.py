"""Catalogs of a SQLite file, as real tools read them: psql, SQLAlchemy, Django, pgjdbc, asyncpg."""
import asyncio
import json
import pathlib
import subprocess
import sys

import asyncpg
import psycopg
import pytest
import sqlalchemy

import servers

HERE = pathlib.Path(__file__).parent
JAR = "/usr/share/java/postgresql.jar"
MARIADB_JAR = "/usr/share/java/mariadb-java-client.jar"
LISTEN = """[listen]
postgres = ["127.0.0.1:{port}"]
mysql = ["127.0.0.1:{mine}"]
"""
CONFIG = f"""
[databases.library]
engine = "sqlite"
file = "library.db"
[users.alice]
password = "{servers.PASSWORD}"
[users.bob]
password = "{servers.PASSWORD}"
"""


@pytest.fixture(scope="module")
def my_library():
    """The port of the MySQL protocol."""
    return servers.free_port()


@pytest.fixture(scope="module")
def library(folder, my_library):
    listen = LISTEN.replace("{mine}", str(my_library))
    with servers.Sluice(folder / "library", CONFIG, listen=listen) as running:
        target = servers.Target("sluice-sqlite", running.port, "library", "alice", servers.PASSWORD)
        psql(target, "-q", "-v", "ON_ERROR_STOP=1", "-f", HERE / "sqlite/library.sql")
        yield target


def psql(target, *words):
    done = subprocess.run(["psql", "-X", *words], env=target.environment(), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    return done.stdout


def rows(target, command):
    """The cells of a backslash command's table."""
    lines = psql(target, "-At", "-F", "|", "-c", command).splitlines()
    return [line.split("|") for line in lines]


@pytest.fixture
def connection(library):
    with psycopg.connect(library.dsn(), autocommit=True) as made:
        yield made


def test_psql_lists(library):
    assert [r[:3] for r in rows(library, r"\dt")] == [
        ["public", "authors", "table"], ["public", "books", "table"], ["public", "tags", "table"]]
    assert [r[1] for r in rows(library, r"\dv")] == ["cheap"]
    assert [r[0] for r in rows(library, r"\l")] == ["library"]
    assert rows(library, r"\dn") == [["public", "alice"]]
    assert [r[0] for r in rows(library, r"\du")] == ["alice"]
    assert [(r[1], r[4]) for r in rows(library, r"\di")] == [
        ("authors_pkey", "authors"), ("books_cheap", "books"), ("books_isbn_key", "books"),
        ("books_pkey", "books"), ("books_title", "books"), ("one_title", "books"),
        ("tags_pkey", "tags")]
    assert [r[1] for r in rows(library, r"\dt *oo*")] == ["books"]
    for command in (r"\d", r"\d+", r"\dt+", r"\df", r"\dT", r"\ds", r"\dp", r"\dx", r"\dy", r"\db",
                    r"\dD", r"\dC", r"\do", r"\des", r"\l+", r"\dn+", r"\sv cheap", r"\dE", r"\dm",
                    r"\dF", r"\dL", r"\dg", r"\d books_title", r"\d+ cheap", r"\d pg_class",
                    r"\df now", r"\dO", r"\dRp", r"\drds", r"\dX", r"\d information_schema.tables"):
        psql(library, "-c", command)


def test_psql_describes_a_table(library):
    text = psql(library, "-c", r"\d books")
    for line in ("id        | bigint                      |           | not null | "
                 "nextval('books_id_seq'::regclass)",
                 "price     | numeric(10,2)               |           |          | 0",
                 "isbn      | character varying(20)",
                 '"books_pkey" PRIMARY KEY, btree (id)',
                 '"books_cheap" btree (price) WHERE price < 10',
                 '"books_isbn_key" UNIQUE CONSTRAINT, btree (isbn)',
                 '"books_title" btree (title DESC, price)',
                 '"one_title" UNIQUE CONSTRAINT, btree (author_id, title)',
                 '"positive" CHECK (price >= 0)',
                 '"books_author_id_fkey" FOREIGN KEY (author_id) REFERENCES authors(id) ON DELETE '
                 'CASCADE',
                 'TABLE "tags" CONSTRAINT "tags_book_id_fkey" FOREIGN KEY (book_id) REFERENCES '
                 'books(id)'):
        assert line in text, text


# What psql asks while somebody types and presses the tabulator.
COMPLETIONS = [
    "SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', "
    "'p') AND substring(pg_catalog.quote_ident(c.relname),1,2)='bo' AND "
    "pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM "
    "pg_catalog.pg_namespace WHERE nspname = 'pg_catalog') LIMIT 1000",
    "SELECT c.relname, NULL::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', "
    "'S', 'v', 'm', 'f', 'p') AND (c.relname) LIKE 'bo%' AND "
    "pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM "
    "pg_catalog.pg_namespace WHERE nspname = 'pg_catalog') UNION ALL SELECT NULL::pg_catalog.text, "
    "n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'bo%' AND n.nspname NOT LIKE "
    "E'pg\\\\_%' LIMIT 1000",
    "SELECT a.attname FROM pg_catalog.pg_attribute a, pg_catalog.pg_class c WHERE c.oid = a.attrelid "
    "AND a.attnum > 0 AND NOT a.attisdropped AND (a.attname) LIKE 'ti%' AND "
    "(c.relname)='books' AND pg_catalog.pg_table_is_visible(c.oid) LIMIT 1000"]


def test_tab_completion(connection):
    found = [[r[0] for r in connection.execute(text).fetchall()] for text in COMPLETIONS]
    assert found == [["books"], ["books"], ["title"]]


def inspect(on):
    seen = sqlalchemy.inspect(on)
    return {
        "schemas": sorted(seen.get_schema_names()),
        "tables": sorted(seen.get_table_names()),
        "views": seen.get_view_names(),
        "has": [seen.has_table("books"), seen.has_table("nothing")],
        "columns": [(c["name"], str(c["type"]), c["nullable"], c["autoincrement"])
                    for c in seen.get_columns("books")],
        "default": seen.get_columns("authors")[3]["default"],
        "pk": seen.get_pk_constraint("tags"),
        "fk": seen.get_foreign_keys("books"),
        "indexes": sorted((i["name"], tuple(i["column_names"]), i["unique"])
                          for i in seen.get_indexes("books")),
        "unique": sorted((u["name"], tuple(u["column_names"]))
                         for u in seen.get_unique_constraints("books")),
        "check": seen.get_check_constraints("books"),
        "view": seen.get_view_definition("cheap"),
        "reflected": sorted(reflect(seen.bind).tables),
    }


def reflect(bind):
    found = sqlalchemy.MetaData()
    found.reflect(bind=bind, only=["authors", "books", "tags"])
    return found


EXPECTED = {
    "schemas": ["information_schema", "public"],
    "tables": ["authors", "books", "tags"],
    "views": ["cheap"],
    "has": [True, False],
    "columns": [("id", "BIGINT", False, True), ("author_id", "BIGINT", False, False),
                ("title", "TEXT", False, False), ("price", "NUMERIC(10, 2)", True, False),
                ("isbn", "VARCHAR(20)", True, False), ("published", "TIMESTAMP", True, False)],
    "default": "true",
    "pk": {"constrained_columns": ["book_id", "tag"], "name": "tags_pkey"},
    "fk": [{"name": "books_author_id_fkey", "constrained_columns": ["author_id"],
            "referred_schema": None, "referred_table": "authors", "referred_columns": ["id"],
            "options": {"ondelete": "CASCADE"}}],
    "indexes": [("books_cheap", ("price",), False), ("books_isbn_key", ("isbn",), True),
                ("books_title", ("title", "price"), False),
                ("one_title", ("author_id", "title"), True)],
    "unique": [("books_isbn_key", ("isbn",)), ("one_title", ("author_id", "title"))],
    "check": [{"name": "positive", "sqltext": "price >= 0"}],
    "view": "SELECT id, title FROM books WHERE price < 10;",
    "reflected": ["authors", "books", "tags"],
}


def test_sqlalchemy_psycopg2(library):
    engine = sqlalchemy.create_engine(library.url("postgresql+psycopg2", sslmode="disable"))
    with engine.connect() as on:
        assert inspect(on) == EXPECTED
    engine.dispose()


def test_sqlalchemy_asyncpg(library):
    # asyncpg wants every value in binary, the catalogs' arrays too.
    from sqlalchemy.ext.asyncio import create_async_engine

    async def look():
        engine = create_async_engine(library.url("postgresql+asyncpg"))
        async with engine.connect() as on:
            found = await on.run_sync(inspect)
        await engine.dispose()
        return found

    found = asyncio.run(look())
    # This dialect sees a computed column wherever attgenerated is there; so it does on PostgreSQL.
    assert found | {"columns": None, "default": None} == EXPECTED | {"columns": None,
                                                                     "default": None}


def test_sqlalchemy_round_trip(library):
    engine = sqlalchemy.create_engine(library.url("postgresql+psycopg2", sslmode="disable"))
    tables = sqlalchemy.MetaData()
    table = sqlalchemy.Table(
        "made_by_sqlalchemy", tables, sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("name", sqlalchemy.String(30), nullable=False, index=True),
        sqlalchemy.Column("at", sqlalchemy.DateTime))
    tables.create_all(engine)
    tables.create_all(engine)  # nothing to do: it looks first
    with engine.begin() as on:
        assert on.execute(table.insert().values(name="x")).inserted_primary_key == (1,)
    again = sqlalchemy.MetaData()
    again.reflect(bind=engine, only=["made_by_sqlalchemy"])
    assert [i.name for i in again.tables["made_by_sqlalchemy"].indexes] == [
        "ix_made_by_sqlalchemy_name"]
    tables.drop_all(engine)
    assert "made_by_sqlalchemy" not in sqlalchemy.inspect(engine).get_table_names()
    engine.dispose()


def test_django(library):
    done = subprocess.run([sys.executable, HERE / "sqlite_django.py", library.host,
                           str(library.port), library.database, library.user, library.password],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found["tables"])[:4] == [["authors", "t"], ["books", "t"], ["cheap", "v"],
                                           ["tags", "t"]]
    for line in ("id = models.BigAutoField(primary_key=True)",
                 "name = models.CharField(max_length=100)",
                 "born = models.DateField(blank=True, null=True)",
                 "active = models.BooleanField()",
                 "author = models.ForeignKey(Authors, models.DO_NOTHING)",
                 "price = models.DecimalField(max_digits=10, decimal_places=2, blank=True, "
                 "null=True)",
                 "isbn = models.CharField(unique=True, max_length=20, blank=True, null=True)",
                 "unique_together = (('author', 'title'),)",
                 "unique_together = (('book', 'tag'),)"):
        assert line in found["inspectdb"], found["inspectdb"]
    constraints = found["constraints"]
    assert constraints["books_author_id_fkey"]["foreign_key"] == ["authors", "id"]
    assert constraints["books_pkey"]["primary_key"] and constraints["one_title"]["unique"]
    assert constraints["books_title"]["orders"] == ["DESC", "ASC"]
    assert constraints["positive"]["check"] and constraints["positive"]["columns"] == ["price"]
    assert found["relations"] == {"author_id": ["id", "authors"]}
    assert (found["count"], found["stars"], found["year"]) == (2, 7, 1)
    assert found["contains"] == ["second"] and found["startswith"] == [1]
    assert found["month"] == ["2024-03-01"]


def test_jdbc_metadata(library, folder):
    place = folder / "java-meta"
    done = subprocess.run(["javac", "-cp", JAR, "-d", place, HERE / "java/Meta.java"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    url = f"jdbc:postgresql://{library.host}:{library.port}/{library.database}?sslmode=disable"
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JAR}:{place}", "Meta", url,
                           library.user, library.password], capture_output=True, text=True,
                          timeout=80)
    assert done.returncode == 0 and "ERR " not in done.stdout, done.stdout + done.stderr
    parts = {}
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            parts[line[3:]] = part = []
        elif parts:
            part.append(dict(pair.split("=", 1) for pair in line.split("; ") if "=" in pair))
    tables = {(r["table_name"], r["table_type"]) for r in lower(parts["tables"])}
    assert {("authors", "TABLE"), ("books", "TABLE"), ("cheap", "VIEW")} <= tables
    columns = lower(parts["columns"])
    assert [(c["column_name"], c["type_name"], c["column_size"], c["is_nullable"],
             c["is_autoincrement"]) for c in columns[:4]] == [
        ("id", "bigserial", "19", "NO", "YES"), ("author_id", "int8", "19", "NO", "NO"),
        ("title", "text", "2147483647", "NO", "NO"), ("price", "numeric", "10", "YES", "NO")]
    assert [(k["column_name"], k["key_seq"]) for k in lower(parts["pk"])] == [
        ("book_id", "1"), ("tag", "2")]
    indexes = {(i["index_name"], i["ordinal_position"], i["column_name"], i["asc_or_desc"],
                i["non_unique"] in "t1") for i in lower(parts["index"])}
    assert {("books_title", "1", "title", "D", True), ("books_title", "2", "price", "A", True),
            ("one_title", "2", "title", "A", False)} <= indexes
    imported = lower(parts["imported"])
    assert [(k["pktable_name"], k["pkcolumn_name"], k["fkcolumn_name"], k["fk_name"], k["pk_name"],
             k["delete_rule"]) for k in imported] == [
        ("authors", "id", "author_id", "books_author_id_fkey", "authors_pkey", "0")]
    assert [k["fktable_name"] for k in lower(parts["exported"])] == ["tags"]


def lower(found):
    return [{k.lower(): v for k, v in row.items()} for row in found]


def test_asyncpg_learns_types(library):
    async def ask():
        on = await asyncpg.connect(host=library.host, port=library.port, user=library.user,
                                   password=library.password, database=library.database, ssl=False)
        try:
            keys = await on.fetchrow("SELECT conname, conkey, contype FROM pg_constraint WHERE "
                                     "conname = $1", "one_title")
            some = await on.fetch("SELECT id FROM books WHERE id = ANY($1::int[])", [1, 2, 3])
            names = await on.fetchval("SELECT array_agg(attname ORDER BY attnum DESC) FROM "
                                      "pg_attribute WHERE attrelid = 'tags'::regclass AND attnum > 0")
            bulk = await on.fetch("SELECT unnest($1::text[]) AS a, unnest($2::text[]) AS b",
                                  ["x", "y"], ["1", None])
            return tuple(keys), [r["id"] for r in some], names, [tuple(r) for r in bulk]
        finally:
            await on.close()

    assert asyncio.run(ask()) == (("one_title", [2, 3], b"u"), [1], ["tag", "book_id"],
                                  [("x", "1"), ("y", None)])


# The constructs of npgsql's query for types, and what DBeaver and DataGrip ask when they connect.
QUESTIONS = [
    "SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT "
    "typ.oid, typ.typnamespace, typ.typname, typ.typnotnull, CASE WHEN proc.proname='array_recv' "
    "THEN 'a' ELSE typ.typtype END AS typtype, CASE WHEN proc.proname='array_recv' THEN typ.typelem "
    "WHEN typ.typtype='r' THEN rngsubtype END AS elemtypoid FROM pg_type AS typ LEFT JOIN pg_class "
    "AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive LEFT "
    "JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS t JOIN pg_namespace AS ns ON (ns.oid = "
    "typnamespace) WHERE typtype IN ('b', 'r', 'a') ORDER BY CASE WHEN typtype='a' THEN 1 ELSE 0 END",
    "SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid=enumtypid ORDER BY oid, "
    "enumsortorder",
    "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE 1=1 AND datallowconn AND NOT "
    "datistemplate OR db.datname=current_database() ORDER BY db.datname",
    "select * from pg_catalog.pg_settings where name='standard_conforming_strings'",
    "SELECT current_schema(),session_user",
    "SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN "
    "pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND "
    "d.classoid='pg_namespace'::regclass ORDER BY nspname",
    "SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as "
    "base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et "
    "ON et.oid=t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid LEFT OUTER JOIN "
    "pg_catalog.pg_description d ON t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS "
    "NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')",
    "SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as "
    "partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class "
    "c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND "
    "d.classoid='pg_class'::regclass WHERE c.relnamespace=2200 AND c.relkind not in "
    "('i','I','c')",
    "SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as "
    "def_value,dsc.description,dep.objid FROM pg_catalog.pg_attribute a INNER JOIN "
    "pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON "
    "(a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc "
    "ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on "
    "dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid "
    "= dep.refclassid WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') AND "
    "c.oid='books'::regclass ORDER BY a.attnum",
    "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, case "
    "when c.contype='c' then \"substring\"(pg_get_constraintdef(c.oid), 7) else null end "
    "consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON "
    "t.oid=c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN "
    "pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND "
    "d.classoid='pg_constraint'::regclass WHERE c.conrelid='books'::regclass ORDER BY c.oid",
    "SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as "
    "tabrelname,dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as "
    "pred_expr,pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as "
    "expr,pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size FROM pg_catalog.pg_index i "
    "INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid INNER JOIN pg_catalog.pg_class tc ON "
    "tc.oid=i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid "
    "WHERE i.indrelid='books'::regclass ORDER BY tabrelname, c.relname",
    "SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a left join pg_catalog.pg_shdescription "
    "pd on a.oid = pd.objoid WHERE a.rolname ~ '^a' ORDER BY a.rolname",
    "SELECT e.oid, cfg.tbls, n.nspname as schema_name, e.* FROM pg_catalog.pg_extension e left join "
    "pg_namespace n on n.oid = e.extnamespace left join (select 1 as oid, 2 as tbls) as cfg on "
    "cfg.oid = e.oid",
    "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
    "SELECT x.oid,x.* FROM pg_catalog.pg_trigger x WHERE x.tgrelid='books'::regclass AND NOT "
    "x.tgisinternal",
    "SELECT am.oid,am.* FROM pg_catalog.pg_am am; SELECT c.oid,c.* FROM pg_catalog.pg_collation c",
    "SELECT typname, pg_catalog.format_type(oid, NULL) FROM pg_type WHERE oid = "
    "ANY(ARRAY[23, 25, 1043]) OR typname = ANY('{bool,json}'::name[])",
    "SELECT table_name, column_name, data_type, is_nullable, character_maximum_length FROM "
    "information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    "SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table_name, ccu.column_name AS "
    "foreign_column_name FROM information_schema.table_constraints AS tc JOIN "
    "information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name AND "
    "tc.table_schema = kcu.table_schema JOIN information_schema.constraint_column_usage AS ccu ON "
    "ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' AND "
    "tc.table_name='books'",
]


@pytest.mark.parametrize("text", QUESTIONS, ids=range(len(QUESTIONS)))
def test_what_tools_ask(connection, text):
    cursor = connection.execute(text)
    assert cursor.description is not None


def test_information_schema(connection):
    keys = connection.execute(
        "SELECT constraint_name, constraint_type FROM information_schema.table_constraints WHERE "
        "table_name = 'books' AND constraint_type <> 'CHECK' ORDER BY 1").fetchall()
    assert keys == [("books_author_id_fkey", "FOREIGN KEY"), ("books_isbn_key", "UNIQUE"),
                    ("books_pkey", "PRIMARY KEY"), ("one_title", "UNIQUE")]
    used = connection.execute(
        "SELECT column_name, ordinal_position FROM information_schema.key_column_usage WHERE "
        "constraint_name = 'one_title' ORDER BY ordinal_position").fetchall()
    assert used == [("author_id", 1), ("title", 2)]
    rule = connection.execute("SELECT unique_constraint_name, delete_rule, update_rule FROM "
                              "information_schema.referential_constraints WHERE constraint_name = "
                              "'books_author_id_fkey'").fetchone()
    assert rule == ("authors_pkey", "CASCADE", "NO ACTION")
    column = connection.execute(
        "SELECT data_type, numeric_precision, numeric_scale, is_nullable, udt_name FROM "
        "information_schema.columns WHERE table_name='books' AND column_name='price'").fetchone()
    assert column == ("numeric", 10, 2, "YES", "numeric")
    schemas = connection.execute("SELECT schema_name FROM information_schema.schemata").fetchall()
    assert {"public", "pg_catalog", "information_schema"} <= {s for s, in schemas}


def test_numbers_are_the_same_everywhere(library):
    asked = "SELECT oid, relname FROM pg_class WHERE relnamespace = 2200 ORDER BY 1"
    with servers.clients(library, 6) as crowd:
        found = [c.execute(asked).fetchall() for c in crowd for _ in range(3)]
    assert all(one == found[0] for one in found) and len(found[0]) > 5


def test_ddl_is_seen_at_once(library):
    count = "SELECT count(*) FROM pg_class WHERE relname = 'fresh'"
    with servers.clients(library, 4) as crowd:
        for _ in range(5):
            crowd[0].execute("CREATE TABLE fresh (id INTEGER PRIMARY KEY, a TEXT)")
            assert [c.execute(count).fetchone()[0] for c in crowd] == [1] * 4
            crowd[1].execute("ALTER TABLE fresh ADD COLUMN b INTEGER")
            assert crowd[2].execute("SELECT max(attnum) FROM pg_attribute WHERE attrelid = "
                                    "'fresh'::regclass").fetchone()[0] == 3
            crowd[3].execute("DROP TABLE fresh")
            assert [c.execute(count).fetchone()[0] for c in crowd] == [0] * 4


def test_a_transaction_sees_its_own_ddl(library, connection):
    count = "SELECT count(*) FROM pg_class WHERE relname = 'mine'"
    with psycopg.connect(library.dsn()) as own:
        own.execute("CREATE TABLE mine (a INTEGER)")
        assert own.execute(count).fetchone()[0] == 1
        assert connection.execute(count).fetchone()[0] == 0
        own.rollback()
        assert own.execute(count).fetchone()[0] == 0
        own.execute("CREATE TABLE mine (a INTEGER)")
        own.execute("SAVEPOINT s")
        own.execute("DROP TABLE mine")
        assert own.execute(count).fetchone()[0] == 0
        own.execute("ROLLBACK TO s")
        assert own.execute(count).fetchone()[0] == 1
        own.rollback()
    assert connection.execute(count).fetchone()[0] == 0


@pytest.mark.parametrize("text", [
    "DELETE FROM pg_catalog.pg_class", "UPDATE pg_type SET typname = 'x'",
    "INSERT INTO information_schema.tables (table_name) VALUES ('x')",
    "DROP TABLE pg_catalog.pg_class", "CREATE TABLE pg_catalog.mine (a INTEGER)",
    "ALTER TABLE pg_catalog.pg_class ADD COLUMN a INTEGER",
    "CREATE INDEX pg_catalog.i ON pg_class (relname)", "CREATE VIEW information_schema.v AS SELECT 1"])
def test_catalogs_can_only_be_read(connection, text):
    connection.execute("SELECT count(*) FROM pg_class")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="can only be read"):
        connection.execute(text)


def test_everyone_sees_oneself(library):
    with psycopg.connect(library.but(user="bob").dsn()) as other:
        assert other.execute("SELECT rolname FROM pg_roles").fetchall() == [("bob",)]
        assert other.execute("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = "
                             "'books'").fetchone() == ("bob",)


def test_many_tables_are_listed_fast(folder):
    config = CONFIG.replace("library", "wide")
    with servers.Sluice(folder / "wide", config) as running:
        target = servers.Target("sluice-sqlite", running.port, "wide", "alice", servers.PASSWORD)
        with psycopg.connect(target.dsn(), autocommit=True) as on:
            with on.transaction():
                for i in range(300):
                    on.execute(f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INTEGER "
                               f"REFERENCES t{max(i - 1, 0)} (id))")
            engine = sqlalchemy.create_engine(target.url("postgresql+psycopg2", sslmode="disable"))
            seen = sqlalchemy.inspect(engine)
            assert len(seen.get_table_names()) == 300
            assert seen.get_foreign_keys("t299")[0]["referred_table"] == "t298"
            assert len(rows(target, r"\d t7")) == 3
            engine.dispose()


def test_mariadb_jdbc_metadata(library, my_library, folder):
    """The same questions by MariaDB's Connector/J, over MySQL's protocol."""
    place = folder / "java-my-meta"
    done = subprocess.run(["javac", "-cp", MARIADB_JAR, "-d", place, HERE / "java/Meta.java"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    url = f"jdbc:mariadb://{library.host}:{my_library}/library"
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{MARIADB_JAR}:{place}",
                           "Meta", url, library.user, library.password], capture_output=True,
                          text=True, timeout=80)
    assert done.returncode == 0 and "ERR " not in done.stdout, done.stdout + done.stderr
    parts = {}
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            parts[line[3:]] = part = []
        elif parts:
            part.append(dict(pair.split("=", 1) for pair in line.split("; ") if "=" in pair))
    assert [c["table_cat"] for c in lower(parts["catalogs"])][-1:] == ["library"]
    tables = {(r["table_name"], r["table_type"]) for r in lower(parts["tables"])}
    assert {("authors", "TABLE"), ("books", "TABLE"), ("cheap", "VIEW")} <= tables
    columns = lower(parts["columns"])
    assert [(c["column_name"], c["is_nullable"], c["is_autoincrement"]) for c in columns[:4]] == [
        ("id", "NO", "YES"), ("author_id", "NO", "NO"), ("title", "NO", "NO"),
        ("price", "YES", "NO")]
    assert [(k["column_name"], k["key_seq"]) for k in lower(parts["pk"])] == [
        ("book_id", "1"), ("tag", "2")]
    indexes = {(i["index_name"], i["ordinal_position"], i["column_name"])
               for i in lower(parts["index"])}
    assert {("books_title", "1", "title"), ("books_title", "2", "price"),
            ("one_title", "2", "title")} <= indexes
    imported = lower(parts["imported"])
    assert [(k["pktable_name"], k["pkcolumn_name"], k["fkcolumn_name"]) for k in imported] == [
        ("authors", "id", "author_id")]
