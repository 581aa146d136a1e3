"""How much of a project is encoded, as people read it while workers encode."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from backend.workflows.project.figures import Figures
from backend.workflows.project.workspace import Workspace

_NAMED_TASKS: Final = 5


def encoding_words(workspace: Workspace) -> str:
    """How many tasks are encoded while workers go on, and what was not read; empty where all is done."""
    parts: list[str] = []
    if left := workspace.batches.count_tasks():
        tasks, without_text = workspace.tasks.count_without_text()
        parts.append(say_encoded(tasks - without_text, left))
        if faults := workspace.batches.faults():
            parts.append(_say_faults(faults))
    if unread := Figures.read(workspace.loops.newest_counted()).unread:
        tasks_were = "task was" if unread == 1 else "tasks were"
        parts.append(f"{unread:,} more {tasks_were} not read yet: the next loop reads them")
    return "; ".join(parts)


def _say_faults(faults: Mapping[int, str]) -> str:
    """Which tasks have texts that the encoder cannot take, and what kinds of errors it raises."""
    named = ", ".join(str(task_id) for task_id in islice(faults, _NAMED_TASKS))
    more = f" and {len(faults) - _NAMED_TASKS:,} more" if len(faults) > _NAMED_TASKS else ""
    why = ", ".join(sorted({kind for kinds in faults.values() for kind in kinds.split(", ")}))
    tasks = "the text of task" if len(faults) == 1 else "the texts of tasks"
    return f"{tasks} {named}{more} cannot be encoded ({why})"


def say_encoded(texts: int, left: int) -> str:
    """The same for so many tasks with text, of which some are `left` to the workers."""
    return f"{max(texts - left, 0):,} of {texts:,} tasks are encoded, and the others are in no order yet"
