"""Starts another program in a process group of its own, and takes the whole group down again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "OMP_NUM_THREADS",
    "HF_HOME",
    "COVERAGE_PROCESS_START",
)
STOP_TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.1


class ProgramError(RuntimeError):
    """A program did not start, or ended when it should not have; the message carries the end of its log."""


class ChildProcess:
    """One program, its environment, its log file and its process group.

    Only a few harmless variables of the caller are handed on, so that nobody's own settings change what runs.
    """

    def __init__(
        self, name: str, command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ} | dict(
            environment
        )
        self.folder = folder
        self.log_path = folder / f"{name.replace(' ', '-').lower()}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """True while the program itself has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the process group."""
        if self._process is None:
            raise ProgramError(f"{self.name} was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the program; its output is appended to `log_path`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Return once `is_ready()`; raise ProgramError when the program ends before or the time is up."""
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.is_running:
                raise ProgramError(f"{self.name} ended before it was ready.\n{self.describe_log()}")
            if time.monotonic() > deadline:
                raise ProgramError(
                    f"{self.name} was not ready after {timeout_s:.0f} s.\n{self.describe_log()}"
                )
            time.sleep(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Ask the whole group to end, insist after a while; harmless when nothing runs."""
        process, self._process = self._process, None
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()

    def describe_log(self, *, lines: int = 30) -> str:
        """The last lines of the log under a heading that says where the whole of it lies."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        tail = "\n".join(text.splitlines()[-lines:])
        return f"The end of {self.log_path}:\n{tail or '(empty)'}"


def find_free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prefer_port(port: int) -> int:
    """`port` if nothing listens there on 127.0.0.1, else a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return find_free_port()
    return port


def answers(url: str) -> bool:
    """True if a GET of `url` is answered with 200."""
    try:
        # it is asked many times a second, and reading the certificates for TLS would cost more than all else
        return httpx.get(url, timeout=2.0, trust_env=False, verify=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
