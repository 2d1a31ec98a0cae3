"""A temporary MariaDB server, what Sluice is told of it, and what a test connects to."""
import contextlib
import dataclasses
import os
import pwd
import signal
import subprocess
import urllib.parse

import pymysql

import servers
from servers import PASSWORD, POOL_SIZE, free_port, wait_until


class Server:
    """MariaDB on a free loopback port and a Unix socket in its folder; root has no password.

    `alice` owns the databases app, app_two and app_three, of which the shared gateway does not know
    the last; `vera` logs in by ed25519.
    """

    def __init__(self, folder, options=(), certificate=None):
        self.folder, self.options = folder, list(options)
        if certificate:
            self.options += [f"--ssl-cert={certificate}.crt", f"--ssl-key={certificate}.key"]
        self.port, self.process = free_port(), None
        self.owner = pwd.getpwnam("mysql") if os.geteuid() == 0 else None

    @property
    def socket(self):
        return self.folder / "mariadb.sock"

    def command(self, *words):
        if self.owner:
            return ["setpriv", f"--reuid={self.owner.pw_uid}", f"--regid={self.owner.pw_gid}",
                    "--clear-groups", *words]
        return list(words)

    def __enter__(self):
        self.folder.mkdir()
        if self.owner:
            os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        with open(self.folder / "install.log", "wb") as log:
            done = subprocess.run(
                self.command("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data",
                             "--auth-root-authentication-method=normal", "--skip-test-db",
                             "--skip-name-resolve", "--innodb-log-file-size=8M",
                             "--debug-no-sync"),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, timeout=120)
        assert done.returncode == 0, (self.folder / "install.log").read_text()
        self.start()
        self.sql("INSTALL SONAME 'auth_ed25519'", "CREATE DATABASE app", "CREATE DATABASE app_two",
                 "CREATE DATABASE app_three",
                 f"CREATE USER alice IDENTIFIED BY '{PASSWORD}'",
                 f"CREATE USER vera IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')",
                 *[f"GRANT ALL ON {base}.* TO {user}" for base in ("app", "app_two", "app_three")
                   for user in ("alice", "vera")])
        return self

    def start(self):
        options = {
            "datadir": self.folder / "data", "socket": self.socket, "port": self.port,
            "pid-file": self.folder / "pid", "bind-address": "127.0.0.1",
            "character-set-server": "utf8mb4", "max-connections": 200,
            "max-connect-errors": 1000000, "max-allowed-packet": "64M", "tmpdir": self.folder,
            "innodb-buffer-pool-size": "64M", "innodb-log-file-size": "8M",
            "innodb-flush-log-at-trx-commit": 0, "innodb-doublewrite": "OFF",
            "innodb-use-native-aio": "OFF", "innodb-buffer-pool-dump-at-shutdown": "OFF",
            "performance-schema": "OFF"}
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            self.command("mariadbd", "--no-defaults", "--skip-name-resolve", "--debug-no-sync",
                         *[f"--{name}={value}" for name, value in options.items()], *self.options),
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.folder,
            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        wait_until(lambda: self.process.poll() is not None or self.answers(), 60,
                   "MariaDB accepts connections")
        assert self.process.poll() is None, (self.folder / "server.log").read_text()[-3000:]

    def answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.Error:
            return False

    def stop(self, how=signal.SIGTERM):
        """SIGTERM: in order; SIGKILL: as if the power failed."""
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()

    @contextlib.contextmanager
    def paused(self):
        """A network that swallows all."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.stop(signal.SIGKILL)

    def connect(self, **options):
        """As root, not through the gateway."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True,
                               connect_timeout=10, read_timeout=60, **options)

    def sql(self, *statements, database=None):
        """Runs statements as root; the last one's rows."""
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def value(self, statement):
        return self.sql(statement)[0][0]


@dataclasses.dataclass
class Target:
    """Where a test connects."""
    name: str
    port: int
    database: str = "app"
    user: str = "alice"
    password: str = PASSWORD
    host: str = "127.0.0.1"

    @property
    def sqlite(self):
        return self.name == "my-sqlite"

    @property
    def pooled(self):
        return self.name == "my-pool"

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def words(self, **options):
        """PyMySQL's and aiomysql's names."""
        return {"host": self.host, "port": self.port, "user": self.user,
                "password": self.password, "database": self.database, **options}

    def connect(self, **options):
        return pymysql.connect(**self.words(**{"autocommit": True, "connect_timeout": 20,
                                               "read_timeout": 60, **options}))

    def url(self, scheme):
        return (f"{scheme}://{self.user}:{urllib.parse.quote(self.password)}@{self.host}:"
                f"{self.port}/{self.database}")

    def wire(self):
        """mywire.Connection.open's arguments."""
        return self.host, self.port, self.user, self.database, self.password

    def arguments(self):
        """What the programs of MariaDB take; the password goes into MYSQL_PWD."""
        return ["--no-defaults", "--protocol=tcp", f"--host={self.host}", f"--port={self.port}",
                f"--user={self.user}"]

    def environment(self):
        return {**os.environ, "MYSQL_PWD": self.password, "MY_HOST": self.host,
                "MY_PORT": str(self.port), "MY_USER": self.user, "MY_PASSWORD": self.password,
                "MY_DATABASE": self.database, "MY_TARGET": self.name, "LC_ALL": "C.UTF-8"}

    def run(self, program, *arguments, **options):
        """One of MariaDB's programs; its output. Fails with what it said."""
        done = subprocess.run([program, *self.arguments(), *arguments], capture_output=True,
                              text=True, env=self.environment(), timeout=80, **options)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout


def database(server, name, pool, port=None, dbname="app", user="alice", password=PASSWORD):
    return f"""
[databases.{name}]
engine = "mysql"
host = "127.0.0.1"
port = {port or server.port}
user = "{user}"
password = "{password}"
dbname = "{dbname}"
pool = {{ {pool} }}
"""


LISTEN = '[listen]\nmysql = ["127.0.0.1:{port}"]\n'
ALICE = servers.ALICE


def shared_config(server):
    return (database(server, "app", f'mode = "transaction", size = {POOL_SIZE}')
            + database(server, "app_session", 'mode = "session", size = 20')
            + database(server, "one", 'mode = "transaction", size = 1')
            + database(server, "app_two", 'mode = "transaction", size = 1', dbname="app_two")
            + '[databases.lite]\nengine = "sqlite"\nfile = "lite.db"\n'
            + ALICE + 'default_database = "app"\n')


def gateway(folder, config, **options):
    return servers.Sluice(folder, config, listen=LISTEN, **options)
