"""Reads the beginnings of task texts, by id."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from backend.database import Task, in_chunks
from backend.workflows.project.workspace import Workspace


def read_snippets(workspace: Workspace, task_ids: Iterable[int], *, length: int) -> dict[int, str]:
    """The first `length` characters of each text, on one line; tasks that are gone are left out."""
    ids = sorted(set(task_ids))
    found: dict[int, str] = {}
    with workspace.database.session() as session:
        for chunk in in_chunks(ids):
            rows = session.execute(
                select(Task.task_id, func.substr(Task.content, 1, 2 * length)).where(
                    Task.project_id == workspace.id, Task.task_id.in_(chunk)
                )
            )
            found.update({task_id: shorten(content, length) for task_id, content in rows})
    return found


def shorten(content: str, length: int) -> str:
    """A text on one line, with an ellipsis when it is longer than `length` characters."""
    line = " ".join(content.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
