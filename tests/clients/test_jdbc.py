"""pgjdbc: java/Probe.java is compiled once and run against each target."""
import os
import subprocess

import pytest

import servers

JAR = os.environ.get("SLUICE_JDBC_JAR", "/usr/share/java/postgresql.jar")
SOURCE = servers.ROOT / "tests/clients/java/Probe.java"


@pytest.fixture(scope="session")
def classes(folder):
    place = folder / "java"
    done = subprocess.run(["javac", "-cp", JAR, "-sourcepath", SOURCE.parent, "-d", place, SOURCE],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.parametrize("options", ["", "prepareThreshold=1&preferQueryMode=extendedForPrepared",
                                     "preferQueryMode=simple"],
                         ids=["default", "prepared at once", "simple"])
def test_jdbc(target, classes, options):
    url = f"jdbc:postgresql://{target.host}:{target.port}/{target.database}?sslmode=disable&{options}"
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JAR}:{classes}", "Probe", url, target.user,
         target.password, "sqlite" if target.sqlite else "postgres"],
        capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stdout + done.stderr
