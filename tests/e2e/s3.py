"""An S3 server on this machine: moto's, in an environment of its own, since its pins are not ours."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from demo.child_process import ChildProcess, answers, find_free_port

MOTO_VERSION = "5.2.5"
WANTED = (f"moto[s3]=={MOTO_VERSION}", "flask", "flask-cors")
ENVIRONMENT = Path(__file__).resolve().parents[2] / ".cache" / f"moto-{MOTO_VERSION}"
KEYS = {"aws_access_key_id": "only-for-tests", "aws_secret_access_key": "only-for-tests"}


def install_moto():
    """The Python that has moto; a test that needs it is skipped, with the reason, where it cannot be had."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / ".installed"
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{ENVIRONMENT}.lock"):
        if not done.exists():
            try:
                _run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT)
                _run(python, "-m", "pip", "install", "--quiet", *WANTED)
            except subprocess.SubprocessError as error:
                pytest.skip(f"moto cannot be installed, so there is no S3 server: {_end_of(error)}")
            done.touch()
    return python


class S3Server:
    """Buckets on a free port of 127.0.0.1, with what was asked of it in its log."""

    def __init__(self, folder):
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [install_moto(), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.child = ChildProcess("S3", command, environment={}, folder=folder)

    def __enter__(self):
        self.child.start()
        self.child.wait_until(lambda: answers(f"{self.url}/moto-api/"), timeout_s=60)
        return self

    def __exit__(self, *_):
        self.child.stop()

    def put(self, bucket, files):
        """A new bucket with these files by name."""
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            client.put(f"/{bucket}").raise_for_status()
            for name, data in files.items():
                client.put(f"/{bucket}/{name}", content=data).raise_for_status()


def _run(*command):
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=300)


def _end_of(error):
    return str(getattr(error, "stderr", "") or error).strip()[-300:]
