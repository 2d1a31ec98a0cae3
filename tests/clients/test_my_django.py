"""Django 3.2's ORM over mysqlclient: models, transactions, migrations."""
import subprocess

import pytest

import servers

PROBE = servers.ROOT / "tests/clients/django_probe.py"


def run(my, *steps):
    done = subprocess.run(["/usr/bin/python3", PROBE, *steps], capture_output=True, text=True,
                          env=my.environment(), timeout=80)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.split() == [word for step in steps for word in ("ok", step)]


def test_orm_and_transactions(my):
    run(my, "tables", "orm", "transactions", "introspection")


@pytest.mark.mariadb  # SQLite cannot make last_login nullable: ALTER TABLE ... MODIFY
def test_migrations(my):
    run(my, "migrations")
