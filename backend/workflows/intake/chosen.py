"""Tasks that a person picked to be asked next."""

from __future__ import annotations

from backend.workflows.project.workspace import Workspace

# So many at a time: each takes the place of a task that the model would have asked.
MOST_ASKED = 20


def waiting_choice(workspace: Workspace) -> list[int]:
    """Those of them that still wait for their first answer, in the order in which they were picked."""
    chosen = workspace.selections.to_ask()
    waiting = workspace.tasks.waiting_of(chosen)
    return [task_id for task_id in chosen if task_id in waiting]
