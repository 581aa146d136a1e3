"""What Label Studio exports, as rows: JSON with tasks and annotations, JSON-MIN, CSV and TSV."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.label_studio.controls.table import control_of
from backend.simulation.asked import make_question
from backend.simulation.export_answers import Answers, read_answers

# Columns of its CSV and JSON-MIN that are about the answer, neither text nor label.
ABOUT_ANSWERS = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
)
Placed = tuple[str, dict[str, Any]]
_ANNOTATIONS = ("annotations", "completions")  # the latter up to 2020


@dataclass(frozen=True, slots=True)
class Export:
    """Tasks as rows, the kind of each question that was answered, and sentences about what was odd.

    `tasks` are the same in the shape that Label Studio's API has: an id of our own, data, annotations.
    """

    rows: list[Placed]
    kinds: dict[str, str]
    notes: list[str]
    tasks: list[dict[str, Any]]


def is_task(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a task as Label Studio's JSON has it."""
    said = _annotations(fields)
    has_results = any(isinstance(one, dict) and isinstance(one.get("result"), list) for one in said or ())
    return said is not None and (isinstance(fields.get("data"), dict) or has_results)


def read_tasks(objects: Iterable[Placed]) -> Export:
    """A row a task: its data, and for each question that was answered what people together said.

    Of one choice that is what most of them chose; else `Control.merge` says.
    """
    places: list[str] = []
    tasks: list[dict[str, Any]] = []
    for number, (_where, fields) in enumerate(objects, start=1):
        places.append(f"task {fields.get('id', number)}")
        tasks.append({"id": number, "data": _data(fields), "annotations": _submitted(fields)})
    answers = read_answers(places, [task["annotations"] for task in tasks])
    rows = [
        (where, dict(task["data"]) | merged)
        for where, task, merged in zip(places, tasks, _merge_all(answers), strict=True)
    ]
    return Export(rows, answers.kinds, answers.notes, tasks)


def merge_annotations(objects: Sequence[Placed]) -> list[Placed]:
    """Of rows that are one annotation each a row a task; empty where they are no such export."""
    if not objects or not all({"id", "annotation_id"} <= fields.keys() for _, fields in objects):
        return []
    tasks: dict[str, list[dict[str, Any]]] = {}
    for _where, fields in objects:
        tasks.setdefault(str(fields["id"]), []).append(fields)
    return [(f"task {number}", _by_majority(rows)) for number, rows in tasks.items()]


def _annotations(fields: Mapping[str, Any]) -> list[Any] | None:
    return next((fields[name] for name in _ANNOTATIONS if isinstance(fields.get(name), list)), None)


def _submitted(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    said = _annotations(fields) or []
    return [one for one in said if isinstance(one, dict) and not one.get("was_cancelled")]


def _data(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a task shows; some exports have it beside the annotations."""
    data = fields.get("data")
    if isinstance(data, dict):
        return data
    return {name: value for name, value in fields.items() if isinstance(value, str) and name != "id"}


def _merge_all(answers: Answers) -> list[dict[str, Any]]:
    """For each task, and each question that it answers, the cell."""
    questions = {
        name: make_question(name, kind, [said for task in answers.tasks for said in task.get(name, [])])
        for name, kind in answers.kinds.items()
    }
    rows: list[dict[str, Any]] = []
    for task in answers.tasks:
        row: dict[str, Any] = {}
        for name, said in task.items():
            question = questions[name]
            if question.kind == SINGLE_CHOICE:
                row[name] = list(_commonest(said))
            elif (merged := control_of(question.kind).merge(said, question)) is not None:
                row[name] = _cell(question.kind, merged)
        rows.append(row)
    return rows


def _cell(kind: str, target: Sequence[str]) -> Any:
    return float(target[0]) if kind in ("rating", "number") else list(target)


def _by_majority(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each column the value that comes most often; the first of those, on a tie."""
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: _commonest([answer[name] for answer in answers if name in answer]) for name in names}


def _commonest(values: Sequence[Any]) -> Any:
    words = Counter(json.dumps(value, sort_keys=True) for value in values)
    return json.loads(words.most_common(1)[0][0])
