"""Temporary MariaDB, HAProxy in TCP mode and Sluice with a MySQL listener; gone with the block."""
import os
import shutil
import signal
import subprocess

import servers
from servers import DATABASE, PASSWORD, USER, Folder, free_port, unprivileged


def program(name):
    found = shutil.which(name) or f"/usr/sbin/{name}"  # Debian's place, not in everybody's PATH
    if not os.path.exists(found):
        raise RuntimeError(f"{name} not found: see deploy/install --bench")
    return found


class MariaDB:
    """The user and the database `bench`; root without a password on the Unix socket."""

    def __init__(self, max_connections=3500):
        self.folder, self.port, self.process = Folder("mariadb-"), free_port(), None
        self.max_connections = max_connections
        self.socket = self.folder.path / "socket"

    def __enter__(self):
        try:
            self._create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _create(self):
        log = open(self.folder.path / "log", "ab")
        common = ["--no-defaults", f"--datadir={self.folder.path}/data", "--skip-name-resolve",
                  "--debug-no-sync", "--innodb-log-file-size=64M"]
        done = subprocess.run(
            [program("mariadb-install-db"), *common, "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            stdout=log, stderr=log, cwd=self.folder.path, **unprivileged())
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{self.log()}")
        self.process = subprocess.Popen(
            [program("mariadbd"), *common, f"--port={self.port}", f"--socket={self.socket}",
             f"--pid-file={self.folder.path}/pid", "--bind-address=127.0.0.1",
             f"--max-connections={self.max_connections}", "--back-log=1024",
             "--performance-schema=OFF", "--innodb-buffer-pool-size=256M",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF",
             "--innodb-use-native-aio=OFF", "--max-allowed-packet=64M"],
            stdout=log, stderr=log, cwd=self.folder.path, **unprivileged())
        log.close()
        servers.wait_for_port(self.port, self.process, 60)
        self.sql(f"CREATE DATABASE {DATABASE}; CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'; "
                 f"GRANT ALL ON {DATABASE}.* TO {USER}")

    def log(self):
        return (self.folder.path / "log").read_text(errors="replace")[-3000:]

    def sql(self, text):
        done = subprocess.run(
            [program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root",
             "--batch", "--skip-column-names", f"--execute={text}"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb: {done.stderr}")
        return done.stdout.strip()

    def __exit__(self, *_):
        if self.process:
            servers.end(self.process, signal.SIGKILL)
        self.folder.remove()


class HAProxy:
    """One thread that forwards TCP: the floor of any proxy. No pooling, no protocol."""

    name = "haproxy"

    def __init__(self, server):
        self.server = server
        self.folder, self.port, self.process = Folder("haproxy-"), free_port(), None

    def __enter__(self):
        path = self.folder.write("haproxy.cfg", f"""global
    maxconn 8000
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen mysql
    bind 127.0.0.1:{self.port}
    server mariadb 127.0.0.1:{self.server.port}
""")
        log = open(self.folder.path / "log", "ab")
        self.process = subprocess.Popen([program("haproxy"), "-db", "-f", str(path)], stdout=log,
                                        stderr=log, cwd=self.folder.path, **unprivileged())
        log.close()
        servers.wait_for_port(self.port, self.process)
        return self

    @property
    def pid(self):
        return self.process.pid

    def __exit__(self, *_):
        servers.end(self.process)
        self.folder.remove()


class Sluice(servers.Sluice):
    """Relays MySQL; the life of the process is the base's."""

    def __init__(self, server, size, workers=1):
        self.binary = str(servers.sluice_binary())
        self.folder, self.port, self.process = Folder("sluice-"), free_port(), None
        self.config = f"""[gateway]
workers = {workers}
[listen]
mysql = ["127.0.0.1:{self.port}"]
[auth]
method = "password"
[databases.{DATABASE}]
engine = "mysql"
host = "127.0.0.1"
port = {server.port}
user = "{USER}"
password = "{PASSWORD}"
dbname = "{DATABASE}"
pool = {{ mode = "transaction", size = {size} }}
[users.{USER}]
password = "{PASSWORD}"
"""


class Direct:
    name, pid = "direct", None

    def __init__(self, server):
        self.port = server.port
