"""Hints that something may have changed: left in a moment by the web process, weighed by the worker."""

from __future__ import annotations

import time
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.database import Hint
from backend.workflows.project.workspace import Workspace

HintKind = Literal["labels", "tasks", "config", "training", "setup", "timer"]

# Every other kind starts a loop by itself; labels have to gather first.
_GATHERING: HintKind = "labels"


def leave_hint(workspace: Workspace, kind: HintKind) -> None:
    """Writes the hint down, and wakes a worker when it is time for a loop."""
    with workspace.database.session() as session:
        session.add(Hint(project_id=workspace.id, kind=kind, created_at=time.time()))
        session.flush()
        due = _is_due(session, workspace)
    if due:
        workspace.context.jobs.enqueue(workspace.id)


def is_due(workspace: Workspace) -> bool:
    """Whether the hints of a project are worth a loop."""
    with workspace.database.session() as session:
        return _is_due(session, workspace)


def last_hint(workspace: Workspace) -> int:
    """Id of the newest hint, 0 without any: what a loop that starts now will have answered."""
    with workspace.database.session() as session:
        return session.scalar(select(func.max(Hint.id)).where(Hint.project_id == workspace.id)) or 0


def forget_hints(workspace: Workspace, *, up_to: int) -> None:
    """Takes away the hints that a loop has answered."""
    with workspace.database.session() as session:
        session.execute(delete(Hint).where(Hint.project_id == workspace.id, Hint.id <= up_to))


def _is_due(session: Session, workspace: Workspace) -> bool:
    counts = dict(
        session.execute(
            select(Hint.kind, func.count()).where(Hint.project_id == workspace.id).group_by(Hint.kind)
        ).all()
    )
    gathered = counts.pop(_GATHERING, 0)
    return bool(counts) or gathered >= workspace.settings.retrain_every_labels
