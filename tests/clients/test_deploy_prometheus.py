"""Debian's Prometheus scrapes a Sluice under load; dashboard and alerts are asked of what it has."""
import itertools
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import psycopg
import pytest
import yaml

import servers

pytestmark = pytest.mark.gateway

DEPLOY = servers.ROOT / "deploy"
# What one run need not have: nothing went wrong, nobody was pinned.
MAY_BE_EMPTY = {"Pinned clients, by reason", "Refusals, by reason"}


def metrics_in(expression):
    return set(re.findall(r"\b((?:sluice|process)_[a-z_]+)", expression))


def dashboard():
    return json.loads((DEPLOY / "grafana/sluice.json").read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


class Prometheus:
    def __init__(self, folder, target):
        self.folder = folder
        self.port = servers.free_port()
        config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        config["rule_files"] = [str(DEPLOY / "prometheus/sluice.rules.yml")]
        scrape = config["scrape_configs"][0]
        scrape["scrape_interval"] = scrape["scrape_timeout"] = "500ms"
        scrape["static_configs"] = [{"targets": [target]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def __enter__(self):
        with open(self.folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)
        servers.wait_until(lambda: self.process.poll() is not None or self.ready(),
                           what="Prometheus answers")
        assert self.process.poll() is None, (self.folder / "prometheus.log").read_text()
        return self

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=60):
                return True
        except OSError:  # an HTTPError is one
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(query)
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as wrong:
            raise AssertionError(f"{query}: {wrong.read().decode()}") from None

    def value(self, expression):
        return self.ask("query", query=expression)["result"]


@pytest.fixture(scope="module")
def observed(cluster):
    """A gateway that has worked for some seconds, and the Prometheus that watched it."""
    with servers.short_folder() as folder:
        http = servers.free_port()
        config = servers.shared_config(cluster)
        listen = '[listen]\npostgres = ["127.0.0.1:{port}"]\nhttp = "127.0.0.1:%d"\n' % http
        with servers.Sluice(folder / "gateway", config, listen=listen) as gateway, \
                Prometheus(folder, f"127.0.0.1:{http}") as prometheus:
            statements = work(gateway, prometheus)
            yield prometheus, statements


def work(gateway, prometheus):
    """Load of every kind for some scrapes; returns how many statements database app answered."""
    counted = 0
    options = {"host": "127.0.0.1", "port": gateway.port, "user": "alice",
               "password": servers.PASSWORD, "autocommit": True}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**{**options, "password": "wrong"}, dbname="app")
    app = [psycopg.connect(dbname="app", **options) for _ in range(6)]
    lite = psycopg.connect(dbname="lite", **options)
    lite.execute("CREATE TABLE watched (id INTEGER)")
    seen = servers.wait_until(
        lambda: prometheus.value("count_over_time(sluice_build_info[1m])"), what="a scrape")
    first = int(seen[0]["value"][1])
    for turn in itertools.count():
        for client in app:
            client.execute("SELECT count(*) FROM generate_series(1, %s)", (turn + 1,), prepare=True)
            counted += 1
        with pytest.raises(psycopg.Error):
            app[0].execute("SELECT 1 / 0")
        counted += 1
        with app[1].transaction():
            app[1].execute("SELECT pg_sleep(0.01)")
        counted += 3
        lite.execute("INSERT INTO watched VALUES (%s)", (turn,))
        lite.execute("SELECT count(*) FROM watched")
        scraped = prometheus.value("count_over_time(sluice_build_info[1m])")
        if scraped and int(scraped[0]["value"][1]) >= first + 8:
            break
        assert turn < 10000, "Prometheus does not scrape"
    for client in app + [lite]:
        client.close()
    wanted = counted
    servers.wait_until(lambda: [1 for each in prometheus.value(
        'sum(sluice_statements_total{database="app"})') if int(each["value"][1]) >= wanted],
        what=f"{wanted} statements in Prometheus")
    return counted


def test_its_counters_are_what_clients_sent(observed):
    prometheus, statements = observed
    answer = prometheus.value('sum(sluice_statements_total{database="app"})')
    assert int(answer[0]["value"][1]) == statements
    servers.wait_until(lambda: prometheus.value("up")[0]["value"][1] == "1", what="it is up")


def test_every_query_of_the_dashboard_has_data(observed):
    prometheus, _ = observed
    board = dashboard()
    for variable in board["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", str(variable.get("definition", "")))
        if found:
            rows = prometheus.value(found[1].replace("$job", ".*"))
            assert rows and all(found[2] in row["metric"] for row in rows), variable["name"]
    empty = []
    for panel in panels():
        answers = []
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m")
            expression = re.sub(r"\$(job|instance|database)", ".*", expression)
            answers += prometheus.value(expression)
        if not answers and panel["title"] not in MAY_BE_EMPTY:
            empty.append(panel["title"])
    assert not empty


def test_what_dashboard_and_alerts_name_is_measured(observed):
    prometheus, _ = observed
    known = set(prometheus.ask("label/__name__/values"))
    # Families that appear with their first value.
    known |= {"sluice_pins_total", "sluice_refusals_total", "sluice_login_refusals_total"}
    used = set()
    for panel in panels():
        for target in panel["targets"]:
            used |= metrics_in(target["expr"])
    rules = yaml.safe_load((DEPLOY / "prometheus/sluice.rules.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        used |= metrics_in(rule["expr"])
    assert used <= known, used - known
    for group in prometheus.ask("rules")["groups"]:
        for rule in group["rules"]:
            assert rule["health"] != "err", rule


def test_the_dashboard_is_laid_out_without_overlap():
    board = dashboard()
    assert board["uid"] == "sluice" and board["schemaVersion"] >= 36
    taken = set()
    numbers = set()
    for panel in board["panels"]:
        assert panel["id"] not in numbers
        numbers.add(panel["id"])
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"])
                 for y in range(place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert all(target["legendFormat"] for target in panel["targets"])
