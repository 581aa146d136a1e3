"""Possible new classes: the groups nobody decided about, with tasks that are typical of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.json_types import Json
from backend.workflows.intake.earlier_findings import shown_groups
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.snippets import read_rows
from backend.workflows.views.wording import counted
from model.novelty.naming import is_number

_MOST_GROUPS = 10
# A text has to be read, a picture is seen at a glance.
_MOST_TEXTS, _MOST_PICTURES = 3, 8
_LENGTH = 140


def novel_groups(workspace: Workspace) -> list[Json]:
    """Groups, the most convincing first: number, name, proposed label, size, and tasks that are typical.

    `label` is empty where no word tells what the group is.
    """
    shown = shown_groups(workspace)[:_MOST_GROUPS]
    typical = [task_id for group in shown for task_id in group.members[:_MOST_PICTURES]]
    rows = read_rows(workspace, typical, length=_LENGTH)
    return [
        {
            "number": group.number,
            "name": group.name,
            "label": "" if is_number(group.name, group.number) else group.name,
            "size": len(group.members),
            "typical": typical_rows(group.members, rows),
        }
        for group in shown
    ]


def novelty_words(workspace: Workspace, signals: Signals, *, in_tab: int) -> str | None:
    """What stands out, and how many of it are `in_tab`; None where nothing does.

    The groups keep what people skipped or answered since; the tab shows what has no answer.
    """
    found = signals.novelty
    if found is None or not (found.flags or found.unanswered):
        return None
    if not in_tab:
        return found.words
    whole = len({task_id for group in shown_groups(workspace) for task_id in group.members})
    if whole > in_tab:
        return f"{found.words} {counted(whole, 'task')} in groups, {in_tab:,} of them still to answer."
    return f"{found.words} {counted(in_tab, 'task')} in groups, still to answer."


def typical_rows(members: Sequence[int], rows: Mapping[int, Json]) -> list[Json]:
    """The first members; of those that have to be read only a few."""
    found = [rows[task_id] for task_id in members[:_MOST_PICTURES] if task_id in rows]
    return found[:_MOST_TEXTS] if any(row["text"] for row in found) else found
