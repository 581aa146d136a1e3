"""Runs gunicorn inside `python -m backend serve`."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

# One process, so that the encoder is in memory once; torch and SQLite let the threads run side by side.
_THREADS = 8


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from backend.wsgi import app

        return app


def serve_http(*, host: str, port: int) -> None:
    """Serves until the process is told to stop."""
    # 120 s: a /predict of 10,000 tasks may take as long as Label Studio waits for it
    options = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": _THREADS,
        "timeout": 120,
        "graceful_timeout": 10,
        "proc_name": "nextlabel",
        "control_socket_disable": True,
    }
    _Server(options).run()
