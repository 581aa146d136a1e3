"""A backend whose commands run in processes that have their imports behind them.

To import the backend takes seconds, more than most commands take. The standard library's fork server imports
it once; each command is still a process of its own, with its own folder and environment. The web process and
the worker are started as people start them.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.processes import BackendProcesses

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "backend.cli",
        "backend.parts",
        "backend.report",
        "backend.app",
        "backend.huey_queue",
        "backend.server",
        "psycopg",
        "backend.workflows.connection.connect",
        "backend.workflows.connection.doctor",
        "backend.workflows.serving.rollback",
        "backend.workflows.work",
        "model.encoders.text",
    ]
)


class Backend(BackendProcesses):
    """The web process, the worker and the commands of one backend."""

    def command_line(self, *arguments, timeout_s=600.0):
        """Run `python -m backend ARGUMENTS` with the same settings; a failure raises nothing."""
        with TemporaryDirectory() as scratch:
            out, errors = Path(scratch, "out"), Path(scratch, "errors")
            code = _wait_for(_start(arguments, self.folder, self.web.environment, out, errors), timeout_s)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), errors.read_text())


def _start(*how):
    process = FORKS.Process(target=_become_the_command, args=how)
    process.start()
    return process


def _wait_for(process, timeout_s):
    """The exit status; raises TimeoutError when the process does not end, and ends it."""
    process.join(timeout_s)
    is_late = process.is_alive()
    if is_late:
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    if is_late:
        raise TimeoutError(f"the command did not end within {timeout_s:.0f} s")
    return code


def _become_the_command(arguments, folder, environment, out, errors):
    """In the forked process: what `python -m backend ARGUMENTS` does in a new one."""
    for path, stream in ((out, sys.stdout), (errors, sys.stderr)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    runpy.run_module("backend", run_name="__main__", alter_sys=True)
