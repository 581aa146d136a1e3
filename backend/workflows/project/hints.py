"""Hints that something may have changed: left in a moment by the web process, weighed by the worker."""

from __future__ import annotations

import time
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.context import Context
from backend.database import Hint, Project
from backend.workflows.project.projects import project_settings

HintKind = Literal["labels", "tasks", "config", "training", "setup", "timer"]

# Every other kind starts a loop by itself; labels have to gather first.
_GATHERING: HintKind = "labels"


def leave_hint(context: Context, project: Project, kind: HintKind) -> None:
    """Writes the hint down, and wakes a worker when it is time for a loop."""
    with context.database.session() as session:
        session.add(Hint(project_id=project.id, kind=kind, created_at=time.time()))
        session.flush()
        due = _is_due(session, context, project)
    if due:
        context.jobs.enqueue(project.id)


def is_due(context: Context, project: Project) -> bool:
    """Whether the hints of a project are worth a loop."""
    with context.database.session() as session:
        return _is_due(session, context, project)


def last_hint(context: Context, project: Project) -> int:
    """Id of the newest hint, 0 without any: what a loop that starts now will have answered."""
    with context.database.session() as session:
        return session.scalar(select(func.max(Hint.id)).where(Hint.project_id == project.id)) or 0


def forget_hints(context: Context, project: Project, *, up_to: int) -> None:
    """Takes away the hints that a loop has answered."""
    with context.database.session() as session:
        session.execute(delete(Hint).where(Hint.project_id == project.id, Hint.id <= up_to))


def _is_due(session: Session, context: Context, project: Project) -> bool:
    counts = dict(
        session.execute(
            select(Hint.kind, func.count()).where(Hint.project_id == project.id).group_by(Hint.kind)
        ).all()
    )
    gathered = counts.pop(_GATHERING, 0)
    return bool(counts) or gathered >= project_settings(context, project).retrain_every_labels
