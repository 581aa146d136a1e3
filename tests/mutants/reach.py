"""Which of the fast tests reach which line, and how long each takes: recorded once, in one run of them."""

import ast
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

FAST_TESTS = ("tests/unit", "tests/property", "tests/protocol")
# A replay compares the code with itself or with bits kept from before: it would notice any change at all.
NOT_COUNTED = "replay"
DATA_FILE, TESTS_FILE = "reach.coverage", "reach.json"


class Recorder:
    """A plugin of pytest. What a shared fixture reaches, every test that uses the fixture reaches."""

    def __init__(self, cov):
        self._cov, self._stack = cov, [""]
        self.tests = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        started = time.process_time()
        with self._context(item.nodeid):
            result = yield
        found = self.tests.setdefault(item.nodeid, {})
        found |= {"seconds": time.process_time() - started, "fixtures": item.fixturenames}
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        if fixturedef.scope == "function" and "bring_to" not in fixturedef.argnames:
            return (yield)
        with self._context(f"fixture {fixturedef.argname}"):
            return (yield)

    def pytest_runtest_logreport(self, report):
        if report.outcome != "passed":
            self.tests.setdefault(report.nodeid, {})["passed"] = False

    @contextmanager
    def _context(self, name):
        self._stack.append(name)
        self._cov.switch_context(name)
        yield
        self._stack.pop()
        self._cov.switch_context(self._stack[-1])


def record(folder):
    """Runs the fast tests once, in a process of its own, and keeps what they reach in a folder."""
    subprocess.run([sys.executable, "-m", "tests.mutants.reach", str(folder)], check=True)


def _record(folder):
    cov = coverage.Coverage(
        data_file=str(folder / DATA_FILE), source=["backend", "model"], config_file=False
    )  # fmt: skip
    recorder = Recorder(cov)
    cov.start()
    pytest.main(["-q", "-p", "no:cacheprovider", *FAST_TESTS], plugins=[recorder])
    cov.stop()
    cov.save()
    (folder / TESTS_FILE).write_text(json.dumps(recorder.tests))


class Reach:
    """What was recorded: the tests to ask about a change, the quickest first."""

    def __init__(self, folder):
        self._tests = {
            name: found
            for name, found in json.loads((folder / TESTS_FILE).read_text()).items()
            if found.get("passed", True) and NOT_COUNTED not in name
        }
        self._data = coverage.CoverageData(str(folder / DATA_FILE))
        self._data.read()
        self._users = {}
        for name, found in self._tests.items():
            for fixture in found["fixtures"]:
                self._users.setdefault(f"fixture {fixture}", []).append(name)

    def tests_of(self, path, line):
        """Names of tests that reach a line; of a line that runs at import, those that reach its file.

        First those of the file that is named after ours, then the quickest.
        """
        by_line = self._data.contexts_by_lineno(str(Path(path).resolve()))
        first, last, in_function = _statement(Path(path).read_text(), line)
        lines = range(first, last + 1) if in_function else by_line
        contexts = {context for number in lines for context in by_line.get(number, ()) if context}
        names = {name for context in contexts for name in self._users.get(context, [context])}
        own = f"test_{Path(path).stem}.py"
        return sorted(names & self._tests.keys(), key=lambda name: (own not in name, self.seconds(name)))

    def seconds(self, name):
        """How long a test takes."""
        return self._tests[name]["seconds"]


def _statement(source, line):
    """First and last line of the statement at a line, without its body; whether it runs in a function."""
    best, in_function = (line, line), False
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt) or not _first(node) <= line <= node.end_lineno:
            continue
        body = getattr(node, "body", None)
        last = max(body[0].lineno - 1, node.lineno) if body else node.end_lineno
        if isinstance(node, ast.FunctionDef) and line > last:
            in_function = True
        if _first(node) <= line <= last:
            best = _first(node), last
    return *best, in_function


def _first(node):
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


if __name__ == "__main__":
    _record(Path(sys.argv[1]))
