"""Reads what Sluice's HTTP listener says."""
import json
import re
import urllib.error
import urllib.request

import servers


class Http:
    """A listener that is there, or comes soon."""

    def __init__(self, port, token=None):
        servers.wait_until(lambda: servers.accepts(port), 30, "HTTP is served")
        self.port, self.token = port, token

    def ask(self, path, data=None, **headers):
        """Status, body and headers."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(), refused.headers

    def json(self, path):
        status, body, _ = self.ask(path)
        assert status == 200, body
        return json.loads(body)

    def state(self):
        return self.json("/api/v1/state")

    def samples(self):
        """name -> [(labels, value)]"""
        status, body, _ = self.ask("/metrics")
        assert status == 200, body
        found = {}
        for line in body.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            pairs = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
            found.setdefault(name, []).append((pairs, float(value)))
        return found

    def total(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(value for pairs, value in self.samples().get(name, [])
                   if all(pairs.get(k) == v for k, v in labels.items()))


def listen(**more):
    """The [listen] table for servers.Sluice, and the port of its HTTP."""
    port = servers.free_port()
    lines = [f'http = "127.0.0.1:{port}"', *[f'{k} = {v}' for k, v in more.items()]]
    return '[listen]\npostgres = ["127.0.0.1:{port}"]\n' + "\n".join(lines) + "\n", port
