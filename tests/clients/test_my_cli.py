"""MariaDB's own programs: mariadb, mariadb-dump and a reload, mariadb-import, mariadb-admin."""
import subprocess

import pytest


def lines(my, sql, *options):
    return my.run("mariadb", "--batch", "--skip-column-names", *options, f"--execute={sql}",
                  my.database).splitlines()


def test_statements(my, my_table):
    assert lines(my, f"INSERT INTO {my_table} VALUES (1, 'é', 2), (2, NULL, 3); "
                     f"SELECT * FROM {my_table} ORDER BY id") == ["1\té\t2", "2\tNULL\t3"]


@pytest.mark.mariadb  # the widths of columns are the server's
def test_table_output_and_headers(my, my_table):
    out = my.run("mariadb", "--table", "--execute=SELECT 1 AS one, 'two' AS two", my.database)
    assert out.splitlines() == ["+-----+-----+", "| one | two |", "+-----+-----+", "|   1 | two |",
                                "+-----+-----+"]


def test_script_from_a_pipe(my, my_table):
    script = f"""
        -- a comment
        BEGIN;
        INSERT INTO {my_table} VALUES (1, 'semicolon; inside', 1);
        COMMIT;
        SELECT name FROM {my_table};
    """
    done = subprocess.run(["mariadb", *my.arguments(), "--batch", "-N", my.database], input=script,
                          capture_output=True, text=True, env=my.environment(), timeout=80)
    assert (done.stdout, done.stderr) == ("semicolon; inside\n", "")


def test_errors_reach_the_user(my):
    done = subprocess.run(["mariadb", *my.arguments(), "-e", "SELECT * FROM nowhere", my.database],
                          capture_output=True, text=True, env=my.environment(), timeout=80)
    assert done.returncode == 1
    assert "ERROR 1146 (42S02) at line 1" in done.stderr and "nowhere" in done.stderr


def test_completion_reads_the_tables(my, my_table):
    """Without --no-auto-rehash the program asks for all tables and, by FIELD_LIST, their columns."""
    done = subprocess.run(["mariadb", *my.arguments(), "--auto-rehash", "-N", my.database],
                          input="SELECT 7;\n", capture_output=True, text=True,
                          env=my.environment(), timeout=80)
    assert done.stdout == "7\n", done.stderr


def test_status(my):
    out = my.run("mariadb", "--execute=status", my.database)
    assert "Connection id:" in out and "TCP/IP" in out


@pytest.mark.mariadb
def test_warnings_are_shown(my):
    out = my.run("mariadb", "--show-warnings", "-vv", "--execute=SELECT CAST('1x' AS INT)",
                 my.database)
    assert "1 warning" in out and "Truncated incorrect INTEGER value: '1x'" in out


@pytest.mark.mariadb
def test_dump_and_reload(my, my_server):
    """A dump through the target, loaded into another database through it, is the same dump."""
    source = f"dump_{my.name.replace('-', '_')}"
    my_server.sql(f"DROP DATABASE IF EXISTS {source}", f"CREATE DATABASE {source}",
                  f"GRANT ALL ON {source}.* TO alice", f"USE {source}",
                  "CREATE TABLE plain (id INT PRIMARY KEY AUTO_INCREMENT, t TEXT, b BLOB, d DECIMAL"
                  "(20, 5), f DOUBLE, at DATETIME(6), j JSON, e ENUM('a', 'b'), KEY (at))",
                  "INSERT INTO plain SELECT NULL, REPEAT(CHAR(33 + seq % 90), seq % 300), "
                  "UNHEX(HEX(seq * 1e9)), seq / 7, seq * 0.1, '2024-01-01' + INTERVAL seq SECOND, "
                  "JSON_ARRAY(seq), IF(seq % 2, 'a', 'b') FROM seq_1_to_5000",
                  "CREATE DEFINER = alice VIEW evens AS SELECT * FROM plain WHERE id % 2 = 0",
                  "CREATE DEFINER = alice PROCEDURE two() BEGIN SELECT 1; SELECT 2; END",
                  "CREATE DEFINER = alice TRIGGER t BEFORE INSERT ON plain FOR EACH ROW "
                  "SET NEW.f = NEW.f + 0")
    options = ["--single-transaction", "--routines", "--hex-blob", "--skip-dump-date"]
    dump = my.run("mariadb-dump", *options, source)
    for word in ("INSERT INTO", "TABLE `plain`", "VIEW `evens`", "PROCEDURE `two`", "TRIGGER t "):
        assert word in dump
    my_server.sql(f"DROP DATABASE {source}", f"CREATE DATABASE {source}")
    subprocess.run(["mariadb", *my.arguments()], input=f"USE {source};\n{dump}", text=True, check=True,
                   env=my.environment(), timeout=60, capture_output=True)
    assert my.run("mariadb-dump", *options, source) == dump
    my_server.sql(f"DROP DATABASE {source}")


@pytest.mark.mariadb
def test_import_and_admin(my, my_table, tmp_path):
    path = tmp_path / f"{my_table}.txt"
    path.write_text("1\tone\t1\n2\ttwo\t2\n")
    my.run("mariadb-import", "--local", my.database, str(path))
    assert lines(my, f"SELECT name FROM {my_table} ORDER BY id") == ["one", "two"]
    assert "mysqld is alive" in my.run("mariadb-admin", "ping")
    assert "Uptime" in my.run("mariadb-admin", "status")
    assert my_table in my.run("mariadb-show", "app")


@pytest.mark.mariadb
def test_prepared_in_text(my, my_table):
    assert lines(my, "PREPARE s FROM 'SELECT ? + ?'; SET @a = 1, @b = 2; EXECUTE s USING @a, @b; "
                     "DEALLOCATE PREPARE s") == ["3"]
