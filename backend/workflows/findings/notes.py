"""Flags and one-line reasons on tasks, and the tabs that gather them; only what changed is written."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.database import Verdict, in_chunks
from backend.errors import NotFound
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import (
    FLAG_FIELD,
    NOTE_FIELD,
    RANK_FIELD,
    TITLES,
    Flag,
    Tab,
    default_tab,
    shows_the_same,
    tab_data,
)
from backend.label_studio.text_template import OWN_FIELDS
from backend.workflows.findings.selections import remove_tabs
from backend.workflows.intake.earlier_findings import (
    doubtful_verdicts,
    shown_groups,
)
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.account import CURABLE
from backend.workflows.project.progress import Progress
from backend.workflows.project.skip_states import REOPEN
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.lines import show
from model.novelty.naming import is_number

logger = logging.getLogger(__name__)

# One call per text, 0.1 s or more each, in which annotators wait on SQLite: the rest follows next time.
_MOST_CALLS = 60
_AT_ONCE = 50
OUR_FIELDS = (FLAG_FIELD, NOTE_FIELD, RANK_FIELD)
_PATH = re.compile(r"[.\[]")
_OF_TRAINING = ("ready", "suspect")
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
    """Makes the tasks of a project carry these notes and no others; returns how many calls were made.

    What waits in the window keeps the line with which it was published: of a task's two texts that one shows.
    """
    return _write(workspace, remote, {task_id: note.fields for task_id, note in notes.items()})


def drop_outdated_notes(workspace: Workspace, remote: LabelStudio, snapshot: Snapshot) -> int:
    """Takes away notes whose reason has gone since they were written; returns how many calls were made.

    What a training finds out (`ready`, `suspect`) holds until the next one.
    """
    true = finding_notes(workspace, snapshot)
    kept = {
        task_id: shown
        for task_id, shown in workspace.tasks.read_shown([]).items()
        if (flag := shown.get(FLAG_FIELD)) in _OF_TRAINING or (task_id in true and true[task_id].flag == flag)
    }
    return _write(workspace, remote, kept)


def _write(workspace: Workspace, remote: LabelStudio, wanted: Mapping[int, Mapping[str, str]]) -> int:
    lines = workspace.windows.lines(workspace.state.active_version)
    fields = {
        task_id: {**wanted.get(task_id, {})} | ({NOTE_FIELD: lines[task_id]} if task_id in lines else {})
        for task_id in (*wanted, *lines)
    }
    calls = _differences(workspace, fields)
    for (name, value), task_ids in calls[:_MOST_CALLS]:
        show(workspace, remote, task_ids, field=name, value=value)
    if len(calls) > _MOST_CALLS:
        logger.info("notes left for later project=%s calls=%s", workspace.label_studio_id, len(calls))
    return min(len(calls), _MOST_CALLS)


def write_tabs(workspace: Workspace, remote: LabelStudio, tabs: Iterable[Tab]) -> list[str]:
    """Makes these tabs exist and show what they should; returns the titles of changed ones.

    Tabs made before stay, also while they are empty; other people's tabs are never touched.
    """
    wanted = [tab for tab in TITLES if tab in {*tabs, *workspace.state.tabs}]
    if not wanted:
        return []
    there = {int(tab["id"]): tab["data"] for tab in remote.tabs(workspace.label_studio_id)}
    if not there:
        # Label Studio makes its tab of all tasks only where there is none
        remote.create_tab(workspace.label_studio_id, default_tab())
    by_title = {data.get("title"): number for number, data in there.items()}
    changed, known = [], dict(workspace.state.tabs)
    for tab in wanted:
        number = known.get(tab)
        if number not in there:
            number = by_title.get(TITLES[tab])
        if number is None:
            number = int(remote.create_tab(workspace.label_studio_id, _new_tab(workspace, remote, tab))["id"])
            changed.append(TITLES[tab])
        elif not shows_the_same(there[number], tab_data(tab)):
            kept = {name: value for name, value in there[number].items() if name != "id"}
            fixed = {name: tab_data(tab)[name] for name in ("filters", "ordering")}
            _update(remote, workspace, number, kept | fixed)
            changed.append(TITLES[tab])
        known[tab] = number
    workspace.change(tabs=known)
    return changed


def remove_notes(workspace: Workspace, remote: LabelStudio, *, progress: Progress) -> int:
    """Takes all our fields and tabs away again; returns how many tasks carried one.

    Label Studio's bulk edit can empty a field, not remove it: each task is read and written by itself, and
    `progress` counts them.
    """
    marked = remove_tabs(workspace, remote)
    carrying = sorted({*workspace.tasks.read_shown([]), *marked})
    progress.stage("removing our fields from tasks", total=len(carrying))
    for chunk in in_chunks(carrying, _AT_ONCE):
        for task_id, data in remote.task_data(workspace.label_studio_id, chunk).items():
            kept = {name: value for name, value in data.items() if not name.startswith(OWN_FIELDS)}
            if kept != data:
                remote.replace_task_data(task_id, kept)
        workspace.tasks.forget_shown(chunk)
        progress.advance(len(chunk))
    if carrying:
        remote.count_columns_anew(workspace.label_studio_id)
    for tab in remote.tabs(workspace.label_studio_id):
        if tab["id"] in workspace.state.tabs.values() or default_tab().items() <= tab["data"].items():
            remote.delete_tab(tab["id"])
    workspace.change(tabs={})
    return len(carrying)


def finding_notes(workspace: Workspace, snapshot: Snapshot) -> dict[int, Note]:
    """The notes of novel groups, verdicts, answers without a label, and skips to look at again."""
    open_tasks = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    notes: dict[int, Note] = {}
    for place, group in enumerate(shown_groups(workspace), start=1):
        # a number means nothing to an annotator
        name = "" if is_number(group.name, group.number) else f": {group.name}"
        text = f"Possible new class{name} ({len(group.members)} similar tasks)"
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


def _new_tab(workspace: Workspace, remote: LabelStudio, tab: Tab) -> Json:
    """A tab that shows, of the fields of the task data, those that people read, and our note."""
    config = parse_label_config(workspace.state.label_config, workspace.preference)
    read = {_PATH.split(field)[0] for field in config.text_fields}
    found = [field for field in remote.data_columns(workspace.label_studio_id) if field not in OUR_FIELDS]
    texts = [field for field in found if field in read]
    return tab_data(tab, texts=texts, others=[field for field in found if field not in read])


def _differences(
    workspace: Workspace, wanted: Mapping[int, Mapping[str, str]]
) -> list[tuple[tuple[str, str], list[int]]]:
    """The calls to make, what has become untrue first: (field, value) and the tasks that are to get it."""
    shown = workspace.tasks.read_shown(list(wanted))
    calls: dict[tuple[str, str], list[int]] = defaultdict(list)
    for task_id, fields in sorted(shown.items()):
        for name in OUR_FIELDS:
            value = wanted.get(task_id, {}).get(name, "")
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
