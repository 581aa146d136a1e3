"""What Label Studio exports, as rows: JSON with tasks and annotations, JSON-MIN, CSV and TSV."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

# Columns of its CSV and JSON-MIN that are about the answer, neither text nor label.
ABOUT_ANSWERS = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
)
Placed = tuple[str, dict[str, Any]]


def is_task(fields: dict[str, Any]) -> bool:
    """Whether an object is a task as Label Studio's JSON has it."""
    return isinstance(fields.get("data"), dict) and isinstance(fields.get("annotations"), list)


def flatten_tasks(objects: Iterable[Placed]) -> list[Placed]:
    """A row a task: its data, and for each question that was answered what most annotators chose."""
    rows = []
    for number, (_where, task) in enumerate(objects, start=1):
        if not is_task(task):
            continue
        answers = [_answers(said) for said in task["annotations"] if not said.get("was_cancelled")]
        row = dict(task["data"]) | _by_majority(answers)
        rows.append((f"task {task.get('id', number)}", row))
    return rows


def merge_annotations(objects: Sequence[Placed]) -> list[Placed]:
    """Of rows that are one annotation each a row a task; empty where they are no such export."""
    if not objects or not all({"id", "annotation_id"} <= fields.keys() for _, fields in objects):
        return []
    tasks: dict[str, list[dict[str, Any]]] = {}
    for _where, fields in objects:
        tasks.setdefault(str(fields["id"]), []).append(fields)
    return [(f"task {number}", _by_majority(rows)) for number, rows in tasks.items()]


def _answers(annotation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for region in annotation.get("result") or []:
        choices = (region.get("value") or {}).get("choices")
        if choices and region.get("from_name"):
            found[str(region["from_name"])] = choices
    return found


def _by_majority(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each column the value that comes most often; the first of those, on a tie."""
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: _commonest([answer[name] for answer in answers if name in answer]) for name in names}


def _commonest(values: Sequence[Any]) -> Any:
    words = Counter(json.dumps(value, sort_keys=True) for value in values)
    return json.loads(words.most_common(1)[0][0])
