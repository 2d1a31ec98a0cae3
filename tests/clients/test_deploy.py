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


# What Kubernetes 1.29 demands of what is used here: fields that must be there, and all that may.
POD = {"containers"}, {"initContainers", "volumes", "securityContext", "topologySpreadConstraints",
                       "terminationGracePeriodSeconds", "automountServiceAccountToken"}
CONTAINER = {"name", "image"}, {"args", "env", "ports", "startupProbe", "readinessProbe",
                                "livenessProbe", "lifecycle", "resources", "securityContext",
                                "volumeMounts", "restartPolicy"}
SPECS = {
    "ConfigMap": ("v1", None, None),
    "Deployment": ("apps/v1", {"selector", "template"}, {"replicas", "strategy"}),
    "Service": ("v1", {"ports"}, {"selector"}),
    "HorizontalPodAutoscaler": ("autoscaling/v2", {"scaleTargetRef", "maxReplicas"},
                                {"minReplicas", "metrics", "behavior"}),
    "PodDisruptionBudget": ("policy/v1", {"selector"}, {"minAvailable"}),
}


def fits(fields, rule, where):
    needed, allowed = rule
    assert needed <= set(fields), f"{where}: {needed - set(fields)} missing"
    assert set(fields) <= needed | allowed, f"{where}: {set(fields) - needed - allowed} unknown"


def check_container(container, pod, native):
    fits(container, CONTAINER, container["name"])
    assert ("restartPolicy" in container) == native
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    for name in ports:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?", name)
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(kind, {})
        fits(probe, (set(), {"httpGet", "periodSeconds", "failureThreshold"}), kind)
        if probe:
            assert probe["httpGet"]["port"] in ports
            assert probe["httpGet"]["path"] == ("/healthz" if kind == "livenessProbe"
                                                else "/readyz")
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        assert mount["name"] in volumes
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    if container["name"] == "sluice":
        assert security["readOnlyRootFilesystem"] is True
        assert "memory" in container["resources"]["limits"]
    return ports


@pytest.mark.parametrize("name", ["sidecar", "gateway"])
def test_the_kubernetes_manifests(name, tmp_path):
    manifests = list(yaml.safe_load_all((DEPLOY / f"kubernetes/{name}.yaml").read_text()))
    kinds = {}
    for one in manifests:
        version, needed, allowed = SPECS[one["kind"]]
        assert one["apiVersion"] == version and one["metadata"]["name"]
        kinds[one["kind"]] = one
        if needed is not None:
            fits(one["spec"], (needed, allowed), one["kind"])
    deployment = kinds["Deployment"]["spec"]
    template = deployment["template"]
    assert deployment["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    pod = template["spec"]
    fits(pod, POD, "pod")
    for volume in pod["volumes"]:
        assert volume["configMap"]["name"] == kinds["ConfigMap"]["metadata"]["name"]
    natives = pod.get("initContainers", [])
    ports = {}
    for container in natives + pod["containers"]:
        ports |= check_container(container, pod, container in natives)

    config = kinds["ConfigMap"]["data"]["sluice.toml"]
    (tmp_path / "sluice.toml").write_text(config)
    told = run(servers.BINARY, "check", tmp_path / "sluice.toml",
               env={**os.environ, "APP_PASSWORD": "x", "METRICS_TOKEN": "a long token, by chance"})
    assert told.returncode == 0, told.stderr
    assert ":5432" in told.stdout
    drain = int(re.search(r'drain_timeout = "(\d+)s"', config)[1])
    assert pod["terminationGracePeriodSeconds"] >= drain + 15
    http = int(re.search(r'http = "\*:(\d+)"', config)[1])
    assert http in ports.values()
    if name == "sidecar":
        assert natives[0]["restartPolicy"] == "Always" and natives[0]["startupProbe"]
        return
    service = kinds["Service"]["spec"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert {port["targetPort"] for port in service["ports"]} <= set(ports)
    target = kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment",
                      "name": kinds["Deployment"]["metadata"]["name"]}
    budget = kinds["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert budget["minAvailable"] < kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"]


def test_prometheus_accepts_the_rules_and_they_fire():
    folder = DEPLOY / "prometheus"
    done = run("promtool", "check", "rules", folder / "sluice.rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("promtool", "test", "rules", folder / "sluice.rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("promtool", "check", "config", folder / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    rules = yaml.safe_load((folder / "sluice.rules.yml").read_text())["groups"][0]["rules"]
    tested = (folder / "sluice.rules.test.yml").read_text()
    for rule in rules:
        assert f"alertname: {rule['alert']}\n" in tested, f"{rule['alert']} has no test"
        assert rule["annotations"].keys() == {"summary", "what_to_do"}
