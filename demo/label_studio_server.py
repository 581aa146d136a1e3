"""Runs a real Label Studio: another virtual environment, its own data folder, no calls to the outside."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import httpx
from filelock import FileLock

from demo.child_process import ChildProcess, ProgramError, answers, find_free_port

LABEL_STUDIO_VERSION = "1.23.2"
ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PYTHON = ROOT / ".venv-label-studio" / "bin" / "python"
TEMPLATE_FOLDER = ROOT / ".cache" / f"label-studio-template-{LABEL_STUDIO_VERSION}"
MIGRATION_TIMEOUT_S = 600.0
START_TIMEOUT_S = 180.0

NO_OUTSIDE_CALLS = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
    "FEATURE_FLAGS_OFFLINE": "true",
}


class LabelStudioServer:
    """One running Label Studio with one user, on a free port of 127.0.0.1.

    `ssrf_protection=True` leaves Label Studio's block of local addresses on, as it is by default: it then
    refuses a backend on this machine. `legacy_tokens=False` leaves legacy tokens refused, also its default.
    """

    def __init__(
        self,
        folder: Path,
        *,
        python: Path | None = None,
        port: int | None = None,
        ssrf_protection: bool = False,
        legacy_tokens: bool = True,
    ) -> None:
        self.email = "admin@example.com"
        self.password = "nextlabel-demo"
        self.token = secrets.token_hex(20)
        self.port = port or find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.python = python or Path(os.environ.get("LABEL_STUDIO_PYTHON", DEFAULT_PYTHON))
        self.child = ChildProcess(
            "Label Studio",
            self._command(legacy_tokens=legacy_tokens),
            environment=_environment(folder / "data") | _network_rules(ssrf_protection=ssrf_protection),
            folder=folder,
        )

    @property
    def log_path(self) -> Path:
        """Where everything that Label Studio prints goes."""
        return self.child.log_path

    def start(self) -> None:
        """Start and wait until it answers; raise ProgramError with the end of its log when it does not."""
        require_label_studio(self.python)
        copy_template(self.folder / "data", python=self.python)
        self.child.start()
        try:
            self.child.wait_until(lambda: answers(f"{self.url}/health"), timeout_s=START_TIMEOUT_S)
        except BaseException:
            self.child.stop()
            raise

    def stop(self) -> None:
        """End Label Studio with every process it started; the data folder stays."""
        self.child.stop()

    def connect(self) -> httpx.Client:
        """An HTTP client that acts as the user with the legacy token."""
        headers = {"Authorization": f"Token {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120.0, trust_env=False)

    def __enter__(self) -> LabelStudioServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self, *, legacy_tokens: bool) -> list[str | Path]:
        command: list[str | Path] = [self.python, "-m", "label_studio.server", "start", "--no-browser"]
        command += ["--internal-host", "127.0.0.1", "--port", str(self.port)]
        command += ["--username", self.email, "--password", self.password, "--user-token", self.token]
        return [*command, "--enable-legacy-api-token"] if legacy_tokens else command


def require_label_studio(python: Path) -> None:
    """Raise ProgramError, with the cure, unless Label Studio's virtual environment is there."""
    if not python.exists():
        raise ProgramError(f"Label Studio is not installed: {python} does not exist. Run: make label-studio")


def copy_template(data_folder: Path, *, python: Path) -> None:
    """Fill an empty `data_folder` with a migrated database; a folder that is there already is kept."""
    if data_folder.exists():
        return
    make_template(python)
    shutil.copytree(TEMPLATE_FOLDER, data_folder)


def make_template(python: Path) -> None:
    """Migrate an empty database once (about a minute), so that every later start only copies it."""
    TEMPLATE_FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{TEMPLATE_FOLDER}.lock"):
        if not TEMPLATE_FOLDER.exists():
            _migrate(python)


def _migrate(python: Path) -> None:
    with tempfile.TemporaryDirectory(dir=TEMPLATE_FOLDER.parent) as scratch:
        migrated = Path(scratch) / "data"
        migrated.mkdir()
        # Every Label Studio command migrates first; this one then only prints versions and ends.
        command = [str(python), "-m", "label_studio.server", "version"]
        done = subprocess.run(
            command,
            env=_environment(migrated),
            capture_output=True,
            text=True,
            timeout=MIGRATION_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ProgramError(
                f"Label Studio could not create its database.\n{(done.stdout + done.stderr)[-3000:]}"
            )
        migrated.rename(TEMPLATE_FOLDER)


def _environment(data_folder: Path) -> dict[str, str]:
    paths = {"HOME": str(data_folder), "LABEL_STUDIO_BASE_DATA_DIR": str(data_folder)}
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1"} | NO_OUTSIDE_CALLS | paths


def _network_rules(*, ssrf_protection: bool) -> dict[str, str]:
    return {} if ssrf_protection else {"USE_DEFAULT_BANNED_SUBNETS": "false"}
