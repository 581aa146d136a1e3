"""A disconnect tells how far it is; what it cuts ends quietly, and what is disconnected says so."""

import io
import logging

import pytest
from rich.console import Console

from backend import report
from backend.errors import LeaseLost, NotConnected
from backend.workflows import work
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.project.hints import leave_hint
from backend.workflows.views.status import project_status


class Told:
    """Remembers the stages, their totals, and the steps of each."""

    def __init__(self):
        self.stages = {}
        self.steps = {}

    def stage(self, name, *, total=None):
        self.now = name
        self.stages[name] = total
        self.steps[name] = 0

    def advance(self, steps):
        self.steps[self.now] += steps


def newest(bench):
    return project_status(bench.workspace)["last_loop"]


def printed(bench):
    stream = io.StringIO()
    report.print_statuses(Console(file=stream, width=160), [project_status(bench.workspace)])
    return stream.getvalue()


def test_each_stage_is_told_with_its_counts(trained):
    told = Told()
    disconnect(trained.workspace, progress=told)
    assert list(told.stages) == [
        "looking at Label Studio",
        "taking the backend out",
        "removing predictions",
        "removing our fields from tasks",
        "setting Label Studio's settings back",
    ]
    counted = {name: total for name, total in told.stages.items() if total is not None}
    assert set(counted) == {"removing predictions", "removing our fields from tasks"}
    assert counted == {name: told.steps[name] for name in counted} and min(counted.values()) > 0


def test_a_worker_that_waited_for_the_disconnect_runs_no_loop(trained, monkeypatch):
    before = newest(trained)["loop"]
    leave_hint(trained.workspace, "timer")
    asked = work.is_due

    def disconnected_meanwhile(workspace):
        if trained.project.connected:
            disconnect(trained.workspace)
        return asked(workspace)

    with monkeypatch.context() as patch:
        patch.setattr(work, "is_due", disconnected_meanwhile)
        work.run_pending(trained.context, trained.workspace.id)
    assert newest(trained)["loop"] == before


@pytest.mark.parametrize("error", [NotConnected, LeaseLost])
def test_a_loop_that_a_disconnect_cuts_ends_as_disconnected(error, trained, monkeypatch, caplog):
    leave_hint(trained.workspace, "timer")

    def cut(*_arguments, **_options):
        trained.workspace.change(connected=False)
        raise error("Project 1 in Label Studio has no ML backend.", hint="Run: nextlabel connect 1")

    monkeypatch.setattr("backend.workflows.loop.find_row", cut)
    with caplog.at_level(logging.INFO):
        work.run_pending(trained.context, trained.workspace.id)
    assert (newest(trained)["outcome"], newest(trained)["error"]) == ("disconnected", None)
    assert "loop failed" not in caplog.text and "it was disconnected" in caplog.text
    assert trained.workspace.hints.count() == 0


def test_a_loop_of_a_disconnected_project_that_a_person_asks_for_is_no_failure(connected):
    disconnect(connected.workspace)
    with pytest.raises(NotConnected):
        connected.loop()
    assert newest(connected)["outcome"] == "disconnected"


def test_a_first_connect_that_fails_is_a_failure(workbench, monkeypatch):
    def fail(*_arguments, **_options):
        raise LeaseLost("Another worker took this project over.")

    monkeypatch.setattr("backend.workflows.loop.find_row", fail)
    with pytest.raises(LeaseLost):
        workbench.connect()
    assert newest(workbench)["outcome"] == "failed"


def test_status_says_plainly_what_is_disconnected(trained):
    assert "accuracy" in printed(trained) and "learns from" in printed(trained)
    disconnect(trained.workspace)
    said = printed(trained)
    assert "no: nothing is learned, measured or put in order" in said and "nextlabel connect 1" in said
    for line in ("accuracy", "learns from", "window", "version"):
        assert line not in said
