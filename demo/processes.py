"""Starts this backend as a user would: `python -m backend serve` and `python -m backend worker`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from demo.child_process import ChildProcess, answers, find_free_port

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 90.0


class BackendProcesses:
    """The web process and the worker of one backend, with a data folder of their own.

    They run in `folder`, not in the checkout, so that a developer's `.env` file changes nothing here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        label_studio_url: str,
        api_key: str,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = port or find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "LABEL_STUDIO_URL": label_studio_url,
            "LABEL_STUDIO_API_KEY": api_key,
            "BACKEND_URL": self.url,
            "DATA_DIR": str(folder / "data"),
        } | dict(settings or {})
        self.web = self._child("backend", "serve", "--port", str(self.port))
        self.worker = self._child("worker", "worker")

    def start(self) -> None:
        """Start both and wait for `GET /health`; raise ProgramError with the end of the log when it fails."""
        try:
            self.start_web()
            self.worker.start()
        except BaseException:
            self.stop()
            raise

    def start_web(self) -> None:
        """Start the web process alone and wait until it answers."""
        self.web.start()
        self.web.wait_until(lambda: answers(f"{self.url}/health"), timeout_s=START_TIMEOUT_S)

    def stop(self) -> None:
        """End both with everything they started."""
        self.worker.stop()
        self.web.stop()

    def command_line(self, *arguments: str, timeout_s: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run `python -m backend ARGUMENTS` with the same settings; a failure raises nothing."""
        return subprocess.run(
            [sys.executable, "-m", "backend", *arguments],
            cwd=self.folder,
            env=self.web.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def terminal_environment(self) -> dict[str, str]:
        """The environment for a command whose output goes straight to the user's terminal."""
        shown = {
            key: os.environ[key] for key in ("TERM", "COLUMNS", "NO_COLOR", "COLORTERM") if key in os.environ
        }
        return self.web.environment | shown

    def __enter__(self) -> BackendProcesses:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _child(self, name: str, *arguments: str) -> ChildProcess:
        command = [sys.executable, "-m", "backend", *arguments]
        return ChildProcess(name, command, environment=self.environment, folder=self.folder)
