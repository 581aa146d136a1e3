"""`make image-check`: does what the Dockerfile says in an empty folder, starts it, and tells its size.

There is no engine: a new virtual environment stands for the image's Python, paths like /app and /data lie in
the folder, and what only root of an image can do (`useradd`, `chown`) does nothing. All else is run as it is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.child_process import find_free_port
from demo.waiting import wait_for
from tests.dockerfile import copy_step, read_dockerfile

OURS = re.compile(r"(?<![\w.])/(tmp|app|data|models)\b")
OF_ROOT = ("useradd", "chown")
KEPT = ("HOME", "LANG", "TMPDIR")
MEGABYTE = 1e6


class Image:
    """A folder in which the steps were done so far."""

    def __init__(self, root):
        self.root = root
        self.workdir = root
        self.environment = {
            name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ
        }
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self.environment["PATH"] = f"{root}/stubs:{root}/python/bin:/usr/bin:/bin"

    def begin(self):
        """An empty Python, and commands that do nothing in place of those of root."""
        subprocess.run([sys.executable, "-m", "venv", self.root / "python"], check=True)
        for name in OF_ROOT:
            stub = self.root / "stubs" / name
            stub.parent.mkdir(exist_ok=True)
            stub.write_text("#!/bin/sh\n")
            stub.chmod(0o755)
        (self.root / "tmp").mkdir()

    def do(self, step):
        """One instruction."""
        if step.name == "WORKDIR":
            self.workdir = Path(self.inside(step.text))
            self.workdir.mkdir(parents=True, exist_ok=True)
        elif step.name in ("ENV", "ARG"):
            pairs = (word.partition("=") for word in step.words)
            self.environment |= {name: self.inside(value.strip('"')) for name, _, value in pairs}
        elif step.name == "COPY":
            copy_step(step, self.root, self.workdir)
        elif step.name == "RUN":
            self.run(["bash", "-euc", self.inside(step.text)])

    def inside(self, text):
        """The text with our paths in the folder."""
        return OURS.sub(lambda found: f"{self.root}/{found[1]}", text)

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.workdir, env=self.environment, check=True, **options)

    def size(self, *parts):
        """Bytes in some of its folders."""
        files = (path for part in parts for path in (self.root / part).rglob("*"))
        return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())


def check_that_it_serves(image, steps):
    """Starts the CMD, asks as HEALTHCHECK does, and stops it."""
    (command,) = (step.command for step in steps if step.name == "CMD")
    (health,) = (step.command for step in steps if step.name == "HEALTHCHECK")
    port = find_free_port()
    log_in = {"BASIC_AUTH_USER": "admin", "BASIC_AUTH_PASS": "only-for-this-check"}
    environment = image.environment | log_in | {"PORT": str(port)}
    asking = [part.replace(":9090", f":{port}") for part in health]
    server = subprocess.Popen(command, cwd=image.workdir, env=environment)
    try:
        wait_for(
            lambda: not subprocess.run(asking, env=environment, capture_output=True, check=False).returncode,
            "the image is healthy",
            timeout_s=300.0,
        )
    finally:
        server.terminate()
        server.wait(60)
    if server.returncode:
        raise SystemExit(f"the server ended with {server.returncode}")


def main():
    steps = read_dockerfile()
    with TemporaryDirectory(prefix="nextlabel-image-") as folder:
        image = Image(Path(folder))
        image.begin()
        for step in steps:
            began = time.monotonic()
            image.do(step)
            print(f"{time.monotonic() - began:6.1f} s  {step.name} {step.text[:80]}", flush=True)
        image.run(["python", "-m", "backend", "--help"], stdout=subprocess.DEVNULL)
        began = time.monotonic()
        check_that_it_serves(image, steps)
        print(f"{time.monotonic() - began:6.1f} s  from CMD to healthy and back")
        print(f"{image.size('python') / MEGABYTE:6.0f} MB packages and encoders")
        print(f"{image.size('app') / MEGABYTE:6.1f} MB our code")


if __name__ == "__main__":
    main()
