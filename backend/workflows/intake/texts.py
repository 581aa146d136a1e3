"""Reads the texts of tasks, by id."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from backend.context import Context
from backend.database import Project, Task, in_chunks


def read_texts(context: Context, project: Project, task_ids: Iterable[int]) -> dict[int, str]:
    """The whole text of each task; tasks that are gone are left out."""
    ids = sorted(set(task_ids))
    found: dict[int, str] = {}
    with context.database.session() as session:
        for chunk in in_chunks(ids):
            rows = session.execute(
                select(Task.task_id, Task.content).where(
                    Task.project_id == project.id, Task.task_id.in_(chunk)
                )
            )
            found.update({row.task_id: row.content for row in rows})
    return found
