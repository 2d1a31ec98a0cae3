"""What only a SQLite file behind MySQL's protocol has: types, definitions, catalogs, limits."""
import datetime
import decimal
import pathlib
import threading
import time

import psycopg
import pymysql
import pytest

import mariadb
import servers
import test_sqlite_hardening

pytestmark = pytest.mark.gateway
CONFIG = f'[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n{mariadb.ALICE}'


@pytest.fixture(scope="module")
def lite(folder):
    with mariadb.gateway(folder / "mylite", CONFIG) as running:
        yield mariadb.Target("my-sqlite", running.port, database="lite")


@pytest.fixture
def connection(lite):
    with lite.connect() as made:
        yield made


def rows(connection, sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return [list(row) for row in cursor.fetchall()]


def column(connection, sql, *parameters):
    return [row[0] for row in rows(connection, sql, *parameters)]


def errno(connection, sql, *parameters):
    with pytest.raises(pymysql.MySQLError) as raised:
        rows(connection, sql, *parameters)
    return raised.value.args[0]


EVERY_TYPE = """CREATE TABLE every_type (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT, tiny TINYINT(1), small SMALLINT, big BIGINT,
    price DECIMAL(10,2), ratio DOUBLE, name VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL DEFAULT 'x',
    body LONGTEXT, raw LONGBLOB, day DATE, at DATETIME(6), span TIME, kind ENUM('a','b'), doc JSON,
    PRIMARY KEY (id), UNIQUE KEY `name` (`name`), KEY `at` (`at`, big))
    ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='all of them'"""


@pytest.fixture
def every_type(connection):
    rows(connection, "DROP TABLE IF EXISTS every_type")
    rows(connection, EVERY_TYPE)
    yield "every_type"
    rows(connection, "DROP TABLE every_type")


def test_values_of_every_type(connection, every_type):
    values = (True, -5, 2 ** 62, decimal.Decimal("12.50"), 0.1, "a'b\\\n\"ü", "long " * 5000,
              bytes(range(256)) * 40, datetime.date(2024, 2, 29),
              datetime.datetime(2024, 2, 29, 1, 2, 3, 450000), datetime.timedelta(hours=30), "a",
              '{"a": [1, 2]}')
    marks = ", ".join(["%s"] * len(values))
    rows(connection, "INSERT INTO every_type (tiny, small, big, price, ratio, name, body, raw, day, "
                     f"at, span, kind, doc) VALUES ({marks})", *values)
    [found] = rows(connection, "SELECT * FROM every_type")
    assert found[0] == 1
    assert tuple(found[1:]) == values
    assert errno(connection, "INSERT INTO every_type (name, kind) VALUES ('y', 'c')") == 3819
    assert errno(connection, "INSERT INTO every_type (name) VALUES (NULL)") == 1048
    rows(connection, "INSERT INTO every_type (name, small) VALUES ('odd', 'no number')")
    with pytest.raises(pymysql.MySQLError) as raised:
        rows(connection, "SELECT small FROM every_type WHERE name = 'odd'")
    assert raised.value.args[0] == 1366
    assert "every_type.small" in raised.value.args[1]


def test_definitions(connection, every_type):
    assert column(connection, "SHOW TABLES LIKE 'every%'") == ["every_type"]
    found = {row[0]: row[1:] for row in rows(connection, "DESCRIBE every_type")}
    assert found["id"][:3] == ["bigint(20)", "NO", "PRI"]
    assert found["id"][4] == "auto_increment"
    assert found["name"] == ["varchar(40)", "NO", "UNI", "x", ""]
    assert found["at"][:3] == ["datetime(6)", "YES", "MUL"]
    assert found["price"][0] == "decimal(10,2)"
    keys = {(row[2], row[4]): row[1] for row in rows(connection, "SHOW INDEX FROM every_type")}
    assert keys == {("PRIMARY", "id"): 0, ("name", "name"): 0, ("at", "at"): 1, ("at", "big"): 1}
    [[_, made]] = rows(connection, "SHOW CREATE TABLE every_type")
    assert "`id` bigint(20) NOT NULL AUTO_INCREMENT" in made
    assert "UNIQUE KEY `name` (`name`)" in made
    # What it says can be said to it.
    rows(connection, "DROP TABLE IF EXISTS again")
    rows(connection, made.replace("`every_type`", "`again`"))
    [[_, second]] = rows(connection, "SHOW CREATE TABLE again")
    assert second == made.replace("`every_type`", "`again`")
    rows(connection, "DROP TABLE again")


def test_alter_table(connection):
    rows(connection, "DROP TABLE IF EXISTS altered, renamed")
    rows(connection, "CREATE TABLE altered (id INT PRIMARY KEY AUTO_INCREMENT, a INT)")
    rows(connection, "INSERT INTO altered (a) VALUES (1), (2)")
    rows(connection, "ALTER TABLE altered ADD COLUMN b VARCHAR(5) NOT NULL AFTER a, ADD INDEX k (b), "
                     "RENAME COLUMN a TO c")
    assert rows(connection, "SELECT * FROM altered") == [[1, 1, ""], [2, 2, ""]]
    assert "k" in [row[2] for row in rows(connection, "SHOW KEYS FROM altered")]
    rows(connection, "DROP INDEX k ON altered")
    rows(connection, "ALTER TABLE altered DROP COLUMN b")
    rows(connection, "RENAME TABLE altered TO renamed")
    assert rows(connection, "SELECT * FROM renamed") == [[1, 1], [2, 2]]
    rows(connection, "ALTER TABLE renamed MODIFY c TEXT")
    assert "cannot change a column" in rows(connection, "SHOW WARNINGS")[0][2]
    assert errno(connection, "ALTER TABLE renamed DROP PRIMARY KEY") == 1235
    rows(connection, "TRUNCATE TABLE renamed")
    assert column(connection, "SELECT COUNT(*) FROM renamed") == [0]
    rows(connection, "DROP TABLE renamed")
    assert errno(connection, "SELECT * FROM renamed") == 1146
    assert errno(connection, "DROP TABLE renamed") == 1051


def test_last_insert_id_and_affected_rows(connection):
    rows(connection, "DROP TABLE IF EXISTS ids")
    rows(connection, "CREATE TABLE ids (id INT PRIMARY KEY AUTO_INCREMENT, n INT UNIQUE)")
    with connection.cursor() as cursor:
        assert cursor.execute("INSERT INTO ids (n) VALUES (10), (20), (30)") == 3
        assert cursor.lastrowid == 1
        assert cursor.execute("INSERT INTO ids SET n = 40") == 1
        assert cursor.lastrowid == 4
        assert cursor.execute("INSERT IGNORE INTO ids (n) VALUES (10)") == 0
    assert rows(connection, "SELECT LAST_INSERT_ID(), @@last_insert_id") == [[4, 4]]
    rows(connection, "INSERT INTO ids (id, n) VALUES (1, 5) ON DUPLICATE KEY UPDATE n = VALUES(n)")
    assert column(connection, "SELECT n FROM ids WHERE id = 1") == [5]
    with connection.cursor() as cursor:
        assert cursor.execute("UPDATE ids SET n = n + 100 WHERE id > 2") == 2
    assert column(connection, "SELECT ROW_COUNT()") == [2]
    assert len(column(connection, "SELECT id FROM ids LIMIT 3")) == 3
    assert column(connection, "SELECT FOUND_ROWS()") == [3]
    rows(connection, "DROP TABLE ids")


def test_what_object_mappers_write(connection):
    rows(connection, "DROP TABLE IF EXISTS mapped")
    rows(connection, "CREATE TABLE mapped (id INT PRIMARY KEY AUTO_INCREMENT, a INT DEFAULT 7, "
                     "day DATE, doc JSON)")
    rows(connection, "INSERT INTO `mapped` (`id`, `a`, `day`, `doc`) VALUES (DEFAULT, DEFAULT, "
                     "'2024-02-29 05:06:07.000', '{\"k\": \"x\\\\u00fc\"}'), (DEFAULT, DEFAULT, NULL, NULL)")
    assert rows(connection, "SELECT id, a, day FROM mapped") == [
        [1, 7, datetime.date(2024, 2, 29)], [2, 7, None]]
    rows(connection, "UPDATE `mapped` SET `mapped`.`a` = `mapped`.`a` + 1, mapped.doc = doc "
                     "WHERE `mapped`.`id` = 2")
    assert column(connection, "SELECT a FROM mapped ORDER BY id") == [7, 8]
    assert rows(connection, "SELECT JSON_UNQUOTE(JSON_EXTRACT(doc, '$.k')), JSON_UNQUOTE('\"a\"'), "
                            "JSON_UNQUOTE('a') FROM mapped WHERE id = 1") == [["xü", "a", "a"]]
    rows(connection, "DROP TABLE mapped")


def test_sessions_variables(connection):
    assert column(connection, "SELECT @@autocommit") == [1]
    rows(connection, "SET @a = 5, @b := 'x', sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')")
    assert rows(connection, "SELECT @a + 1, @b, @never") == [[6, "x", None]]
    assert column(connection, "SELECT @@sql_mode") == ["STRICT_TRANS_TABLES,ANSI_QUOTES"]
    assert errno(connection, 'SELECT "a name now"') == 1054
    rows(connection, "SET sql_mode = DEFAULT")
    assert column(connection, 'SELECT "a text again"') == ["a text again"]
    assert errno(connection, "SET nobody_knows = 1") == 1193
    assert errno(connection, "SET version = 'x'") == 1238
    rows(connection, "SET @@session.time_zone = '+02:00'")
    assert rows(connection, "SHOW WARNINGS")[0][1] == 1298
    assert rows(connection, "SHOW VARIABLES WHERE Variable_name = 'lower_case_table_names'") == [
        ["lower_case_table_names", "0"]]


def test_transactions(lite):
    with lite.connect(autocommit=False) as one, lite.connect() as other:
        rows(other, "DROP TABLE IF EXISTS tx")
        rows(other, "CREATE TABLE tx (n INT UNIQUE)")
        rows(one, "INSERT INTO tx VALUES (1)")
        assert errno(one, "INSERT INTO tx VALUES (1)") == 1062
        rows(one, "INSERT INTO tx VALUES (2)")  # the error undid its statement only
        assert column(other, "SELECT COUNT(*) FROM tx") == [0]
        rows(one, "SAVEPOINT s")
        rows(one, "INSERT INTO tx VALUES (3)")
        rows(one, "ROLLBACK TO s")
        assert errno(one, "ROLLBACK TO nowhere") == 1305
        one.commit()
        assert column(other, "SELECT n FROM tx ORDER BY n") == [1, 2]
        rows(one, "INSERT INTO tx VALUES (4)")
        rows(one, "CREATE TABLE tx_other (n INT)")  # commits
        one.rollback()
        assert column(other, "SELECT n FROM tx ORDER BY n") == [1, 2, 4]
        rows(other, "START TRANSACTION READ ONLY")
        assert errno(other, "INSERT INTO tx VALUES (9)") == 1792
        rows(other, "ROLLBACK")
        rows(other, "DROP TABLE tx, tx_other")


def test_kill_query(lite):
    with lite.connect() as one, lite.connect() as other:
        [[number]] = rows(one, "SELECT CONNECTION_ID()")
        endless = ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
                   "SELECT COUNT(*) FROM r")
        ended = []
        thread = threading.Thread(target=lambda: ended.append(errno(one, endless)))
        thread.start()
        time.sleep(0.3)
        for _ in range(20):  # again, where it came before the statement did
            rows(other, f"KILL QUERY {number}")
            thread.join(3)
            if not thread.is_alive():
                break
        assert ended == [1317]
        assert rows(one, "SELECT 1") == [[1]]
        rows(one, "SET max_execution_time = 100")
        assert errno(one, endless) == 3024


def test_large_results_are_streamed(lite):
    with lite.connect(cursorclass=pymysql.cursors.SSCursor) as connection:
        with connection.cursor() as cursor:
            cursor.execute("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT "
                           "200000) SELECT n, 'some text to fill the row ' || n FROM r")
            assert sum(row[0] for row in cursor) == 200000 * 200001 // 2


def test_several_statements(lite):
    with lite.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1; SET @x = 2; SELECT @x; SELECT nope; SELECT 4")
            assert cursor.fetchall() == ((1,),)
            assert cursor.nextset()
            assert cursor.nextset()
            assert cursor.fetchall() == ((2,),)
            with pytest.raises(pymysql.MySQLError) as raised:
                cursor.nextset()
            assert raised.value.args[0] == 1054
            cursor.execute("SELECT 5")
            assert cursor.fetchall() == ((5,),)
    with lite.connect() as connection:
        assert errno(connection, "SELECT 1; SELECT 2") == 1064


def test_functions(connection):
    assert rows(connection, "SELECT IF(1, 'a', 'b'), CONCAT('x', 1, 'y'), CONCAT('x', NULL), "
                            "LEFT('hello', 2), LENGTH('ü'), CHAR_LENGTH('ü'), 7 DIV 2, 7 MOD 4") == [
        ["a", "x1y", None, "he", 2, 1, 3, 3]]
    assert rows(connection, "SELECT DATE_FORMAT('2024-02-29 13:05:06', '%Y/%c/%e %H:%i:%s %W'), "
                            "DATE_ADD('2024-01-31', INTERVAL 1 MONTH), "
                            "'2024-02-29' - INTERVAL 1 YEAR, DATEDIFF('2024-03-01', '2024-02-01'), "
                            "TIMESTAMPDIFF(MONTH, '2024-01-31', '2024-03-30'), "
                            "UNIX_TIMESTAMP('2024-01-01 00:00:00'), FROM_UNIXTIME(0), "
                            "EXTRACT(YEAR FROM '2024-02-29'), MONTHNAME('2024-02-29')") == [
        ["2024/2/29 13:05:06 Thursday", "2024-02-29", "2023-02-28", 29, 1, 1704067200,
         "1970-01-01 00:00:00", 2024, "February"]]
    assert column(connection, "SELECT NOW() > '2020-01-01' AND UNIX_TIMESTAMP() > 1600000000") == [1]
    assert column(connection, "SELECT 'a%b' LIKE 'a\\%b'") == [1]
    assert column(connection, "SELECT 'axb' LIKE 'a\\%b'") == [0]


def test_dump_and_reload(lite, connection, every_type, tmp_path):
    rows(connection, "INSERT INTO every_type (name, raw, at, price) VALUES (%s, %s, %s, %s)",
         "it's ü", b"\x00\xff'\\", "2024-02-29 10:00:00", "3.10")
    rows(connection, "CREATE VIEW every_view AS SELECT id, name FROM every_type")
    try:
        dumped = lite.run("mariadb-dump", "--skip-comments", "--hex-blob", "--single-transaction",
                          lite.database, "every_type", "every_view")
        before = rows(connection, "SELECT * FROM every_type")
        rows(connection, "DROP VIEW every_view")
        rows(connection, "DROP TABLE every_type")
        lite.run("mariadb", lite.database, input=dumped)
        assert rows(connection, "SELECT * FROM every_type") == before
        assert rows(connection, "SELECT name FROM every_view") == [["it's ü"]]
    finally:
        rows(connection, "DROP VIEW IF EXISTS every_view")


def test_a_second_client_sees_it(lite, connection, every_type):
    rows(connection, "INSERT INTO every_type (name, price) VALUES ('shared', 1.5)")
    with lite.connect() as other:
        assert rows(other, "SELECT name, price FROM every_type") == [
            ["shared", decimal.Decimal("1.50")]]


def test_refusals(connection):
    for sql in ("ATTACH 'x' AS y", "GRANT ALL ON *.* TO me", "CREATE USER me", "SELECT 1 INTO @a",
                "SELECT @a := 1", "CALL p()"):
        assert errno(connection, sql) == 1235, sql
    # The client did not announce that it sends files.
    assert errno(connection, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t") == 1148
    assert errno(connection, "CREATE DATABASE other") == 1044
    assert errno(connection, "PRAGMA journal_mode = OFF") == 1142
    assert errno(connection, "USE nowhere") == 1049
    assert errno(connection, "") == 1065
    rows(connection, "LOCK TABLES x READ")
    rows(connection, "UNLOCK TABLES")


def test_prepare_as_a_statement(connection):
    rows(connection, "DROP TABLE IF EXISTS texts")
    rows(connection, "CREATE TABLE texts (id INT PRIMARY KEY, word VARCHAR(20))")
    rows(connection, "PREPARE put FROM 'INSERT INTO texts VALUES (?, ?)'")
    rows(connection, "SET @n = 1, @w = 'it''s'")
    rows(connection, "EXECUTE put USING @n, @w")
    rows(connection, "SET @n = 2, @w = NULL, @q = 'SELECT id, word FROM texts WHERE id <= ?'")
    rows(connection, "EXECUTE put USING @n, @w")
    rows(connection, "PREPARE get FROM @q")
    assert rows(connection, "EXECUTE get USING @n") == [[1, "it's"], [2, None]]
    assert errno(connection, "EXECUTE get") == 1210
    assert errno(connection, "EXECUTE nothing") == 1243
    assert errno(connection, "PREPARE bad FROM 'SELECT * FROM nowhere'") == 1146
    assert errno(connection, "PREPARE bad FROM 'SELEC 1'") == 1064
    assert errno(connection, "PREPARE bad FROM 'EXECUTE get'") == 1295
    assert errno(connection, "PREPARE bad 'SELECT 1'") == 1064
    rows(connection, "DEALLOCATE PREPARE get")
    assert errno(connection, "EXECUTE get USING @n") == 1243
    assert errno(connection, "DROP PREPARE get") == 1243
    rows(connection, "DROP TABLE texts")


@pytest.fixture
def loader(lite):
    with lite.connect(local_infile=True) as made:
        rows(made, "DROP TABLE IF EXISTS loaded")
        rows(made, "CREATE TABLE loaded (id INT PRIMARY KEY, word VARCHAR(40), n DOUBLE)")
        yield made
        rows(made, "DROP TABLE loaded")


def load(connection, path, data, words=""):
    path.write_bytes(data)
    with connection.cursor() as cursor:
        return cursor.execute(f"LOAD DATA LOCAL INFILE '{path}' {words}")


def test_load_data(loader, tmp_path):
    path = tmp_path / "data"
    assert load(loader, path, b"1\tone\t1.5\n2\ta\\tb\\\\c\t\\N\n3\t\t-2\n", "INTO TABLE loaded") == 3
    assert rows(loader, "SELECT * FROM loaded ORDER BY id") == [
        [1, "one", 1.5], [2, "a\tb\\c", None], [3, "", -2.0]]
    # Keys that are there stay, as in MySQL.
    assert load(loader, path, b"3\tother\t1\n4\tfour\t4", "INTO TABLE loaded") == 1
    assert load(loader, path, b"3\tother\t1\n", "REPLACE INTO TABLE loaded") == 1
    assert column(loader, "SELECT word FROM loaded WHERE id >= 3 ORDER BY id") == ["other", "four"]
    csv = 'id,word\r\n10,"a, ""b"""\r\n11,NULL\r\n12,"line\r\nbreak"\r\n'.encode()
    assert load(loader, path, csv,
                "INTO TABLE `loaded` CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY "
                "ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n' IGNORE 1 LINES (id, word)") == 3
    assert rows(loader, "SELECT id, word FROM loaded WHERE id >= 10 ORDER BY id") == [
        [10, 'a, "b"'], [11, None], [12, "line\r\nbreak"]]
    many = b"".join(b"%d\t%s\t0\n" % (n, b"x" * (n % 40)) for n in range(100, 20_100))
    assert load(loader, path, many, "INTO TABLE loaded") == 20_000
    assert column(loader, "SELECT count(*) FROM loaded WHERE id >= 100") == [20_000]


def test_load_data_in_transactions(loader, lite, tmp_path):
    path = tmp_path / "data"
    rows(loader, "BEGIN")
    rows(loader, "INSERT INTO loaded VALUES (1, 'first', 0)")
    assert load(loader, path, b"2\ttwo\t2\n", "INTO TABLE loaded") == 1
    rows(loader, "ROLLBACK")
    assert column(loader, "SELECT count(*) FROM loaded") == [0]
    assert load(loader, path, b"", "INTO TABLE loaded") == 0
    for words, number in (("INTO TABLE nowhere", 1146), ("INTO TABLE loaded (nothing)", 1054),
                          ("INTO TABLE loaded SET n = 1", 1235), ("INTO loaded", 1064)):
        with pytest.raises(pymysql.MySQLError) as raised:
            load(loader, path, b"1\n", words)
        assert raised.value.args[0] == number, words
    assert errno(loader, "LOAD DATA INFILE '/etc/passwd' INTO TABLE loaded") == 1235
    with lite.connect() as plain:
        assert errno(plain, f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE loaded") == 1148
    assert column(loader, "SELECT count(*) FROM loaded") == [0]


COUNTED = ["CREATE TABLE counted (id INT PRIMARY KEY AUTO_INCREMENT, k VARCHAR(10) UNIQUE, n INT, "
           "x DOUBLE, at DATETIME)",
           "CREATE TABLE single (id INT PRIMARY KEY, n INT, word VARCHAR(10))"]
WRITES = [
    "INSERT INTO counted (k, n) VALUES ('a', 1), ('b', 2) ON DUPLICATE KEY UPDATE n = VALUES(n)",
    "INSERT INTO counted (k, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = VALUES(n)",
    "INSERT INTO counted (k, n) VALUES ('a', 5) ON DUPLICATE KEY UPDATE n = VALUES(n)",
    "INSERT INTO counted (k, n) VALUES ('a', 5), ('b', 3), ('c', 4) "
    "ON DUPLICATE KEY UPDATE n = VALUES(n)",
    "INSERT INTO counted (k, n) VALUES ('a', 9), ('c', 9) ON DUPLICATE KEY UPDATE n = n",
    "INSERT INTO counted (k, n) VALUES ('a', 9) ON DUPLICATE KEY UPDATE n = NULL",
    "INSERT INTO counted (k, n) VALUES ('a', 9) ON DUPLICATE KEY UPDATE n = NULL",
    "INSERT INTO counted (k, n) SELECT k, n + 1 FROM (SELECT 'b' AS k, 2 AS n UNION SELECT 'c', 8) "
    "AS t ON DUPLICATE KEY UPDATE n = 3",
    "INSERT IGNORE INTO counted (k, n) VALUES ('a', 1), ('d', 1)",
    "REPLACE INTO counted (k, n) VALUES ('e', 1)",
    "REPLACE INTO counted (k, n) VALUES ('e', 2)",
    "REPLACE INTO counted (k, n) VALUES ('e', 2), ('a', 7), ('f', 1)",
    "REPLACE INTO single VALUES (1, 1, 'a'), (2, 2, NULL)",
    "REPLACE INTO single VALUES (1, 1, 'a')",
    "REPLACE INTO single VALUES (1, 2, 'a'), (2, 2, NULL), (3, 3, '')",
    "UPDATE single SET n = 2",
    "UPDATE single SET n = n + 1 WHERE id < 3",
    "UPDATE single SET n = '3', word = word WHERE id < 3",
    "UPDATE single SET id = id + 10",
    "UPDATE counted SET x = 1, at = '2024-01-01 10:00:00'",
    "UPDATE counted SET x = 1.0, at = '2024-01-01 10:00:00'",
    "DELETE FROM single WHERE n = 3",
]


@pytest.mark.parametrize("flag", [0, pymysql.constants.CLIENT.FOUND_ROWS], ids=["changed", "found"])
def test_affected_rows_are_those_of_mariadb(lite, my_server, flag):
    def counts(target):
        with target.connect(client_flag=flag) as made, made.cursor() as cursor:
            for table in ("counted", "single"):
                cursor.execute(f"DROP TABLE IF EXISTS {table}")
            for sql in COUNTED:
                cursor.execute(sql)
            found = []
            for sql in WRITES:
                affected = cursor.execute(sql)
                told = (cursor._result.message or b"").decode()
                cursor.execute("SELECT ROW_COUNT()")
                found.append((sql, affected, cursor.fetchone()[0],
                              told if sql.startswith("UPDATE") else ""))
            for table in ("counted", "single"):
                cursor.execute(f"DROP TABLE {table}")
            return found
    assert counts(lite) == counts(mariadb.Target("direct", my_server.port))


def test_triggers_do_not_count(lite, connection):
    rows(connection, "CREATE TABLE parent (id INT PRIMARY KEY, n INT)")
    rows(connection, "CREATE TABLE log (parent INT, n INT)")
    rows(connection, "CREATE TRIGGER noted AFTER UPDATE ON parent BEGIN INSERT INTO log VALUES "
                     "(new.id, new.n); UPDATE log SET n = n; UPDATE log SET n = n + 1; END")
    with connection.cursor() as cursor:
        for sql, affected in (("INSERT INTO parent VALUES (1, 1), (2, 2)", 2),
                              ("UPDATE parent SET n = 5", 2), ("UPDATE parent SET n = 5", 0),
                              ("INSERT INTO parent VALUES (1, 6), (3, 6) "
                               "ON DUPLICATE KEY UPDATE n = VALUES(n)", 3)):
            assert cursor.execute(sql) == affected, sql
    assert len(rows(connection, "SELECT * FROM log")) == 5
    rows(connection, "DROP TABLE parent, log")


MADE_ELSEWHERE = [
    "CREATE TABLE owner (id integer PRIMARY KEY, a text, b text, c text UNIQUE, "
    "CONSTRAINT both_of_them UNIQUE (a, b), CONSTRAINT not_blank CHECK (length(a) > 0), "
    "CHECK (c <> 'never'))",
    "CREATE TABLE pet (id integer PRIMARY KEY, owner integer CONSTRAINT of_somebody "
    "REFERENCES owner ON DELETE CASCADE, friend integer REFERENCES pet(id), name text NOT NULL)",
    "CREATE UNIQUE INDEX pet_name ON pet (name)",
    "INSERT INTO owner VALUES (1, 'a', 'b', 'c')",
    "INSERT INTO pet VALUES (1, 1, NULL, 'rex')",
]


@pytest.fixture(scope="module")
def both_wires(folder):
    """Tables that a PostgreSQL client made, and a client of each protocol."""
    ports = servers.free_port(), servers.free_port()
    config = f"{CONFIG}\n[listen]\npostgres = [\"127.0.0.1:{ports[1]}\"]\n" \
             f"mysql = [\"127.0.0.1:{ports[0]}\"]\n"
    gateway = servers.Sluice(folder / "bothwires", config, listen="\n")
    gateway.port = ports[0]
    with gateway:
        dsn = f"host=127.0.0.1 port={ports[1]} dbname=lite user=alice password='{mariadb.PASSWORD}'"
        with psycopg.connect(dsn, autocommit=True) as postgres:
            for sql in MADE_ELSEWHERE:
                postgres.execute(sql)
            with mariadb.Target("my-sqlite", ports[0], database="lite").connect() as mysql:
                yield postgres, mysql


def test_names_of_constraints_made_elsewhere(both_wires):
    _, mysql = both_wires
    constraints = rows(mysql, "SELECT TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE FROM "
                              "information_schema.TABLE_CONSTRAINTS ORDER BY 1, 3, 2")
    assert constraints == [
        ["owner", "not_blank", "CHECK"], ["owner", "PRIMARY", "PRIMARY KEY"],
        ["owner", "both_of_them", "UNIQUE"], ["owner", "c", "UNIQUE"],
        ["pet", "of_somebody", "FOREIGN KEY"], ["pet", "pet_ibfk_2", "FOREIGN KEY"],
        ["pet", "PRIMARY", "PRIMARY KEY"], ["pet", "pet_name", "UNIQUE"]]
    assert rows(mysql, "SELECT CONSTRAINT_NAME, DELETE_RULE FROM information_schema."
                       "REFERENTIAL_CONSTRAINTS ORDER BY 1") == [["of_somebody", "CASCADE"],
                                                                 ["pet_ibfk_2", "NO ACTION"]]
    assert rows(mysql, "SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME FROM "
                       "information_schema.KEY_COLUMN_USAGE WHERE TABLE_NAME = 'pet' AND "
                       "REFERENCED_TABLE_NAME IS NOT NULL ORDER BY 1") == [
        ["of_somebody", "owner", "owner"], ["pet_ibfk_2", "friend", "pet"]]
    assert rows(mysql, "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM "
                       "information_schema.CHECK_CONSTRAINTS") == [
        ["owner", "not_blank", "length(a) > 0"]]
    [[_, owner]] = rows(mysql, "SHOW CREATE TABLE owner")
    assert "UNIQUE KEY `both_of_them` (`a`,`b`)" in owner
    [[_, pet]] = rows(mysql, "SHOW CREATE TABLE pet")
    assert ("CONSTRAINT `of_somebody` FOREIGN KEY (`owner`) REFERENCES `owner` (`id`) "
            "ON DELETE CASCADE") in pet
    assert {row[2] for row in rows(mysql, "SHOW INDEX FROM owner")} == {"PRIMARY", "both_of_them",
                                                                        "c"}


@pytest.mark.parametrize("sql, key, name", [
    ("INSERT INTO owner VALUES (1, 'x', 'y', 'z')", "PRIMARY", "owner_pkey"),
    ("INSERT INTO owner VALUES (2, 'a', 'b', 'z')", "both_of_them", "both_of_them"),
    ("INSERT INTO owner VALUES (2, 'x', 'y', 'c')", "c", "owner_c_key"),
    ("INSERT INTO pet VALUES (5, 1, NULL, 'rex')", "pet_name", "pet_name"),
    ("UPDATE owner SET id = 1, c = NULL WHERE id IN (SELECT 3) OR id = 1", None, None),
])
def test_duplicates_name_their_key(both_wires, sql, key, name):
    postgres, mysql = both_wires
    if key is None:
        rows(mysql, sql)
        rows(mysql, "UPDATE owner SET c = 'c'")
        return
    for begun in (False, True):
        if begun:
            rows(mysql, "BEGIN")
        with pytest.raises(pymysql.IntegrityError) as raised:
            rows(mysql, sql)
        assert raised.value.args == (1062, f"Duplicate entry for key '{key}'")
        rows(mysql, "ROLLBACK")
    with pytest.raises(psycopg.errors.UniqueViolation) as raised:
        postgres.execute(sql)
    assert raised.value.diag.constraint_name == name
    assert raised.value.diag.table_name == sql.split()[2]


@pytest.mark.parametrize("prepared", [False, True])
def test_attacks_are_refused_here_too(both_wires, prepared):
    _, mysql = both_wires
    for text, message in test_sqlite_hardening.FORBIDDEN:
        with pytest.raises(pymysql.MySQLError) as raised:
            if prepared:
                rows(mysql, "PREPARE attack FROM %s", text)
                rows(mysql, "EXECUTE attack")
            else:
                rows(mysql, text)
        assert raised.value.args[0] in (1142, 1235, 1064, 1227), (text, raised.value)
    assert column(mysql, "SELECT name FROM pet WHERE id = 1") == ["rex"]
    assert not pathlib.Path("/tmp/sluice-attack.db").exists()
