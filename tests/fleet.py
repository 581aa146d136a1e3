"""Several machines with a web process and a worker each, and no folder in common.

Processes of one machine know of each other's deaths; those of several do not, and that is what is tested: so
each has a name of its own. They are forked from one that has its imports behind it (see `real_backend`).
"""

import os
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress

from demo.child_process import answers, find_free_port
from tests.real_backend import FORKS

BACKEND_URL = "http://backend.test:9090"
_START_S = 90.0
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")


class HostProcess:
    """One process of a machine, and what it starts."""

    def __init__(self, host, arguments):
        self.host, self.arguments = host, arguments
        self.log = host.folder / f"{arguments[0]}.log"
        self._process = None

    @property
    def is_running(self):
        return self._process is not None and self._process.is_alive()

    def start(self):
        self.host.folder.mkdir(parents=True, exist_ok=True)
        how = (self.host.name, self.arguments, self.host.folder, self.host.environment, self.log)
        self._process = FORKS.Process(target=_become, args=how)
        self._process.start()

    def kill(self):
        self._signal(signal.SIGKILL)
        self._process.join()

    def freeze(self):
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def end(self, timeout_s=30.0):
        """As an operator ends it; returns whether it did in time."""
        self._signal(signal.SIGTERM)
        self._process.join(timeout_s)
        return not self._process.is_alive()

    def said(self):
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _signal(self, number):
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class Host:
    """One machine: its name, its data folder, its two processes."""

    def __init__(self, name, folder, settings):
        self.name, self.folder = name, folder / name
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        usual = {"BACKEND_URL": BACKEND_URL, "TEXT_ENCODER": "hashing", "OMP_NUM_THREADS": "1"}
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        self.environment = kept | usual | {"DATA_DIR": str(self.folder / "data")} | settings
        self.web = HostProcess(self, ("serve", "--port", str(self.port)))
        self.worker = HostProcess(self, ("worker",))

    @property
    def processes(self):
        return self.web, self.worker

    def is_ready(self):
        return answers(f"{self.url}/readyz")

    def wait_until_ready(self):
        deadline = time.monotonic() + _START_S
        while not self.is_ready():
            if not self.web.is_running or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} does not answer:\n{self.web.said()}")
            time.sleep(0.1)

    def command(self, *arguments, timeout_s=90.0):
        """A command of this machine; returns its exit status and what it said."""
        process = HostProcess(self, arguments)
        process.start()
        process._process.join(timeout_s)
        return process._process.exitcode, process.said()

    def kill(self):
        for process in self.processes:
            if process.is_running:
                process.kill()


def _become(name, arguments, folder, environment, log):
    """In the forked process: what `python -m backend ARGUMENTS` does on a machine of that name."""
    os.setsid()
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    socket.gethostname = lambda: name
    sys.argv[1:] = arguments
    runpy.run_module("backend", run_name="__main__", alter_sys=True)
