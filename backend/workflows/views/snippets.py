"""Reads what is shown of tasks in lists: the beginnings of their texts, and whether there is a picture."""

from __future__ import annotations

from collections.abc import Sequence

from backend.json_types import Json
from backend.workflows.project.workspace import Workspace


def read_rows(workspace: Workspace, task_ids: Sequence[int], *, length: int) -> dict[int, Json]:
    """By task its number (`task`), the first `length` characters of its `text` on one line, and `picture`.

    `picture` says whether the task shows one. Tasks that are gone are left out.
    """
    found = workspace.tasks.read_beginnings(task_ids, length=2 * length)
    pictured = workspace.pictures.shown_by(task_ids)
    return {
        task_id: {"task": task_id, "text": shorten(content, length), "picture": task_id in pictured}
        for task_id, content in found.items()
    }


def shorten(content: str, length: int) -> str:
    """A text on one line, with an ellipsis when it is longer than `length` characters."""
    line = " ".join(content.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
