"""Hints that something may have changed: left in a moment by the web process, weighed by the worker."""

from __future__ import annotations

import logging
from typing import Literal

from backend.context import Context
from backend.errors import QueueUnavailable
from backend.workflows.project.workspace import Workspace

logger = logging.getLogger(__name__)

HintKind = Literal["labels", "tasks", "config", "training", "setup", "timer", "vectors"]

# Every other kind starts a loop by itself; labels have to gather first.
_GATHERING: HintKind = "labels"


def leave_hint(workspace: Workspace, kind: HintKind) -> bool:
    """Writes the hint down, and wakes a worker when it is time for a loop.

    False: the queue of jobs is away, so that the loop starts when it is back.
    """
    return not _are_worth_a_loop(workspace, workspace.hints.add(kind)) or wake(workspace)


def wake(workspace: Workspace) -> bool:
    """Asks a worker to look at a project; False when the queue is away: the clock asks again."""
    return wake_row(workspace.context, workspace.id, workspace.label_studio_id)


def wake_row(context: Context, project_id: int, label_studio_id: int) -> bool:
    """The same for who knows the row of a project and its number in Label Studio alone."""
    try:
        context.jobs.enqueue(project_id)
    except QueueUnavailable as error:
        logger.warning("job not queued project=%s message=%s", label_studio_id, error)
        return False
    return True


def is_due(workspace: Workspace) -> bool:
    """Whether the hints of a project are worth a loop."""
    return _are_worth_a_loop(workspace, workspace.hints.count_kinds())


def few_beside(workspace: Workspace, skips: int) -> int | None:
    """How many events wait that are no skips, if they are fewer than a loop is worth; None: there are enough.

    A webhook says that somebody answered, not whether he skipped: `skips` of them are known to be skips.
    """
    counts = workspace.hints.count_kinds()
    others = max(counts.pop(_GATHERING, 0) - skips, 0)
    is_enough = bool(counts) or not skips or others >= workspace.settings.retrain_every_labels
    return None if is_enough else others


def _are_worth_a_loop(workspace: Workspace, counts: dict[str, int]) -> bool:
    gathered = counts.pop(_GATHERING, 0)
    return bool(counts) or gathered >= workspace.settings.retrain_every_labels
