"""Servers of PostgreSQL and Redis, as Debian packages them: started, killed, frozen and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import redis

from demo.child_process import ChildProcess, find_free_port

_INSTALLED = Path("/usr/lib/postgresql")
# Who runs PostgreSQL where we are root, which it refuses to be.
_NOBODY = "nobody"
_START_S = 60.0


class NotInstalled(Exception):
    """A server that tests need is not on this machine; says what to install."""


class _Server:
    """One server in a folder of its own, at a port that stays the same."""

    def __init__(self, name, command, folder):
        self.port = self.port if hasattr(self, "port") else find_free_port()
        self.folder = folder
        self.child = ChildProcess(name, command, environment={"LC_ALL": "C"}, folder=folder)

    def start(self):
        """Returns once it answers."""
        deadline = time.monotonic() + _START_S
        while True:
            self.child.start()
            with contextlib.suppress(Exception):
                self.child.wait_until(self.answers, timeout_s=max(deadline - time.monotonic(), 1.0))
                return self
            # after a kill, what it shared with its children may be there until they have noticed
            self.child.kill()
            if time.monotonic() > deadline:
                raise TimeoutError(self.child.describe_log())
            time.sleep(0.2)

    def kill(self):
        """What `kill -9` of all its processes leaves."""
        for pid in self._processes():
            _signal(pid, signal.SIGKILL)
        self.child.kill()

    def freeze(self):
        """Nothing of it runs until `thaw`; who connects waits."""
        for pid in self._processes():
            _signal(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self._processes():
            _signal(pid, signal.SIGCONT)

    def stop(self):
        self.thaw()
        self.child.stop()

    def _processes(self):
        """Itself and its children, the parent first, so that it starts no others meanwhile."""
        if not self.child.is_running:
            return []
        return [self.child.pid, *_children(self.child.pid)]


class PostgresServer(_Server):
    """PostgreSQL with one user and no password."""

    def __init__(self):
        self.port = find_free_port()
        binaries = _find_postgres()
        # not below a folder that only root may enter
        folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
        data = folder / "data"
        as_somebody = []
        if os.getuid() == 0:
            shutil.chown(folder, _NOBODY)
            as_somebody = ["setpriv", "--reuid", _NOBODY, "--regid", "nogroup", "--clear-groups"]
        made = [binaries / "initdb", "--pgdata", data, "--username", "nextlabel", "--auth", "trust"]
        subprocess.run([*as_somebody, *made, "--no-sync"], check=True, capture_output=True)
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
        set_options = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        super().__init__("postgres", [*as_somebody, binaries / "postgres", "-D", data, *set_options], folder)

    def url(self, database="postgres"):
        """As DATABASE_URL wants it."""
        return f"postgresql+psycopg://nextlabel@127.0.0.1:{self.port}/{database}"

    def make_database(self, name):
        """The address of an empty database."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def connect(self, database="postgres"):
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="nextlabel",
            dbname=database,
            autocommit=True,
            connect_timeout=2,
        )

    def answers(self):
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def remove(self):
        """Ends it and takes its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class RedisServer(_Server):
    """Redis that keeps nothing on disk: started anew it is empty."""

    def __init__(self, folder):
        self.port = find_free_port()
        if shutil.which("redis-server") is None:
            raise NotInstalled("needs Redis: make servers")
        kept = ["--save", "", "--appendonly", "no"]
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", *kept]
        super().__init__("redis", command, folder)

    @property
    def url(self):
        """As REDIS_URL wants it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self):
        try:
            with redis.Redis(port=self.port, socket_timeout=2) as client:
                return client.ping()
        except redis.RedisError:
            return False


def _find_postgres():
    """The folder of the newest version's programs. Raises NotInstalled."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if (path := shutil.which("initdb")) and shutil.which("postgres"):
        return Path(path).parent
    raise NotInstalled("needs PostgreSQL: make servers")


def _children(pid):
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _signal(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
