"""What the tests run: a temporary PostgreSQL 15 cluster, and Sluice in front of it."""
import contextlib
import dataclasses
import os
import pathlib
import pwd
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PG_BIN = pathlib.Path(os.environ.get("SLUICE_PG_BIN", "/usr/lib/postgresql/15/bin"))
BINARY = os.environ.get("SLUICE_BINARY", str(ROOT / "build/release/sluice"))
DIRECT = os.environ.get("SLUICE_TEST_DIRECT") == "1"
PASSWORD = "alice secret"
POOL_SIZE = 4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def short_folder():
    """A temporary folder whose name leaves room for Unix socket paths (108 bytes)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sl-", dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(condition, seconds=60, what="the condition"):
    """Returns the first true value of condition(); fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def slowness():
    """How many times slower this machine is now than the one where limits in seconds were set: at
    least 1. SLUICE_TEST_SLOW is for programs that are slow themselves (sanitizers)."""
    def piece():
        begun, n = time.perf_counter(), 0
        for i in range(200_000):
            n += i * i % 7
        return time.perf_counter() - begun
    machine = statistics.median(piece() for _ in range(5)) / 0.03
    return max(1.0, machine) * float(os.environ.get("SLUICE_TEST_SLOW", "1"))


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@dataclasses.dataclass
class Target:
    """Where a test connects."""
    name: str
    port: int
    database: str
    user: str
    password: str
    host: str = "127.0.0.1"

    @property
    def sqlite(self):
        return self.name == "sluice-sqlite"

    @property
    def pooled(self):
        return self.name == "sluice-pg"

    def url(self, scheme="postgresql", **options):
        password = urllib.parse.quote(self.password)
        query = "?" + urllib.parse.urlencode(options) if options else ""
        return f"{scheme}://{self.user}:{password}@{self.host}:{self.port}/{self.database}{query}"

    def dsn(self, **options):
        words = {"host": self.host, "port": self.port, "dbname": self.database, "user": self.user,
                 "password": self.password, "sslmode": "disable", "connect_timeout": 60, **options}
        return " ".join(f"{k}='{v}'" for k, v in words.items())

    def environment(self):
        return {**os.environ, "PGHOST": self.host, "PGPORT": str(self.port),
                "PGDATABASE": self.database, "PGUSER": self.user, "PGPASSWORD": self.password,
                "PGSSLMODE": "disable", "PGCONNECT_TIMEOUT": "60", "LC_ALL": "C.UTF-8"}

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


@contextlib.contextmanager
def clients(target, count, **options):
    """`count` connections that commit by themselves."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(target.dsn(**options), autocommit=True))
               for _ in range(count)]


def value(connection, statement, *parameters):
    """The first column of the first row."""
    return connection.execute(statement, parameters or None).fetchone()[0]


class Cluster:
    """PostgreSQL on a free loopback port and a Unix socket in its folder; trusts its superuser."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None

    def command(self, *words):
        if self.owner:
            return ["setpriv", f"--reuid={self.owner.pw_uid}", f"--regid={self.owner.pw_gid}",
                    "--clear-groups", *words]
        return list(words)

    def __enter__(self):
        self.folder.mkdir()
        if self.owner:
            os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        data = self.folder / "data"
        subprocess.run(self.command(PG_BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust",
                                    "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
                       check=True, capture_output=True, cwd=self.folder, timeout=120)
        (data / "pg_hba.conf").write_text(
            "local all all trust\n"
            "host all postgres 127.0.0.1/32 trust\n"
            "host all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self.sql(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE other_role;"
                 "GRANT other_role TO alice; GRANT pg_read_all_stats TO alice;"
                 "GRANT pg_signal_backend TO alice", database="postgres")
        self.sql("CREATE DATABASE app OWNER alice", database="postgres")
        return self

    def start(self):
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "fsync": "off",
                    "unix_socket_directories": self.folder, "max_connections": 150,
                    "shared_buffers": "64MB", "full_page_writes": "off",
                    "log_line_prefix": "%m [%p] %u@%d ", "max_prepared_transactions": 0}
        words = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            self.command(PG_BIN / "postgres", "-D", self.folder / "data", *words),
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.folder)
        wait_until(lambda: self.process.poll() is not None or subprocess.run(
            [PG_BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0,
            what="PostgreSQL accepts connections")
        assert self.process.poll() is None, (self.folder / "server.log").read_text()

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)
        self.log.close()

    def processes(self):
        """The server's, by number."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]

    @contextlib.contextmanager
    def paused(self):
        """Every process of the server stands still: a network that swallows all."""
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def __exit__(self, *_):
        self.stop()

    def sql(self, text, database="app"):
        """Runs SQL as the superuser, not through the gateway; the last result's lines of text."""
        done = subprocess.run([PG_BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                               "-p", str(self.port), "-U", "postgres", "-d", database, "-c", text],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def url(self, database="app", user="alice"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


def table(cluster, name, pool="", more="", database="app"):
    """[databases.name] of one of the cluster's databases; mariadb.database() is the same of MariaDB."""
    return f"""
[databases.{name}]
engine = "postgres"
url = "{cluster.url(database)}"
password = "{PASSWORD}"
pool = {{ {pool} }}
{more}"""


def file_table(name, file, more=""):
    return f"""
[databases.{name}]
engine = "sqlite"
file = "{file}"
{more}"""


ALICE = f'[users.alice]\npassword = "{PASSWORD}"\n'


def shared_config(cluster):
    return f"""
[databases.app]
engine = "postgres"
url = "{cluster.url()}"
password = "{PASSWORD}"
pool = {{ mode = "transaction", size = {POOL_SIZE} }}

[databases.app_session]
engine = "postgres"
url = "{cluster.url()}"
password = "{PASSWORD}"
pool = {{ mode = "session", size = 20 }}

[databases.app_statement]
engine = "postgres"
url = "{cluster.url()}"
password = "{PASSWORD}"
pool = {{ mode = "statement", size = 2 }}

[databases.one]
engine = "postgres"
url = "{cluster.url()}"
password = "{PASSWORD}"
pool = {{ mode = "transaction", size = 1 }}

[databases.lite]
engine = "sqlite"
file = "lite.db"

[users.alice]
password = "{PASSWORD}"
"""


class Sluice:
    """The gateway under test. Leaving the block stops it with SIGTERM and looks at what it left."""

    def __init__(self, folder, config, listen=None, secrets=(PASSWORD,), exit_code=0):
        self.folder = folder
        self.config = config
        self.listen = listen
        self.secrets = secrets
        self.exit_code = exit_code
        self.port = free_port()

    def write(self, config):
        listen = self.listen or f'[listen]\npostgres = ["127.0.0.1:{self.port}"]\n'
        timeout = "" if "[gateway]" in config else '[gateway]\ndrain_timeout = "2s"\n'
        (self.folder / "sluice.toml").write_text(timeout + listen.format(
            port=self.port, folder=self.folder) + config)

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        self.write(self.config)
        self.log_file = self.folder / "log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([BINARY, "--config", self.folder / "sluice.toml"],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or accepts(self.port),
                   what="Sluice accepts connections")
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_file.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("Sluice did not stop within 60 s of the signal:\n"
                                 + self.log()[-3000:]) from None

    def __exit__(self, *_):
        status = self.stop()
        assert status == self.exit_code, f"exit status {status}:\n{self.log()[-3000:]}"
        for secret in self.secrets:
            assert secret not in self.log(), "a password is in the log"
