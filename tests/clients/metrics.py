"""Reads what Sluice's HTTP listener says."""
import contextlib
import json
import re
import socket
import threading
import urllib.error
import urllib.request

import servers


class Http:
    """A listener that is there, or comes soon."""

    def __init__(self, port, token=None):
        servers.wait_until(lambda: servers.accepts(port), what="HTTP is served")
        self.port, self.token = port, token

    def ask(self, path, data=None, **headers):
        """Status, body and headers."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
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

    def full(self, **labels):
        """Returns when the gateway keeps bytes that a client does not take, and no buffer has room."""
        seen = []

        def still():
            seen.append(self.total("sluice_tenant_buffered_bytes", **labels))
            return seen[-1] > 0 and len(seen) > 10 and len(set(seen[-10:])) == 1
        servers.wait_until(still, what="bytes are kept")


class Door:
    """A way to a port that counts the bytes which pass, of all who come through it."""

    def __init__(self, port):
        self.to, self.up, self.down = port, 0, 0
        self.lock, self.threads = threading.Lock(), []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for ends in ((client, server, True), (server, client, False)):
                    self.threads.append(threading.Thread(target=self.pump, args=ends))
                    self.threads[-1].start()

    def pump(self, source, sink, up):
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        with self.lock:
            self.up += passed * up
            self.down += passed * (not up)

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for each in (self.thread, *self.threads):
            each.join(60)
            assert not each.is_alive(), "a client has not left"


def listen(**more):
    """The [listen] table for servers.Sluice, and the port of its HTTP."""
    port = servers.free_port()
    lines = [f'http = "127.0.0.1:{port}"', *[f'{k} = {v}' for k, v in more.items()]]
    return '[listen]\npostgres = ["127.0.0.1:{port}"]\n' + "\n".join(lines) + "\n", port
