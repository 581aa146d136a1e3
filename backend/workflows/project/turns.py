"""Whose turn it is when several projects are due, and which loops share one thread."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from backend.context import Context
from backend.workflows.project.hints import is_due
from backend.workflows.project.lease import is_running
from backend.workflows.project.parking import parked_until
from backend.workflows.project.workspace import Workspace

# A project whose last loop took longer may keep others waiting.
_SLOW_S = 20.0


def waiting(context: Context, *, but: Collection[int] = ()) -> Iterator[Workspace]:
    """Projects of which a loop is due and nobody runs one, the one looked at longest ago first.

    Those that are parked, and those of the rows `but`, are left out.
    """
    for row in context.projects.with_hints():
        workspace, may_run = Workspace(context, row), False
        # one whose row fails keeps nobody else from a turn
        with context.survived.failures_of(f"weighing project {row.label_studio_id}"):
            is_free = row.id not in but and not is_running(workspace)
            may_run = is_free and is_due(workspace) and parked_until(workspace) is None
        if may_run:
            yield workspace


def is_any_waiting(context: Context) -> bool:
    """Whether a loop is due of some project that nobody holds."""
    return next(waiting(context), None) is not None


@contextmanager
def place(workspace: Workspace) -> Iterator[bool]:
    """Whether this thread may run the project's loop now.

    One that failed, took long or never ended well may take long again: of those, a process runs one at a
    time, and its other threads are for all others.
    """
    if not _may_take_long(workspace):
        yield True
        return
    lane = workspace.context.slow_lane
    is_mine = lane.acquire(blocking=False)
    try:
        yield is_mine
    finally:
        if is_mine:
            lane.release()


def _may_take_long(workspace: Workspace) -> bool:
    last = workspace.loops.newest_ended()
    if workspace.state.failures or last is None or last.outcome == "failed" or last.finished_at is None:
        return True
    return bool((last.finished_at - last.started_at).total_seconds() > _SLOW_S)
