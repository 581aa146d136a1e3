"""What the buttons of the dashboard do; each returns the sentence that says what happened."""

from __future__ import annotations

from backend.workflows.findings.classes import add_class, reject_group
from backend.workflows.findings.skip_answers import answer_skips, reopen_skips
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import SETTLED, counted, model_name

# Somebody waits in front of a browser: a running loop is named at once instead of waited for.
WAIT_S = 2.0


def take_class(workspace: Workspace, number: int, *, name: str, by: str) -> str:
    """Makes a group of novel tasks a class of the project."""
    label = add_class(workspace, number, name=name or None, by=by, wait_s=WAIT_S)
    return f"“{label}” is a class now. The tasks of its group are asked first, in a moment."


def refuse_class(workspace: Workspace, number: int, *, by: str) -> str:
    """Says that a group of novel tasks is not a class."""
    reject_group(workspace, number, by=by, wait_s=WAIT_S)
    return f"Group {number} is not a class. Tasks like these are not shown as new again."


def settle_skips(workspace: Workspace, number: int, answer: str, *, name: str, by: str) -> str:
    """Settles what becomes of tasks like some that people skipped."""
    group = answer_skips(workspace, number, answer, name=name, by=by, wait_s=WAIT_S)
    return SETTLED[answer].format(label=group.name)


def ask_again(workspace: Workspace, number: int, *, by: str) -> str:
    """Takes the skips of some tasks back."""
    count = reopen_skips(workspace, number, by=by, wait_s=WAIT_S)
    return f"{counted(count, 'skipped task')} will be asked again."


def go_back(workspace: Workspace, version: str, *, by: str) -> str:
    """Lets an earlier version serve again, and writes down who wanted it."""
    from backend.workflows.serving.rollback import rollback  # takes seconds to import

    size = rollback(workspace, version, progress=Silent(), wait_s=WAIT_S)
    workspace.decisions.add("rollback", {"version": version}, by=by)
    name = model_name(version).capitalize()
    return f"{name} is in use again, with {counted(size, 'task')} in its order, until new answers come."


def ask_for_loop(workspace: Workspace, *, by: str) -> str:
    """Asks the worker for a loop now."""
    workspace.decisions.add("loop-asked", {}, by=by)
    if leave_hint(workspace, "training"):
        return "A worker looks for new answers in a moment."
    return "A worker looks for new answers when the queue of jobs is back."
