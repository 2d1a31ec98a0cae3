"""psql: the simple protocol, its meta-commands, errors with positions."""
import subprocess

import pytest

import servers


def psql(target, *arguments, input=None, status=0):
    done = subprocess.run([servers.PG_BIN / "psql", "-XAt", "-v", "VERBOSITY=verbose", *arguments],
                          env=target.environment(), input=input, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == status, done.stderr + done.stdout
    return done


def test_one_statement(target):
    assert psql(target, "-c", "SELECT 1 + 1, 'it''s', NULL").stdout == "2|it's|\n"


def test_several_statements_in_one_message(target, table):
    out = psql(target, "-c", f"INSERT INTO {table} VALUES (1, 'a', 5); SELECT count(*) FROM {table};"
                             f"UPDATE {table} SET amount = 6; SELECT amount FROM {table}").stdout
    assert out.split("\n") == ["INSERT 0 1", "1", "UPDATE 1", "6", ""]


def test_several_statements_are_one_transaction(target, table):
    psql(target, "-c", f"INSERT INTO {table} VALUES (1, 'a', 5); SELECT * FROM nowhere", status=1)
    assert psql(target, "-c", f"SELECT count(*) FROM {table}").stdout == "0\n"


def test_script_with_a_transaction(target, table):
    out = psql(target, "-q", input=f"""
        BEGIN; INSERT INTO {table} VALUES (1, 'kept', 1); COMMIT;
        BEGIN; INSERT INTO {table} VALUES (2, 'dropped', 1); ROLLBACK;
        SELECT name FROM {table};
    """).stdout
    assert out == "kept\n"


def test_failed_transaction_refuses_until_rollback(target, table):
    done = psql(target, "-q", input=f"""
        BEGIN; INSERT INTO {table} VALUES (1, 'a', 1); SELECT * FROM nowhere; SELECT 1; COMMIT;
        SELECT count(*) FROM {table};
    """)
    assert "25P02" in done.stderr
    assert done.stdout == "0\n"


@pytest.mark.postgres
def test_error_carries_its_position(target):
    error = psql(target, "-c", "SELECT oops FROM pg_class", status=1).stderr
    assert "42703" in error and 'column "oops" does not exist' in error
    assert "LINE 1: SELECT oops FROM pg_class\n               ^" in error


def test_syntax_error(target):
    error = psql(target, "-c", "SELEKT 1", status=1).stderr
    assert "42601" in error and "LINE 1: SELEKT 1" in error


def test_unique_violation_names_its_state(target, table):
    psql(target, "-c", f"INSERT INTO {table} VALUES (1, 'a', 1)")
    error = psql(target, "-c", f"INSERT INTO {table} VALUES (1, 'a', 1)", status=1).stderr
    assert "23505" in error


@pytest.mark.postgres
def test_copy_in_and_out(target, table, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("".join(f"{n},row {n},{n * 2}\n" for n in range(5000)))
    assert psql(target, "-c", f"\\copy {table} FROM '{source}' csv").stdout == "COPY 5000\n"
    there = tmp_path / "out.csv"
    psql(target, "-c", f"\\copy (SELECT * FROM {table} ORDER BY id) TO '{there}' csv")
    assert there.read_text() == source.read_text()


@pytest.mark.postgres
def test_copy_that_fails_leaves_the_connection_usable(target, table):
    done = psql(target, input=f"COPY {table} FROM STDIN;\n1\ta\tx\n\\.\nSELECT 'after';\n")
    assert "22P02" in done.stderr and done.stdout == "after\n"


@pytest.mark.postgres
def test_describe(target, table):
    out = psql(target, "-c", f"\\d {table}").stdout
    assert out == "id|integer||not null|\nname|text|||\namount|integer|||\n"
    assert table in psql(target, "-c", "\\dt").stdout
    assert "app" in psql(target, "-c", "\\l").stdout


@pytest.mark.postgres
def test_notice(target):
    done = psql(target, "-c", "DO $$ BEGIN RAISE NOTICE 'hello %', 42; END $$")
    assert "hello 42" in done.stderr


def test_empty_statement(target):
    assert psql(target, "-c", ";").stdout == ""
    assert psql(target, "-c", "").stdout == ""


def test_large_result_in_chunks(target, table):
    psql(target, "-q", input=f"""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO {table} SELECT i, 'row', i FROM n;""")
    out = psql(target, "-v", "FETCH_COUNT=" + ("0" if target.sqlite else "500"),
               "-c", f"SELECT id FROM {table} ORDER BY id").stdout
    assert out.split() == [str(n) for n in range(1, 20001)]


def test_conninfo_and_version(target):
    assert psql(target, "-c", "SHOW server_version").stdout.strip()
    assert target.user in psql(target, "-c", "\\conninfo").stdout


@pytest.mark.postgres
@pytest.mark.parametrize("level", ["off", "on"])
def test_on_error_rollback(target, table, level):
    out = psql(target, "-q", "-v", f"ON_ERROR_ROLLBACK={level}", input=f"""
        BEGIN; INSERT INTO {table} VALUES (1, 'a', 1); SELECT * FROM nowhere; COMMIT;
        SELECT count(*) FROM {table};""").stdout
    assert out == ("1\n" if level == "on" else "0\n")
