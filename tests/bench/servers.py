"""Temporary servers: a PostgreSQL cluster, PgBouncer and Sluice, on loopback, gone with the block.

Each is a context manager. PostgreSQL and PgBouncer refuse to run as root: they are started as the
user `postgres` (or `nobody`) then. Processes are ended by their own pid.
"""
import base64
import getpass
import hashlib
import hmac
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER, PASSWORD, DATABASE = "bench", "bench-secret", "bench"
# The same with a verifier of one iteration: 500 clients of pgbench log in without minutes of PBKDF2.
CROWD = "crowd"


def verifier(password, iterations):
    salt = b"of no secrecy   "
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt, stored, server = (base64.b64encode(each).decode() for each in (salt, stored, server))
    return f"SCRAM-SHA-256${iterations}:{salt}${stored}:{server}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged():
    """Arguments for Popen: who runs what must not be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("no user 'postgres' or 'nobody' to run the servers as")


def unprivileged_name():
    who = unprivileged()
    return pwd.getpwuid(who["user"]).pw_name if who else getpass.getuser()


def pg_binary(name):
    for folder in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} not found: install PostgreSQL")
    return found


def wait_for_port(port, process, seconds=20, host="127.0.0.1"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def end(process, how=signal.SIGTERM, seconds=15):
    """Ends one process of ours and returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


class Folder:
    """A temporary folder that the unprivileged user may write."""

    def __init__(self, prefix):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        who = unprivileged()
        if who:
            os.chown(self.path, who["user"], who["group"])
        self.path.chmod(0o755)

    def write(self, name, text, mode=0o600):
        path = self.path / name
        path.write_text(text)
        path.chmod(mode)
        who = unprivileged()
        if who:
            os.chown(path, who["user"], who["group"])
        return path

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Cluster:
    """PostgreSQL with user and database `bench`; SCRAM over TCP, trust for `postgres` locally."""

    def __init__(self, max_connections=700, settings=None):
        self.folder = Folder("cluster-")
        self.data = self.folder.path / "data"
        self.port = free_port()
        self.host = "127.0.0.1"
        self.process = None
        self.settings = {
            "listen_addresses": "'127.0.0.1'", "port": self.port,
            "unix_socket_directories": f"'{self.folder.path}'",
            "max_connections": max_connections, "shared_buffers": "'256MB'", "fsync": "off",
            "full_page_writes": "off", "synchronous_commit": "off", "jit": "off",
            "autovacuum": "off", "max_wal_size": "'4GB'", "logging_collector": "off",
            **(settings or {}),
        }

    def __enter__(self):
        try:
            self._create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _create(self):
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in self.settings.items())
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self.sql(f"create user {USER} password '{PASSWORD}'", database="postgres")
        self.sql(f"create user {CROWD} password '{verifier(PASSWORD, 1)}' in role {USER}",
                 database="postgres")
        self.sql(f"create database {DATABASE} owner {USER}", database="postgres")
        self.sql(f"grant pg_signal_backend to {USER}", database="postgres")
        self.verifier = self.sql(f"select rolpassword from pg_authid where rolname='{USER}'")

    def _run(self, binary, *arguments):
        done = subprocess.run([pg_binary(binary), *arguments], capture_output=True, text=True,
                              cwd=self.folder.path, **unprivileged())
        if done.returncode:
            raise RuntimeError(f"{binary} failed: {done.stderr}")
        return done.stdout

    def start(self):
        log = open(self.folder.path / "log", "ab")
        self.process = subprocess.Popen([pg_binary("postgres"), "-D", str(self.data)],
                                        stdout=log, stderr=log, cwd=self.folder.path,
                                        start_new_session=True, **unprivileged())
        log.close()
        deadline = time.monotonic() + 30
        while True:
            ready = subprocess.run([pg_binary("pg_isready"), "-h", str(self.folder.path),
                                    "-p", str(self.port)], capture_output=True)
            if ready.returncode == 0:
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start:\n"
                                   + (self.folder.path / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast shutdown (clients are told), SIGQUIT: immediate."""
        return end(self.process, how, 30)

    def restart(self, how=signal.SIGINT):
        self.stop(how)
        self.start()

    def sql(self, text, database=DATABASE, user="postgres"):
        """One statement as superuser, past every proxy; the first column of the first row."""
        done = subprocess.run(
            [pg_binary("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder.path),
             "-p", str(self.port), "-U", user, "-d", database, "-c", text],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout.strip()

    def __exit__(self, *_):
        if self.process:
            # A paused server could not obey.
            self.signal_all(signal.SIGCONT)
            self.stop()
        self.folder.remove()

    def backend_pids(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def signal_all(self, which):
        """To the server and each of its children: SIGSTOP is a network that has stalled."""
        if self.process.poll() is not None:
            return
        for pid in [self.process.pid, *self.backend_pids()]:
            try:
                os.kill(pid, which)
            except ProcessLookupError:
                pass


class PgBouncer:
    """Transaction mode; the database `session` is the same server in session mode."""

    name = "pgbouncer"

    def __init__(self, cluster, size=20):
        self.cluster, self.size = cluster, size
        self.folder, self.port, self.process = Folder("pgbouncer-"), free_port(), None

    def __enter__(self):
        self.folder.write("users.txt", f'"{USER}" "{self.cluster.verifier}"\n'
                          f'"{CROWD}" "{verifier(PASSWORD, 1)}"\n')
        # It logs in to the server with the keys of whoever logged in to it last: each user needs
        # a database of its own.
        target = f"host=127.0.0.1 port={self.cluster.port} dbname={DATABASE} password={PASSWORD}"
        ini = self.folder.write("pgbouncer.ini", f"""[databases]
{DATABASE} = {target} user={USER}
{CROWD} = {target} user={CROWD}
session = {target} user={CROWD} pool_mode=session
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.folder.path}/users.txt
pool_mode = transaction
default_pool_size = {self.size}
max_client_conn = 8000
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
log_stats = 0
listen_backlog = 1024
""")
        log = open(self.folder.path / "log", "ab")
        # Debian keeps it in sbin, which is not in everybody's PATH.
        binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.process = subprocess.Popen([binary, str(ini)], stdout=log, stderr=log,
                                        cwd=self.folder.path, **unprivileged())
        log.close()
        wait_for_port(self.port, self.process)
        return self

    @property
    def pid(self):
        return self.process.pid

    def __exit__(self, *_):
        end(self.process, signal.SIGQUIT)
        self.folder.remove()


class Sluice:
    """One or more workers before the cluster. `extra` is TOML appended to the configuration."""

    name = "sluice"

    def __init__(self, cluster, size=20, workers=1, mode="transaction", binary=None, pool="",
                 gateway="", extra="", password=PASSWORD, backend_port=None):
        self.cluster, self.binary = cluster, str(binary or sluice_binary())
        self.folder, self.port, self.process = Folder("sluice-"), free_port(), None
        backend_port = backend_port or cluster.port
        url = f"postgresql://{USER}@127.0.0.1:{backend_port}/{DATABASE}"
        pool = f", {pool}" if pool else ""
        self.config = f"""[gateway]
workers = {workers}
{gateway}
[listen]
postgres = ["127.0.0.1:{self.port}"]
[auth]
method = "password"
[databases.{DATABASE}]
engine = "postgres"
url = "{url}"
password = "{password}"
pool = {{ mode = "{mode}", size = {size}{pool} }}
[users.{USER}]
password = "{cluster.verifier}"
[users.{CROWD}]
password = "{verifier(PASSWORD, 1)}"
{extra}
"""

    def __enter__(self):
        self.start()
        return self

    def start(self, wait=True, **popen):
        path = self.folder.write("sluice.toml", self.config)
        log = open(self.folder.path / "log", "ab")
        self.process = subprocess.Popen([self.binary, "--config", str(path)], stdout=log,
                                        stderr=log, cwd=self.folder.path, **popen)
        log.close()
        if wait:
            try:
                wait_for_port(self.port, self.process)
            except RuntimeError as failed:
                raise RuntimeError(f"{failed}\n{self.log()[-4000:]}") from None

    def log(self):
        path = self.folder.path / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self):
        return self.process.pid

    def stop(self, how=signal.SIGTERM, seconds=15):
        return end(self.process, how, seconds)

    def __exit__(self, *_):
        if self.process:
            end(self.process, signal.SIGINT)
        self.folder.remove()


def sluice_binary():
    return os.environ.get("SLUICE_BINARY") or ROOT / "build" / "release" / "sluice"


class Direct:
    """The cluster itself, where a proxy could stand."""

    name = "direct"
    pid = None

    def __init__(self, cluster):
        self.cluster, self.port = cluster, cluster.port
