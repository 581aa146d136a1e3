"""How long work tells where it is."""

import io
import logging

import pytest
from rich.console import Console

from backend.database import Project
from backend.terminal import TerminalProgress
from backend.workflows.project.progress import Both, LogProgress, StoredProgress
from backend.workflows.project.workspace import Workspace


def test_the_log_hears_of_long_work_now_and_then(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr("backend.workflows.project.progress.time.monotonic", lambda: clock[0])
    progress = LogProgress(logging.getLogger("backend.test"), 3)
    progress.stage("encoding texts", total=1000)
    for _ in range(10):
        clock[0] += 1.0
        progress.advance(50)
    assert [record.getMessage() for record in caplog.records] == [
        "progress project=3 stage=encoding texts done=250 total=1000 per_second=50.0 left_s=15",
        "progress project=3 stage=encoding texts done=500 total=1000 per_second=50.0 left_s=10",
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


@pytest.fixture
def project(context):
    with context.database.session() as session:
        row = Project(label_studio_id=3, created_stamp=1)
        session.add(row)
    return Workspace(context, row)


def stored(project):
    with project.context.database.session() as session:
        return session.get_one(Project, project.id).progress


def test_the_dashboard_hears_of_steps_at_most_once_a_second(project, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("backend.workflows.project.progress.time.monotonic", lambda: clock[0])
    progress = StoredProgress(project)
    progress.stage("encoding texts", total=1000)
    seen = []
    for _ in range(6):
        clock[0] += 0.4
        progress.advance(50)
        seen.append(stored(project)["done"])
    assert seen == [0, 0, 150, 150, 150, 300]


def test_the_dashboard_hears_of_a_new_stage_at_once(project):
    progress = StoredProgress(project)
    progress.stage("encoding texts", total=1000)
    progress.advance(5)
    progress.stage("training and ranking")
    now = stored(project)
    assert (now["stage"], now["done"], now["total"]) == ("training and ranking", 0, None)
    assert now["at"] > 1_700_000_000


def test_when_the_work_is_done_no_progress_is_left(project):
    progress = StoredProgress(project)
    progress.clear()
    assert stored(project) == {}


def test_both_listeners_hear_the_same(project, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr("backend.workflows.project.progress.time.monotonic", lambda: clock[0])
    log = LogProgress(logging.getLogger("backend.test"), 3)
    both = Both(log, StoredProgress(project))
    both.stage("encoding texts", total=10)
    clock[0] = 6.0
    both.advance(7)
    assert stored(project)["done"] == 7
    assert caplog.records[-1].getMessage().endswith("done=7 total=10 per_second=1.2 left_s=3")


def test_without_a_terminal_a_long_stage_says_now_and_then_how_far_it_is(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("backend.terminal.time.monotonic", lambda: clock[0])
    lines = io.StringIO()
    with TerminalProgress(Console(file=lines, width=80)) as progress:
        progress.stage("encoding texts", total=10_000)
        for _ in range(5):
            clock[0] += 6.0
            progress.advance(2000)
        progress.stage("training and ranking")
        progress.advance(1)
    assert lines.getvalue().splitlines() == [
        "… encoding texts (10,000)",
        "… encoding texts: 4,000 of 10,000, 333 a second, 18 s left",
        "… encoding texts: 8,000 of 10,000, 333 a second, 6 s left",
        "… training and ranking",
    ]
