"""PHP: PDO with statements prepared by the server and emulated, mysqli (all over mysqlnd)."""
import subprocess

import servers


def test_php(my):
    done = subprocess.run(["php", servers.ROOT / "tests/clients/php/probe.php"],
                          capture_output=True, text=True, env=my.environment(), timeout=85)
    assert done.stdout.splitlines() == ["ok prepared", "ok emulated", "ok mysqli"], (
        done.stdout[-3000:] + done.stderr[-3000:])
    assert done.returncode == 0
