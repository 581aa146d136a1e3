"""What people answered to the questions that stand beside a first single choice, as rows of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.label_studio.controls.question import Question
from backend.task_types import TASK_TYPES
from model.records import Floats, Ids, Labels, LabelSpace


@dataclass(frozen=True, slots=True, eq=False)
class QuestionLabels:
    """A question, and the answers (k, c) to it, by task id."""

    question: Question
    labels: Labels


def read_question_labels(
    questions: Sequence[Question], ids: Ids, targets: Mapping[int, Mapping[str, Sequence[str]]]
) -> tuple[QuestionLabels, ...]:
    """The answers to each question among tasks `ids` (n,); what no label of the config means is left out."""
    return tuple(QuestionLabels(question, _labels(question, ids, targets)) for question in questions)


def _labels(question: Question, ids: Ids, targets: Mapping[int, Mapping[str, Sequence[str]]]) -> Labels:
    space = LabelSpace(tuple(label.name for label in question.labels))
    found, rows = [], []
    for task_id in ids.tolist():
        target = targets.get(task_id, {}).get(question.name)
        row = None if target is None else to_row(target, space, question.kind)
        if row is not None:
            found.append(task_id)
            rows.append(row)
    values = np.array(rows, dtype=np.float32).reshape(len(rows), len(space))
    return Labels(np.array(found, dtype=np.int64), values, space)


def to_row(target: Sequence[str], space: LabelSpace, kind: str) -> Floats | None:
    """An answer in the columns of a question of a kind; None where it names nothing that is there now.

    In the only column of a number stands the number.
    """
    if TASK_TYPES[kind].is_number:
        return _number(target[0]) if len(target) == 1 else None
    row = np.isin(space.names, list(target)).astype(np.float32)
    return row if row.any() or not target else None


def to_target(row: Floats, space: LabelSpace, kind: str) -> tuple[str, ...]:
    """The names of the columns that an answer (c,) ticks, or the number in words."""
    if TASK_TYPES[kind].is_number:
        return (f"{float(row[0]):.6g}",)
    return tuple(name for name, value in zip(space.names, row.tolist(), strict=True) if value > 0.5)


def _number(said: str) -> Floats | None:
    try:
        value = float(said)
    except ValueError:
        return None
    return np.array([value], dtype=np.float32) if np.isfinite(value) else None
