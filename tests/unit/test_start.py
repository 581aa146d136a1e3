"""`start`: web and worker in one stream; the dead worker comes back, and both end together."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from backend.label_studio.client import LabelStudio
from backend.start import token_fault
from demo.child_process import find_free_port
from demo.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]


class Started:
    """`nextlabel start` in a folder of its own; its lines go to a file."""

    def __init__(self, folder, **settings):
        self.folder, self.port, self.log = folder, find_free_port(), folder / "lines.txt"
        usual = {
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "TEXT_ENCODER": "hashing",
        }
        with self.log.open("wb") as lines:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backend", "start"],
                cwd=folder,
                env=os.environ | usual | settings,
                stdout=lines,
                stderr=subprocess.STDOUT,
            )

    @property
    def lines(self):
        return self.log.read_text()

    def workers(self):
        """Process numbers of the workers that said that they live."""
        with closing(sqlite3.connect(self.folder / "data" / "nextlabel.db")) as database:
            names = database.execute("SELECT name FROM workers").fetchall()
        return {int(name.rsplit("/", 1)[1]) for (name,) in names}

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def start(no_environment, tmp_path):
    running = []

    def begin(**settings):
        running.append(Started(tmp_path, **settings))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_both_run_the_dead_worker_comes_back_and_ctrl_c_ends_all(start):
    started = start()
    wait_for(lambda: "then: nextlabel connect 1" in started.lines, "both are up", timeout_s=120)
    address = re.search(r"^start  \| open (\S+), then", started.lines, re.MULTILINE)[1]
    assert httpx.get(f"{address}/health").status_code == 200
    assert "LABEL_STUDIO_API_KEY is not set" in started.lines
    assert f"BACKEND_URL=http://localhost:{started.port}" in started.lines
    wait_for(lambda: started.workers() or None, "the worker lives", timeout_s=60)
    (first,) = started.workers()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: started.workers() - {first} or None, "another worker lives", timeout_s=60)
    assert "worker has ended (SIGKILL); it is started again" in started.lines
    (second,) = started.workers() - {first}
    assert started.stop(signal.SIGINT) == 0
    assert not is_alive(second)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/health")
    assert all(re.match(r"(start |web   |worker) \| ", line) for line in started.lines.splitlines())


def test_what_does_not_come_up_ends_at_once_with_the_reason(start):
    started = start(DATABASE_URL="sqlite:///no/such/folder/x.db")
    assert started.process.wait(120) == 1
    assert "The database cannot be used now: unable to open" in started.lines


def test_a_token_that_is_refused_is_said_with_the_cure(label_studio, make_settings, no_pauses, monkeypatch):
    monkeypatch.setattr(
        "backend.label_studio.client.LabelStudio", partial(LabelStudio, transport=label_studio.transport)
    )
    assert token_fault(make_settings()) == ""
    label_studio.legacy_tokens_enabled = False
    fault = token_fault(make_settings())
    assert "token" in fault.lower() and "counts from the next start on" in fault
