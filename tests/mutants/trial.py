"""Tries a mutant in a process of its own: the tests that reach it, until one of them fails."""

import importlib
import importlib.util
import os
import resource
import shutil
import signal
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

# Slow to import and never mutated: the processes that we fork need not do it again.
HEAVY = (
    *("flask", "flask_wtf", "httpx", "huey.api", "label_studio_ml.model", "lxml.etree"),
    *("matplotlib.pyplot", "prometheus_client", "pydantic_settings", "scipy.special", "sklearn.linear_model"),
    *("sqlalchemy.orm", "torch", "typer.testing"),
)
SLOWER = 5.0  # times its usual processor time after which a run is taken to hang
DOES_NOT_IMPORT = 10

KILLED, SURVIVED, HANGS, UNCLEAR = "killed", "survived", "hangs", "unclear"


def preload():
    """Imports what every trial needs."""
    for name in HEAVY:
        importlib.import_module(name)


def try_out(mutant, tests, *, seconds, folder):
    """What became of a mutant; the tests usually take `seconds` of processor time."""
    scratch = folder / "scratch"
    limit = int(20 + SLOWER * seconds)
    process = os.fork()
    if not process:
        _run(mutant, tests, limit, scratch)
    status = _wait(process, 10 * limit)
    shutil.rmtree(scratch, ignore_errors=True)
    if os.WIFSIGNALED(status):
        return HANGS
    code = os.WEXITSTATUS(status)
    return {0: SURVIVED, 1: KILLED, 2: KILLED, DOES_NOT_IMPORT: KILLED}.get(code, UNCLEAR)


def _wait(process, limit):
    deadline = time.monotonic() + limit
    while True:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return status
        if time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
        time.sleep(0.05)


def _run(mutant, tests, limit, scratch):
    code = 3
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        _silence()
        code = DOES_NOT_IMPORT if not _imports(mutant) else _ask(tests, scratch)
    finally:
        os._exit(code)


def _imports(mutant):
    name = _module_name(mutant["path"])
    sys.meta_path.insert(0, _Mutated(name, mutant))
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 (whatever a mutant raises)
        return False
    return True


def _ask(tests, scratch):
    # what the mutated module imports is here before pytest, which would warn of that
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    files = sorted({name.partition("::")[0] for name in tests})
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", f"--basetemp={scratch}", *quiet]
    return int(pytest.main([*options, *files], plugins=[_Only(tests)]))


def _silence():
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _module_name(path):
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


class _Only:
    """A plugin of pytest that runs some tests, in the order given."""

    def __init__(self, names):
        self._places = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items):
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places), key=lambda i: self._places[i.nodeid]
        )


class _Mutated(MetaPathFinder, SourceFileLoader):
    """Finds and loads one module from other source than the file holds."""

    def __init__(self, name, mutant):
        super().__init__(name, str(Path(mutant["path"]).resolve()))
        self._source = mutant["source"]

    def find_spec(self, fullname, path, target=None):
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname):
        return compile(self._source, self.path, "exec", dont_inherit=True)
