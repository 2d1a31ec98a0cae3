"""node `mysql2` and `mariadb`: node/*.mjs, run by node's own test runner."""
import subprocess

import pytest

from test_node import FOLDER, modules  # noqa: F401


@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_node(my, modules, driver):  # noqa: F811
    done = subprocess.run(["node", "--test", f"{driver}.mjs"], cwd=FOLDER, timeout=85,
                          capture_output=True, text=True, env=my.environment())
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
