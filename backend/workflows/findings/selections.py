"""What becomes of tasks that a person picked on the map: a tab in Label Studio, or the next places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.errors import BadRequest
from backend.label_studio.tabs import tab_of_tasks
from backend.workflows.intake.chosen import MOST_ASKED
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.stored import answering
from model.audit import audit_hash

# Their ids are one pattern, in a filter that people can read.
MOST_IN_TAB = 500
_LONGEST_TITLE = 40
_DEFAULT_TITLE = "From the map"


@dataclass(frozen=True, slots=True)
class MadeTab:
    """A tab of Label Studio: its number, and how many tasks it shows."""

    number: int
    tasks: int


def make_tab(workspace: Workspace, task_ids: Sequence[int], *, title: str) -> MadeTab:
    """Makes a tab with the first of these tasks, at most 500. Raises BadRequest where there are none."""
    known = workspace.tasks.known_of(task_ids)
    chosen = [task_id for task_id in dict.fromkeys(task_ids) if task_id in known][:MOST_IN_TAB]
    if not chosen:
        raise _nothing_picked()
    remote = workspace.context.label_studio()
    try:
        title = " ".join(title.split())[:_LONGEST_TITLE] or _DEFAULT_TITLE
        made = remote.create_tab(workspace.label_studio_id, tab_of_tasks(title, chosen))
    finally:
        remote.close()
    number = int(made["id"])
    workspace.selections.add_tab(number)
    return MadeTab(number, len(chosen))


def ask_next(workspace: Workspace, task_ids: Sequence[int], *, by: str) -> int:
    """Lets the first of these tasks that wait come next, at most 20, in place of those picked before.

    Returns how many these are, and asks for a loop. Tasks that are asked unaided keep their own places.
    Raises BadRequest where none waits.
    """
    picked = list(dict.fromkeys(task_ids))
    if not picked:
        raise _nothing_picked()
    waiting = workspace.tasks.waiting_of(picked)
    blind = asked_unaided(workspace, picked)
    coming = [task_id for task_id in picked if task_id in waiting and task_id not in blind][:MOST_ASKED]
    if not coming:
        raise BadRequest(
            "None of these tasks can come first.",
            hint="They are answered, without a text, synthetic, or asked unaided in their own turn.",
        )
    workspace.selections.ask(coming)
    workspace.decisions.add("asked-next", {"tasks": len(coming)}, by=by)
    leave_hint(workspace, "training")
    return len(coming)


def stop_asking(workspace: Workspace, *, by: str) -> None:
    """Takes back which tasks come first; those out already keep their places until the next loop."""
    workspace.selections.ask([])
    workspace.decisions.add("asked-no-more", {}, by=by)
    leave_hint(workspace, "training")


def asked_unaided(workspace: Workspace, task_ids: Sequence[int]) -> set[int]:
    """Those of some real tasks that are asked without a pre-annotation, answered ones among them."""
    found = answering(workspace)
    if found is None or not task_ids:
        return set()
    ids = np.array(task_ids, dtype=np.int64)
    return set(ids[audit_hash(ids, workspace.seed) < found[1].audit_threshold].tolist())


def _nothing_picked() -> BadRequest:
    return BadRequest("No task is picked.", hint="Pick some on the map, or search for some.")
