"""Hints that something may have changed: left in a moment by the web process, weighed by the worker."""

from __future__ import annotations

from typing import Literal

from backend.workflows.project.workspace import Workspace

HintKind = Literal["labels", "tasks", "config", "training", "setup", "timer"]

# Every other kind starts a loop by itself; labels have to gather first.
_GATHERING: HintKind = "labels"


def leave_hint(workspace: Workspace, kind: HintKind) -> None:
    """Writes the hint down, and wakes a worker when it is time for a loop."""
    if _are_worth_a_loop(workspace, workspace.hints.add(kind)):
        workspace.context.jobs.enqueue(workspace.id)


def is_due(workspace: Workspace) -> bool:
    """Whether the hints of a project are worth a loop."""
    return _are_worth_a_loop(workspace, workspace.hints.count_kinds())


def _are_worth_a_loop(workspace: Workspace, counts: dict[str, int]) -> bool:
    gathered = counts.pop(_GATHERING, 0)
    return bool(counts) or gathered >= workspace.settings.retrain_every_labels
