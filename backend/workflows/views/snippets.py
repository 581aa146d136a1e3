"""Reads the beginnings of task texts, by id."""

from __future__ import annotations

from collections.abc import Iterable

from backend.workflows.project.workspace import Workspace


def read_snippets(workspace: Workspace, task_ids: Iterable[int], *, length: int) -> dict[int, str]:
    """The first `length` characters of each text, on one line; tasks that are gone are left out."""
    found = workspace.tasks.read_beginnings(task_ids, length=2 * length)
    return {task_id: shorten(content, length) for task_id, content in found.items()}


def shorten(content: str, length: int) -> str:
    """A text on one line, with an ellipsis when it is longer than `length` characters."""
    line = " ".join(content.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
