"""Runs gunicorn inside `serve`."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from backend.errors import BadRequest

# One process, so that the encoder's is there once; who waits for that or for SQLite lets other threads run.
# More than routes.limits lets in of predictions and pages together: the others are for webhooks and /health.
_THREADS = 64
_LARGEST_PORT = 65535
# A thread waits so long for the next part of a request, or until the next part of an answer is taken.
# gunicorn waits for ever: as many connections as there are threads, each half a request, would be the end.
_LONGEST_SILENCE_S: Final = 20


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, load: Callable[[], Any], options: dict[str, Any]) -> None:
        self._load, self._options = load, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def _load_ours() -> Any:
    from backend.wsgi import app

    return app


class _OurLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's lines among ours and in their format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(sys.exc_info()[1], BlockingIOError):
            self.info("connection given up: silent for %d s", _LONGEST_SILENCE_S)
        else:
            super().exception(msg, *args, **kwargs)


class _Impatient(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gives connections up that fall silent in the middle of a request or of an answer."""

    def enqueue_req(self, conn: TConn) -> None:
        # Read by the kernel, since gunicorn makes the socket blocking again before each request.
        silence = struct.pack("ll", _LONGEST_SILENCE_S, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, silence)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> object:
        goes_on = super().handle(conn)
        if not goes_on:
            # gunicorn's only loop would do it, and hear nobody while it waits up to 2 s for the peer's end
            conn.close(graceful=True)
        return goes_on


def check_address(host: str, port: int) -> None:
    """Raises BadRequest when nobody can listen there now: no such port or host, or somebody else does."""
    if not 1 <= port <= _LARGEST_PORT:
        raise BadRequest(
            f"There is no port {port}: they go from 1 to {_LARGEST_PORT}.",
            hint="Name another with --port, or in PORT.",
        )
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None


def _cannot_listen(host: str, port: int, error: OSError) -> BadRequest:
    if error.errno == errno.EADDRINUSE:
        return BadRequest(
            f"Port {port} of {host} is taken by another program.",
            hint=f"Is Nextlabel running already? Else take another port: --port {port % _LARGEST_PORT + 1}, "
            "and name it in BACKEND_URL.",
        )
    if error.errno == errno.EACCES:
        return BadRequest(
            f"Port {port} of {host} is only for the administrator of this machine.",
            hint="Take one from 1024 on: --port 9090.",
        )
    return BadRequest(
        f"{host} is no address of this machine ({error.strerror}).",
        hint="Name one with --host, or in HOST: 127.0.0.1 for this machine alone, 0.0.0.0 for all networks.",
    )


def serve_http(*, host: str, port: int) -> None:
    """Serves the backend until the process is told to stop."""
    serve_app(_load_ours, host=host, port=port)


def serve_app(load: Callable[[], Any], *, host: str, port: int) -> None:
    """Serves what `load` gives, as the backend is served."""
    # 120 s: a /predict of 10,000 tasks may take as long as Label Studio waits for it
    options = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": _Impatient,
        "threads": _THREADS,
        "timeout": 120,
        "graceful_timeout": 10,
        "proc_name": "nextlabel",
        "logger_class": _OurLog,
        "control_socket_disable": True,
    }
    _Server(load, options).run()
