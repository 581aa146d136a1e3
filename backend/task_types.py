"""The kinds of questions that are learned: one row for each, with what it can do and what it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.label_studio.label_config import LabelConfig
from model.signals.suspect_answers import FindSuspects
from model.signals.suspect_ticks import find_suspect_ticks
from model.signals.suspect_values import (
    find_suspect_choices,
    find_suspect_grades,
    find_suspect_numbers,
)
from model.task_type import Learner
from model.tasks.number import Number
from model.tasks.rating import Rating
from model.tasks.several_choices import SeveralChoices
from model.tasks.single_choice import SingleChoice

_NEW_CLASSES = "new classes"
_FINDINGS = ("verdicts on synthetic tasks", "the curve against a random order")


@dataclass(frozen=True, slots=True)
class TaskType:
    """One kind of question: who learns it, and what of the rest of the loop it goes without.

    `metric`: what its accuracy is the share of, as it ends a sentence. `is_floored`: a pre-annotation below
    PREANNOTATE_FLOOR is left out; else the thresholds of its own head decide. `suspects` looks for answers
    that seem wrong. `lacks` are findings that a project does not get where this kind is its first question.
    """

    learner: Learner
    metric: str
    is_floored: bool
    suspects: FindSuspects
    lacks: tuple[str, ...] = (_NEW_CLASSES, *_FINDINGS)

    @property
    def kind(self) -> str:
        """Its name, as configs and manifests hold it."""
        return self.learner.kind

    @property
    def finds_new_classes(self) -> bool:
        """Whether items that no label covers are looked for."""
        return _NEW_CLASSES not in self.lacks


TASK_TYPES: Final = {
    row.kind: row
    for row in (
        TaskType(SingleChoice(), "answers that are right", True, find_suspect_choices, lacks=()),
        TaskType(
            SeveralChoices(),
            "answers with exactly the right labels",
            False,
            find_suspect_ticks,
            lacks=_FINDINGS,
        ),
        TaskType(Rating(), "answers with exactly the right grade", True, find_suspect_grades),
        TaskType(Number(), "numbers that are near enough", False, find_suspect_numbers),
    )
}


def task_type(question: Question) -> TaskType:
    """The row of a question; raises KeyError for a kind that is not served."""
    return TASK_TYPES[question.kind]


def is_single_choice(config: LabelConfig) -> bool:
    """Whether the first question of a config is one choice: then the whole loop is there for it."""
    return config.kind == SINGLE_CHOICE


def questions_beside(config: LabelConfig) -> tuple[Question, ...]:
    """The questions that are learned through their rows: all but a first one that is a single choice."""
    return config.questions[1:] if is_single_choice(config) else config.questions
