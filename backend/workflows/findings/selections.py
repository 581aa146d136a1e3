"""What becomes of tasks that a person picked on the map: a tab in Label Studio, or the next places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.errors import BadRequest, NotFound
from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import PICKED_FIELD, picked_mark, picked_tab
from backend.workflows.intake.chosen import MOST_ASKED
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.stored import answering
from model.audit import audit_hash

# All are marked in one call, in which annotators wait on SQLite.
MOST_IN_TAB = 500
# Of a tab, of which most tasks may be answered.
_MOST_READ = 5000
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
    title = " ".join(title.split())[:_LONGEST_TITLE] or _DEFAULT_TITLE
    number = workspace.selections.add_tab(chosen)
    remote = workspace.context.label_studio()
    try:
        _mark(workspace, remote, chosen)
        made = remote.create_tab(workspace.label_studio_id, picked_tab(title, number))
    finally:
        remote.close()
    workspace.selections.name_tab(number, int(made["id"]))
    return MadeTab(int(made["id"]), len(chosen))


def remove_tabs(workspace: Workspace, remote: LabelStudio) -> set[int]:
    """Takes the tabs, and what comes first, away again; returns the tasks that still carry a mark."""
    members = workspace.selections.tab_members()
    marked = {task_id for task_ids in members.values() for task_id in task_ids}
    for tab in workspace.selections.tabs():
        remote.delete_tab(tab)
    workspace.selections.forget()
    return marked


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
            hint=f"They are answered, without a {workspace.noun.one}, synthetic, or blind, and asked in "
            "their own turn.",
        )
    workspace.selections.ask(coming)
    workspace.decisions.add("asked-next", {"tasks": len(coming)}, by=by)
    leave_hint(workspace, "training")
    return len(coming)


def ask_tab_next(workspace: Workspace, tab: int, *, by: str) -> int:
    """Lets the first tasks of a tab of the Data Manager come next, as `ask_next` does, in the tab's order.

    Raises NotFound where the project has no such tab, BadRequest where none of its tasks waits.
    """
    number = workspace.label_studio_id
    remote = workspace.context.label_studio()
    try:
        titles = {int(row["id"]): str(row["data"].get("title", "")) for row in remote.tabs(number)}
        if tab not in titles:
            there = ", ".join(f"{one} (“{title}”)" for one, title in titles.items()) or "none"
            raise NotFound(f"Project {number} has no tab {tab}.", hint=f"Its tabs: {there}.")
        task_ids = remote.tab_tasks(number, tab, most=_MOST_READ)
    finally:
        remote.close()
    return ask_next(workspace, task_ids, by=by)


def stop_asking(workspace: Workspace, *, by: str) -> None:
    """Takes back which tasks come first; those out already keep their places until the next loop."""
    workspace.selections.ask([])
    workspace.decisions.add("asked-no-more", {}, by=by)
    leave_hint(workspace, "training")


def _mark(workspace: Workspace, remote: LabelStudio, task_ids: Sequence[int]) -> None:
    """Writes on tasks which of these tabs they are in; a call for each that some of them are in as well."""
    members = {number: set(tasks) for number, tasks in workspace.selections.tab_members().items()}
    by_mark = defaultdict(list)
    for task_id in task_ids:
        by_mark[picked_mark(number for number in members if task_id in members[number])].append(task_id)
    for mark, marked in by_mark.items():
        remote.set_task_field(workspace.label_studio_id, marked, PICKED_FIELD, mark)


def asked_unaided(workspace: Workspace, task_ids: Sequence[int]) -> set[int]:
    """Those of some real tasks that are asked without a pre-annotation, answered ones among them."""
    found = answering(workspace)
    if found is None or not task_ids:
        return set()
    ids = np.array(task_ids, dtype=np.int64)
    return set(ids[audit_hash(ids, workspace.seed) < found[1].audit_threshold].tolist())


def _nothing_picked() -> BadRequest:
    return BadRequest("No task is picked.", hint="Pick some on the map, or search for some.")
