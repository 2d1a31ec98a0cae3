"""MariaDB Connector/J: java/MyProbe.java is compiled once and run against each target."""
import os
import subprocess

import pytest

import servers

JAR = os.environ.get("SLUICE_MARIADB_JAR", "/usr/share/java/mariadb-java-client.jar")
SOURCE = servers.ROOT / "tests/clients/java/MyProbe.java"


@pytest.fixture(scope="session")
def my_classes(folder):
    place = folder / "java-my"
    done = subprocess.run(["javac", "-cp", JAR, "-sourcepath", SOURCE.parent, "-d", place, SOURCE],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.parametrize("options", ["", "useServerPrepStmts=true",
                                     "useServerPrepStmts=true&useBulkStmts=false"
                                     "&cachePrepStmts=false"],
                         ids=["text", "prepared", "prepared, uncached"])
def test_jdbc(my, my_classes, options):
    url = f"jdbc:mariadb://{my.host}:{my.port}/{my.database}?{options}"
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JAR}:{my_classes}", "MyProbe", url, my.user,
         my.password, "sqlite" if my.sqlite else "mariadb"],
        capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stdout + done.stderr
