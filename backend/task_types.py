"""The kinds of questions that are learned: one row for each, with what it can do and what it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.label_studio.label_config import LabelConfig
from model.task_type import Learner
from model.tasks.number import Number
from model.tasks.pairwise import Pairwise
from model.tasks.rating import Rating
from model.tasks.several_choices import SeveralChoices
from model.tasks.single_choice import SingleChoice
from model.tasks.taxonomy import Taxonomy

_FINDINGS = (
    "new classes",
    "verdicts on synthetic tasks",
    "wrong labels",
    "the curve against a random order",
)


@dataclass(frozen=True, slots=True)
class TaskType:
    """One kind of question: who learns it, and what of the rest of the loop it goes without.

    `metric`: what its accuracy is the share of, as it ends a sentence. `is_floored`: a pre-annotation below
    PREANNOTATE_FLOOR is left out; else the thresholds of its own head decide. `lacks` are findings that a
    project does not get where this kind is its first question.
    """

    learner: Learner
    metric: str
    is_floored: bool
    lacks: tuple[str, ...] = _FINDINGS

    @property
    def kind(self) -> str:
        """Its name, as configs and manifests hold it."""
        return self.learner.kind


TASK_TYPES: Final = {
    row.kind: row
    for row in (
        TaskType(SingleChoice(), "answers that are right", is_floored=True, lacks=()),
        TaskType(SeveralChoices(), "answers with exactly the right labels", is_floored=False),
        TaskType(Rating(), "answers with exactly the right grade", is_floored=True),
        TaskType(Number(), "numbers that are near enough", is_floored=False),
        TaskType(Taxonomy(), "answers with exactly the right paths", is_floored=False),
        TaskType(Pairwise(), "pairs with the better side named, ties among them", is_floored=True),
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
