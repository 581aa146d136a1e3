"""How long work tells where it is."""

import io
import logging

from rich.console import Console

from backend.terminal import TerminalProgress
from backend.workflows.progress import LogProgress


def test_the_log_hears_of_long_work_now_and_then(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr("backend.workflows.progress.time.monotonic", lambda: clock[0])
    progress = LogProgress(logging.getLogger("backend.test"), 3)
    progress.stage("encoding texts", total=1000)
    for _ in range(10):
        clock[0] += 1.0
        progress.advance(50)
    assert [record.getMessage() for record in caplog.records] == [
        "progress project=3 stage=encoding texts done=250 total=1000",
        "progress project=3 stage=encoding texts done=500 total=1000",
    ]


def test_short_work_is_not_logged(caplog):
    caplog.set_level(logging.INFO)
    progress = LogProgress(logging.getLogger("backend.test"), 3)
    progress.stage("encoding texts", total=10)
    progress.advance(10)
    assert caplog.records == []


def show(*, terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120)
    with TerminalProgress(console) as progress:
        progress.stage("looking")
        progress.stage("nothing to do", total=0)
        progress.stage("encoding texts", total=4)
        progress.advance(3)
        if terminal:
            progress._bar.refresh()
    return stream.getvalue()


def test_a_terminal_sees_a_bar_that_moves():
    shown = show(terminal=True)
    assert "encoding texts" in shown and "3/4" in shown
    assert "nothing to do" not in shown


def test_elsewhere_every_stage_is_a_line():
    assert show(terminal=False) == "… looking\n… encoding texts (4)\n"
