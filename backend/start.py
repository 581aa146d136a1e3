"""`start`: the web process and the worker as children, their lines in one stream, both stopped together."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from backend.errors import NextlabelError
from backend.json_lines import json_line
from backend.settings import LogFormat, Settings

_POLL_S = 0.2
_STOP_S = 25.0  # gunicorn lets requests end for 10 seconds, a worker its loop for 20
_QUICK_S = 30.0  # a child that lived for less is started again after a pause
_PAUSES_S = (0.0, 1.0, 5.0, 30.0)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the web process listens."""

    host: str
    port: int

    @property
    def from_here(self) -> str:
        """The host by which this machine reaches it."""
        return _EVERYWHERE.get(self.host, self.host)

    @property
    def link(self) -> str:
        """What a browser on this machine opens."""
        name = "localhost" if self.from_here in ("127.0.0.1", "::1") else self.from_here
        return f"http://{name}:{self.port}"

    def answers(self) -> bool:
        """Whether the web process is up."""
        connection = http.client.HTTPConnection(self.from_here, self.port, timeout=2.0)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Child:
    """One of our own commands in a process of its own; its lines go on under its name."""

    def __init__(self, name: str, arguments: Sequence[str], *, stream: Stream) -> None:
        self.name = name
        self._arguments = arguments
        self._stream = stream
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._started_at = 0.0
        self._quick_ends = 0
        self._due_at = 0.0

    def start(self) -> None:
        """Starts it, in a group of its own: Ctrl-C reaches us alone, and we stop both in order."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backend", *self._arguments],
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._started_at, self._due_at = time.monotonic(), 0.0
        self._reader = threading.Thread(target=self._pass_on, args=[self._process.stdout], daemon=True)
        self._reader.start()

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def keep_alive(self) -> None:
        """Starts it again when it has ended; the sooner it ends, the longer we wait."""
        if self.status is None:
            return
        now = time.monotonic()
        if not self._due_at:
            is_quick = now - self._started_at < _QUICK_S
            self._quick_ends = self._quick_ends + 1 if is_quick else 0
            pause_s = _PAUSES_S[min(self._quick_ends, len(_PAUSES_S) - 1)]
            self._due_at = now + pause_s
            self._stream.say(f"{self.name} has ended ({_how(self.status)}); it is started again")
        if now >= self._due_at:
            self.start()

    def ask_to_stop(self) -> None:
        """Tells it to finish what it has begun."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, *, until: float) -> None:
        """Waits for its end, and insists when it does not come in time."""
        if self._process is None or self._reader is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(1.0)

    def _pass_on(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._stream.say(line.rstrip("\n"), name=self.name)


class Stream:
    """Lines of both children and our own, each whole, under the name of who says it.

    In JSON, what is an object already goes on as it is, and all else becomes one.
    """

    def __init__(self, style: LogFormat = "text") -> None:
        self._style = style
        self._lock = threading.Lock()

    def say(self, line: str, *, name: str = "start") -> None:
        """Prints one line."""
        shown = f"{name:<6} | {line}"
        if self._style == "json":
            shown = line if line.startswith("{") else json_line(line, module=name)
        with self._lock:
            sys.stdout.write(f"{shown}\n")
            sys.stdout.flush()


def run_both(address: Address, settings: Settings, *, without_login: bool = False) -> int:
    """Runs the web process and the worker until Ctrl-C or SIGTERM; returns the exit status.

    A child that ends later is started again; one that does not come up at all ends everything, with status 1.
    `without_login` is handed on to the web process, which refuses addresses that others reach without it.
    """
    stream = Stream(settings.log_format)
    where = ["--host", address.host, "--port", str(address.port)]
    where += ["--without-login"] if without_login else []
    children = [
        Child("web", ["serve", *where], stream=stream),
        Child("worker", ["worker"], stream=stream),
    ]
    with _told_to_stop() as stop:
        try:
            for child in children:
                child.start()
            if not _come_up(address, children, stop):
                return 0 if stop.is_set() else 1
            for line in _welcome(address, settings):
                stream.say(line)
            _try_token(settings, stream)
            while not stop.wait(_POLL_S):
                for child in children:
                    child.keep_alive()
            stream.say("stopping")
            return 0
        finally:
            for child in children:
                child.ask_to_stop()
            until = time.monotonic() + _STOP_S
            for child in children:
                child.wait(until=until)


def _come_up(address: Address, children: Sequence[Child], stop: threading.Event) -> bool:
    while not stop.wait(_POLL_S):
        if any(child.status is not None for child in children):
            return False
        if address.answers():
            return True
    return False


def _welcome(address: Address, settings: Settings) -> Iterator[str]:
    yield f"open {address.link}, then: nextlabel connect 1  (1: the number in the address of your project)"
    if not settings.label_studio_api_key.get_secret_value():
        yield "LABEL_STUDIO_API_KEY is not set: copy a token from Label Studio, Account & Settings, into .env"
    named = urlsplit(settings.backend_url)
    if named.hostname in ("localhost", "127.0.0.1") and named.port != address.port:
        yield (
            f"BACKEND_URL is {settings.backend_url}, where this one does not listen: "
            f"set BACKEND_URL={address.link} before you connect"
        )


def _try_token(settings: Settings, stream: Stream) -> None:
    """Says what is wrong with the token or the way to Label Studio; it may try for a while."""

    def say_fault() -> None:
        if fault := token_fault(settings):
            stream.say(fault)

    if settings.label_studio_api_key.get_secret_value():
        threading.Thread(target=say_fault, daemon=True).start()


def token_fault(settings: Settings) -> str:
    """Why Label Studio does not know us, and the cure; empty where it does."""
    from backend.label_studio.client import LabelStudio  # its HTTP library is no business of the children

    token = settings.label_studio_api_key.get_secret_value()
    try:
        with closing(LabelStudio(settings.label_studio_url, token)) as remote:
            remote.whoami()
    except NextlabelError as error:
        return f"{error.with_hint} (A changed .env counts from the next start on.)"
    return ""


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set once somebody asks us to end; a second Ctrl-C changes nothing."""
    stop = threading.Event()
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in kept:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return signal.Signals(-status).name
    return f"status {status}"
