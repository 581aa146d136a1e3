"""The map of the pool: where each task of its sample stands, by what it is coloured, and what marks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from backend.json_types import Json
from backend.label_studio.tabs import NOTE_FIELD
from backend.store.map_points import SHOWN_DIGITS
from backend.task_types import TASK_TYPES
from backend.workflows.findings.selections import asked_unaided
from backend.workflows.intake.chosen import waiting_choice
from backend.workflows.intake.earlier_findings import shown_groups
from backend.workflows.intake.published import window_left
from backend.workflows.project.colours import number_classes
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.nouns import first_kind
from backend.workflows.views.dashboard.number_ranges import name_ranges
from backend.workflows.views.snippets import shorten

# Texts that are fetched at a time, and how much of each.
MOST_CARDS = 100
_SNIPPET = 240
# What can mark a task, for people, by what it is to us.
_MARKS: Final = {
    "next": "Up next",
    "blind": "Blind tasks",
    "skipped": "Skipped",
    "suspect": "Answer in doubt",
    "novel": "Possible new class",
    "synthetic": "Synthetic",
}
_FLAGS: Final = ("suspect", "novel")
_BITS: Final = {mark: 1 << place for place, mark in enumerate(_MARKS)}


def map_points(workspace: Workspace) -> Json:
    """All that is drawn, a value per point in each list of `points`.

    `classes`: their names, and the numbers of their colours; `label` and `predicted` are places in that list.
    Numbers are in ranges there.
    `layers`: the names of marks, of which bit i of a point's `layers` says whether it has the i-th.
    `asked`: how many tasks that somebody picked wait to come next.
    """
    rows = workspace.map_points.read_with_tasks()
    answers = sorted({name for row in rows for name in (row.label, row.predicted) if name is not None})
    ranges = name_ranges(answers) if TASK_TYPES[first_kind(workspace)].is_number else {}
    present = sorted({ranges.get(name, name) for name in answers})
    # ranges follow the numbers, so that there is no colour to keep
    numbers = number_classes({} if ranges else workspace.state.colours, present)
    order = {name: place for place, name in enumerate(present)}
    places = {name: order[ranges.get(name, name)] for name in answers}
    marks = _marks(workspace, rows)
    return {
        "classes": [{"name": name, "colour": numbers[name]} for name in present],
        "layers": list(_MARKS.values()),
        "asked": len(waiting_choice(workspace)),
        "points": {
            "task": [row.task_id for row in rows],
            "x": [round(row.x, 3) for row in rows],
            "y": [round(row.y, 3) for row in rows],
            "label": [places.get(row.label) for row in rows],
            "predicted": [places.get(row.predicted) for row in rows],
            "confidence": [
                None if row.confidence is None else round(row.confidence, SHOWN_DIGITS) for row in rows
            ],
            "layers": [marks(row) for row in rows],
        },
    }


def read_cards(workspace: Workspace, task_ids: Sequence[int]) -> list[Json]:
    """What the list of picked tasks shows of each, in the order given, at most 100 of them."""
    wanted = list(dict.fromkeys(task_ids))[:MOST_CARDS]
    rows = {row.task_id: row for row in workspace.tasks.read_cards(wanted, length=2 * _SNIPPET)}
    groups = {task_id: group.name for group in shown_groups(workspace) for task_id in group.members}
    return [_card(rows[task_id], group=groups.get(task_id, "")) for task_id in wanted if task_id in rows]


def _card(row: Any, *, group: str) -> Json:
    """`why`: the line that the task carries, and the possible new class it is of, where that is not in it."""
    why = row.shown.get(NOTE_FIELD, "")
    if group and group not in why:
        why = f"Possible new class: {group}. {why}".strip()
    return {
        "task": row.task_id,
        "text": shorten(row.beginning, _SNIPPET),
        "label": row.label,
        "predicted": row.predicted,
        "confidence": row.confidence,
        "skipped": row.outcome == "skipped",
        "picture": bool(row.pictures),
        "why": why,
    }


def _marks(workspace: Workspace, rows: Sequence[Any]) -> Callable[[Any], int]:
    """A sum of bits for a row, as `_BITS` has them."""
    coming = set(window_left(workspace))
    blind = asked_unaided(workspace, [row.task_id for row in rows if not row.is_synthetic])

    def marks(row: Any) -> int:
        found = _BITS[row.flag] if row.flag in _FLAGS else 0
        found += _BITS["next"] if row.task_id in coming else 0
        found += _BITS["blind"] if row.task_id in blind else 0
        found += _BITS["skipped"] if row.outcome == "skipped" else 0
        return found + (_BITS["synthetic"] if row.is_synthetic else 0)

    return marks
