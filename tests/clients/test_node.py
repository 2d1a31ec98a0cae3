"""node `pg` and `postgres`: node/*.mjs, run by node's own test runner."""
import subprocess

import pytest

import servers

FOLDER = servers.ROOT / "tests/clients/node"


@pytest.fixture(scope="session")
def modules():
    installed = FOLDER / "node_modules/.package-lock.json"
    lock = FOLDER / "package-lock.json"
    assert '"resolved"' not in lock.read_text(), "the lock names a registry"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                              cwd=FOLDER, capture_output=True, text=True, timeout=80)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("driver", ["pg", "postgres"])
def test_node(target, modules, driver):
    done = subprocess.run(["node", "--test", f"{driver}.mjs"], cwd=FOLDER, timeout=85,
                          capture_output=True, text=True,
                          env={**target.environment(), "TARGET": target.name})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
