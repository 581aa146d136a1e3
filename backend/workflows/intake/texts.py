"""Reads the texts of tasks, by id."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from backend.database import Task, in_chunks
from backend.workflows.project.workspace import Workspace


def read_texts(workspace: Workspace, task_ids: Iterable[int]) -> dict[int, str]:
    """The whole text of each task; tasks that are gone are left out."""
    ids = sorted(set(task_ids))
    found: dict[int, str] = {}
    with workspace.database.session() as session:
        for chunk in in_chunks(ids):
            rows = session.execute(
                select(Task.task_id, Task.content).where(
                    Task.project_id == workspace.id, Task.task_id.in_(chunk)
                )
            )
            found.update({row.task_id: row.content for row in rows})
    return found
