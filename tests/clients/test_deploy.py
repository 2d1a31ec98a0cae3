"""The files of deploy/: installed by cmake, read by the tools that will read them."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

import servers

pytestmark = pytest.mark.gateway

DEPLOY = servers.ROOT / "deploy"
BUILD = pathlib.Path(servers.BINARY).resolve().parent


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=60, **options)


def checked(config, folder):
    """`sluice check` of a configuration with every file it names replaced by one that exists."""
    file = folder / "sluice.toml"
    file.write_text(config)
    done = run(servers.BINARY, "check", file, env={**os.environ, "APP_PASSWORD": "x"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    target = tmp_path_factory.mktemp("installed")
    done = run("cmake", "--install", BUILD, "--prefix", "/usr",
               env={**os.environ, "DESTDIR": str(target)})
    assert done.returncode == 0, done.stderr
    return target / "usr"


def test_install_puts_everything_in_its_place(installed):
    names = {str(p.relative_to(installed)) for p in installed.rglob("*") if p.is_file()}
    assert names >= {"bin/sluice", "share/man/man1/sluice.1", "share/doc/sluice/sluice.toml",
                     "share/doc/sluice/SETTINGS.md", "lib/systemd/system/sluice.service",
                     "lib/systemd/system/sluice.socket",
                     "lib/sysusers.d/sluice.conf"}
    assert run(installed / "bin/sluice", "--version").stdout.startswith("sluice ")


def test_systemd_accepts_the_units_and_finds_them_hardened(installed, tmp_path):
    # The units name the program where it will be; here it is elsewhere.
    units = []
    for file in sorted((installed / "lib/systemd/system").iterdir()):
        unit = tmp_path / file.name
        unit.write_text(file.read_text().replace("/usr/bin/sluice", str(installed / "bin/sluice")))
        units.append(unit)
    done = run("systemd-analyze", "verify", "--man=no", *units)
    complaints = [line for line in done.stderr.splitlines() if "sluice" in line]
    assert done.returncode == 0 and not complaints, done.stderr
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20",
               tmp_path / "sluice.service")
    assert done.returncode == 0, done.stdout


def test_the_manual_page_is_clean_and_complete():
    page = DEPLOY / "sluice.1"
    assert run("mandoc", "-Tlint", "-W", "warning", page).stdout == ""
    done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page)
    assert done.returncode == 0 and done.stderr == ""
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", run("man", "-l", page, env={
        **os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"}).stdout)
    words = run(servers.BINARY, "--help").stdout
    commands = re.findall(r"^  ([a-z]+) ", words.partition("Subcommands:")[2]
                          .partition("Examples:")[0], re.M)
    assert len(commands) >= 5
    options = set()
    for helped in [[]] + [[command] for command in commands]:
        options |= set(re.findall(r"--[a-z][a-z-]+", run(servers.BINARY, *helped, "--help")
                                  .stdout.partition("Examples:")[0]))
    for word in commands + sorted(options):
        assert word in text.replace("‐", "-").replace("−", "-"), f"{word} is not in sluice.1"


def instructions(file):
    text = re.sub(r"\\\n", " ", "\n".join(
        line for line in file.read_text().splitlines() if not line.startswith("#")))
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]


def test_the_image_is_small_runs_as_nobody_and_has_every_library():
    steps = instructions(DEPLOY / "container/Dockerfile")
    assert [s[1] for s in steps if s[0] == "FROM"] == ["debian:12-slim AS build", "debian:12-slim"]
    assert {s[0] for s in steps} <= {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE",
                                     "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    last = [s for s in steps[[s[0] for s in steps].index("FROM", 1):]]
    assert [s[1] for s in last if s[0] == "USER"] == ["65532:65532"]
    assert [s[0] for s in last].index("USER") < [s[0] for s in last].index("ENTRYPOINT")
    for step in steps:
        if step[0] in ("ENTRYPOINT", "CMD", "VOLUME"):
            assert yaml.safe_load(step[1]), step  # the exec form, which passes signals on
        if step[0] == "RUN" and "apt-get install" in step[1]:
            assert "--no-install-recommends" in step[1] and "rm -rf /var/lib/apt/lists" in step[1]
        if step[0] == "COPY" and "--from" not in step[1]:
            assert step[1] == ". .", "only the build stage sees the sources"
    packages = {word for s in last if s[0] == "RUN" for word in s[1].split()}
    needed = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", servers.BINARY).stdout)
    assert "libpq.so.5" in needed
    for library in needed:
        path = re.search(rf"{re.escape(library)} => (\S+)", run("ldd", servers.BINARY).stdout)
        if not path:
            continue
        for name in {path[1], path[1].replace("/usr/lib", "/lib", 1),
                     "/usr" + path[1].removeprefix("/usr")}:
            owner = run("dpkg", "-S", name).stdout
            if owner:
                break
        package = owner.partition(":")[0]
        assert package in packages | {"libc6", "libgcc-s1", "libstdc++6"}, f"{library}: {package}"


def test_the_build_stage_finds_its_packages():
    have = {line.split()[1] for line in (DEPLOY / "packages").read_text().splitlines()
            if line.startswith("build ")}
    assert {"g++", "cmake", "ninja-build", "libpq-dev", "libasio-dev"} <= have


def test_the_compose_file(tmp_path):
    file = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    assert set(file) <= {"services", "configs", "volumes", "networks", "secrets", "name"}
    sluice = file["services"]["sluice"]
    known = {"build", "image", "command", "environment", "configs", "ports", "volumes",
             "depends_on", "healthcheck", "read_only", "cap_drop", "security_opt",
             "stop_grace_period", "restart"}
    for name, service in file["services"].items():
        assert set(service) <= known, name
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in file["volumes"]
    assert (DEPLOY / "container" / sluice["build"]["context"]).resolve() == servers.ROOT
    assert (servers.ROOT / sluice["build"]["dockerfile"]).is_file()
    for used in sluice["configs"]:
        assert used["source"] in file["configs"]
    # Compose reads $$ as $.
    config = file["configs"]["sluice"]["content"].replace("$$", "$")
    told = checked(config.replace("/var/lib/sluice", str(tmp_path)), tmp_path)
    assert "listen postgres *:6432" in told and "database app: postgres postgres/app" in told
