"""What the buttons of the dashboard do; each returns the sentence that says what happened."""

from __future__ import annotations

from backend.context import Context
from backend.workflows.findings.classes import add_class, reject_group
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from backend.workflows.serving.rollback import rollback
from backend.workflows.views.wording import counted

# Somebody waits in front of a browser: a running loop is named at once instead of waited for.
_WAIT_S = 0.5


def take_class(context: Context, label_studio_id: int, number: int, *, name: str, by: str) -> str:
    """Makes a group of novel tasks a class of the project."""
    label = add_class(context, label_studio_id, number, name=name or None, by=by, wait_s=_WAIT_S)
    return f"“{label}” is a class now. The next loop asks for the tasks of its group first."


def refuse_class(context: Context, label_studio_id: int, number: int, *, by: str) -> str:
    """Says that a group of novel tasks is not a class."""
    reject_group(context, label_studio_id, number, by=by, wait_s=_WAIT_S)
    return f"Group {number} is not a class. Tasks like these are not shown as new again."


def go_back(context: Context, label_studio_id: int, version: str, *, by: str) -> str:
    """Lets an earlier version serve again, and writes down who wanted it."""
    size = rollback(context, label_studio_id, version, progress=Silent(), wait_s=_WAIT_S)
    open_workspace(context, label_studio_id).decisions.add("rollback", {"version": version}, by=by)
    return f"{version} serves again, with {counted(size, 'task')} in its window, until new labels come."


def ask_for_loop(context: Context, label_studio_id: int) -> str:
    """Asks the worker for a loop now."""
    leave_hint(open_workspace(context, label_studio_id), "training")
    return "A loop is asked for; a worker starts it in a moment."
