"""Tasks that were answered or skipped without a label and that Label Studio still serves to others."""

from __future__ import annotations

from backend.label_studio.queue_settings import REQUEUE_FOR_OTHERS
from backend.workflows.project.skip_states import EXCLUDE, OPEN
from backend.workflows.project.workspace import Workspace

# The first come first: people who disagree are worth a third opinion most.
_UNRESOLVED = ("in dispute", "empty", "unknown label", "another question")
SKIPPED = "skipped"


def second_looks(workspace: Workspace) -> list[int]:
    """Ids of such tasks with a text that are asked first, disputes first of all, at most a window of them.

    What people skipped is none of these once several such tasks were skipped.
    """
    known = {task_id for group in workspace.skip_groups.read(OPEN, EXCLUDE) for task_id in group.skipped}
    found = [task_id for task_id in open_again(workspace) if task_id not in known]
    return found[: workspace.settings.queue_window]


def open_again(workspace: Workspace) -> list[int]:
    """Ids of all such tasks with a text, disputes first.

    Label Studio never serves a task to those who answered or skipped it. A task that others began and that
    has a label is not among them: Label Studio serves it before all order, at random.
    """
    # What somebody skipped goes to others under this rule alone: else to nobody, or back to the one who did.
    goes_on = workspace.state.queue_settings.get("skip_queue", REQUEUE_FOR_OTHERS) == REQUEUE_FOR_OTHERS
    outcomes = (*_UNRESOLVED, *([SKIPPED] if goes_on else []))
    found = workspace.tasks.unfinished_of(outcomes)
    return sorted(found, key=lambda task_id: (outcomes.index(found[task_id]), task_id))
