"""Flags and one-line reasons on tasks, and the tabs that gather them; only what changed is written."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.database import Verdict
from backend.errors import NotFound
from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import (
    FLAG_FIELD,
    NOTE_FIELD,
    RANK_FIELD,
    TITLES,
    Flag,
    shows_the_same,
    tab_data,
)
from backend.workflows.findings.selections import remove_tabs
from backend.workflows.intake.earlier_findings import (
    doubtful_verdicts,
    shown_groups,
)
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.account import CURABLE
from backend.workflows.project.skip_states import REOPEN
from backend.workflows.project.workspace import Workspace

logger = logging.getLogger(__name__)

# One call per text, 0.1 s or more each, in which annotators wait on SQLite: the rest follows next time.
_MOST_CALLS = 60
_MOST_REDUNDANT = 2000
_MOST_WITHOUT_LABEL = 2000
_WHY_NO_LABEL = {
    "empty": "Empty answer: nothing was chosen. Choose a label and update the annotation.",
    "unknown label": "The label of this answer is not in the labeling config. Choose one that is.",
    "in dispute": "People disagree about this task.",
    "another question": "The question that is learned was left out. Choose a label and update the answer.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """What a task carries: the flag that tabs filter by, a line for annotators, and its rank in the tab."""

    flag: Flag
    text: str
    rank: int = 1

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the task data."""
        return {FLAG_FIELD: self.flag, NOTE_FIELD: self.text, RANK_FIELD: f"{self.rank:04d}"}


def coarse_ranks(count: int) -> list[int]:
    """Ranks 1, 2, 2, 3, 3, 3, 3, … for so many tasks in order: each is a call, so ever more share one."""
    return [(place + 1).bit_length() for place in range(count)]


def write_notes(workspace: Workspace, remote: LabelStudio, notes: Mapping[int, Note]) -> int:
    """Makes the tasks of a project carry these notes and no others; returns how many calls were made."""
    calls = _differences(workspace, notes)
    for (name, value), task_ids in calls[:_MOST_CALLS]:
        remote.set_task_field(workspace.label_studio_id, task_ids, name, value)
        workspace.tasks.write_shown(task_ids, name, value)
    if len(calls) > _MOST_CALLS:
        logger.info("notes left for later project=%s calls=%s", workspace.label_studio_id, len(calls))
    return min(len(calls), _MOST_CALLS)


def write_tabs(workspace: Workspace, remote: LabelStudio, flags: Iterable[Flag]) -> list[str]:
    """Makes the tabs of these flags exist and show what they should; returns the titles of changed ones.

    Tabs made before stay, also while they are empty; other people's tabs are never touched.
    """
    wanted = sorted({*flags, *(flag for flag in TITLES if flag in workspace.state.tabs)})
    if not wanted:
        return []
    there = {int(tab["id"]): tab["data"] for tab in remote.tabs(workspace.label_studio_id)}
    by_title = {data.get("title"): number for number, data in there.items()}
    changed, known = [], dict(workspace.state.tabs)
    for flag in wanted:
        number = known.get(flag)
        if number not in there:
            number = by_title.get(TITLES[flag])
        if number is None:
            number = int(remote.create_tab(workspace.label_studio_id, tab_data(flag))["id"])
            changed.append(TITLES[flag])
        elif not shows_the_same(there[number], tab_data(flag)):
            kept = {name: value for name, value in there[number].items() if name != "id"}
            fixed = {name: tab_data(flag)[name] for name in ("filters", "ordering")}
            _update(remote, workspace, number, kept | fixed)
            changed.append(TITLES[flag])
        known[flag] = number
    workspace.change(tabs=known)
    return changed


def remove_notes(workspace: Workspace, remote: LabelStudio) -> None:
    """Takes all notes and tabs away again."""
    while write_notes(workspace, remote, {}) == _MOST_CALLS:
        pass
    for number in workspace.state.tabs.values():
        remote.delete_tab(number)
    workspace.change(tabs={})
    remove_tabs(workspace, remote)


def finding_notes(workspace: Workspace, snapshot: Snapshot) -> dict[int, Note]:
    """The notes of novel groups, verdicts, answers without a label, and skips to look at again."""
    open_tasks = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    notes: dict[int, Note] = {}
    for place, group in enumerate(shown_groups(workspace), start=1):
        text = f"Possible new class: {group.name} ({len(group.members)} similar tasks)"
        notes |= {task_id: Note("novel", text, place) for task_id in group.members if task_id in open_tasks}
    doubtful = doubtful_verdicts(workspace, snapshot)
    ranks = coarse_ranks(len(doubtful))
    notes |= {
        row.task_id: Note("review", row.reason, rank) for row, rank in zip(doubtful, ranks, strict=True)
    }
    for place, row in enumerate(workspace.skip_groups.read(REOPEN), start=1):
        text = f"Skipped before there was “{row.name}”: does it fit now?"
        notes |= {task_id: Note("skipped", text, place) for task_id in row.skipped}
    notes |= _verdict_notes(workspace.verdicts.of_kinds(("harmful", "redundant")))
    return notes | _notes_without_label(workspace)


def _differences(workspace: Workspace, notes: Mapping[int, Note]) -> list[tuple[tuple[str, str], list[int]]]:
    """The calls to make, what has become untrue first: (field, value) and the tasks that are to get it."""
    shown = workspace.tasks.read_shown(list(notes))
    calls: dict[tuple[str, str], list[int]] = defaultdict(list)
    for task_id, fields in sorted(shown.items()):
        wanted = notes[task_id].fields if task_id in notes else {}
        for name in (FLAG_FIELD, NOTE_FIELD, RANK_FIELD):
            value = wanted.get(name, "")
            if fields.get(name, "") != value:
                calls[name, value].append(task_id)
    return sorted(calls.items(), key=lambda call: (call[0][1] != "", call[0]))


def _notes_without_label(workspace: Workspace) -> dict[int, Note]:
    found = list(workspace.tasks.of_outcomes(CURABLE).items())[:_MOST_WITHOUT_LABEL]
    return {task_id: Note("no-label", _WHY_NO_LABEL[outcome]) for task_id, outcome in found}


def _update(remote: LabelStudio, workspace: Workspace, number: int, data: dict[str, object]) -> None:
    try:
        remote.update_tab(number, workspace.label_studio_id, data)
    except NotFound:
        logger.info("tab was closed meanwhile project=%s", workspace.label_studio_id)


def _verdict_notes(rows: Iterable[Verdict]) -> dict[int, Note]:
    notes = {}
    for row in list(rows)[:_MOST_REDUNDANT]:
        notes[row.task_id] = Note("harmful" if row.verdict == "harmful" else "redundant", row.reason)
    return notes
