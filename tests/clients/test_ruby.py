"""Ruby: ActiveRecord over the gems pg and mysql2."""
import subprocess

import servers


def run(target, adapter):
    done = subprocess.run(
        ["ruby", servers.ROOT / "tests/clients/ruby/active_record.rb"], capture_output=True,
        text=True, timeout=60,
        env={**target.environment(), "ADAPTER": adapter, "HOST": target.host,
             "PORT": str(target.port), "DATABASE": target.database, "USER_NAME": target.user,
             "PASSWORD": target.password})
    assert done.stdout.splitlines() == ["ok definitions", "ok rows", "ok threads"], (
        done.stdout[-2000:] + done.stderr[:3000])
    assert done.returncode == 0


def test_postgres(target):
    run(target, "postgresql")


def test_mysql(my):
    run(my, "mysql2")
