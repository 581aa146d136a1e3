"""The kinds of questions that are learned: one row for each, with what it can do and what it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.label_studio.label_config import LabelConfig
from model.signals.suspect_answers import FindSuspects
from model.signals.suspect_paths import find_suspect_paths
from model.signals.suspect_sides import find_suspect_sides
from model.signals.suspect_ticks import find_suspect_ticks
from model.signals.suspect_values import (
    find_suspect_choices,
    find_suspect_grades,
    find_suspect_numbers,
)
from model.task_type import Learner
from model.tasks.number import Number
from model.tasks.pairwise import Pairwise
from model.tasks.rating import Rating
from model.tasks.several_choices import SeveralChoices
from model.tasks.single_choice import SingleChoice
from model.tasks.taxonomy import Taxonomy

if TYPE_CHECKING:  # what judges takes a second to import, and only a loop needs it
    from model.synthetic.items import Judgement, RealItems, SyntheticItems
    from model.synthetic.reviews import Review


class JudgeSynthetic(Protocol):
    """What judges synthetic items whose intended answers are rows in the columns of a question."""

    def __call__(
        self,
        real: RealItems,
        synthetic: SyntheticItems,
        *,
        rng: np.random.Generator,
        reviews: Sequence[Review] = (),
    ) -> Judgement:
        """A verdict on each synthetic item, by the real ones that are not in the audit."""
        ...


@dataclass(frozen=True, slots=True)
class TaskType:
    """One kind of question: who learns it, and what of the rest of the loop it goes without.

    `metric`: what its accuracy is the share of, as it ends a sentence. `is_floored`: a pre-annotation below
    PREANNOTATE_FLOOR is left out; else the thresholds of its own head decide. `suspects` looks for answers
    that seem wrong. Where it is the first question: `finds_new_classes`, items that no label covers are
    looked for; `judge` gives the verdicts on synthetic tasks, None where there are none; `has_curve`, the
    curve against a random order is drawn. `is_number`: its only column holds a number, where other kinds tick
    columns. `nothing` and `nothing_fits` are what people read where an answer has no label.
    """

    learner: Learner
    metric: str
    is_floored: bool
    suspects: FindSuspects
    finds_new_classes: bool = False
    judge: JudgeSynthetic | None = None
    has_curve: bool = False
    is_number: bool = False
    nothing: str = "none of the labels"
    nothing_fits: str = "None of the labels fits"

    @property
    def kind(self) -> str:
        """Its name, as configs and manifests hold it."""
        return self.learner.kind

    @property
    def lacks(self) -> tuple[str, ...]:
        """The findings that a project does not get where this kind is its first question."""
        findings = (
            ("new classes", self.finds_new_classes),
            ("verdicts on synthetic tasks", self.judge is not None),
            ("the curve against a random order", self.has_curve),
        )
        return tuple(name for name, is_there in findings if not is_there)


def _judge_labels(
    real: RealItems,
    synthetic: SyntheticItems,
    *,
    rng: np.random.Generator,
    reviews: Sequence[Review] = (),
) -> Judgement:
    from model.synthetic.verdicts import judge

    return judge(real, synthetic, rng=rng, reviews=reviews)


def _judge_sets(
    real: RealItems,
    synthetic: SyntheticItems,
    *,
    rng: np.random.Generator,
    reviews: Sequence[Review] = (),
) -> Judgement:
    from model.synthetic.label_sets.verdicts import judge_sets

    return judge_sets(real, synthetic, rng=rng, reviews=reviews)


TASK_TYPES: Final = {
    row.kind: row
    for row in (
        TaskType(
            SingleChoice(),
            "answers that are right",
            is_floored=True,
            suspects=find_suspect_choices,
            finds_new_classes=True,
            judge=_judge_labels,
            has_curve=True,
        ),
        TaskType(
            SeveralChoices(),
            "answers with exactly the right labels",
            is_floored=False,
            suspects=find_suspect_ticks,
            finds_new_classes=True,
            judge=_judge_sets,
        ),
        TaskType(
            Rating(), "answers with exactly the right grade", is_floored=True, suspects=find_suspect_grades
        ),
        TaskType(
            Number(),
            "numbers that are near enough",
            is_floored=False,
            suspects=find_suspect_numbers,
            is_number=True,
        ),
        TaskType(
            Taxonomy(), "answers with exactly the right paths", is_floored=False, suspects=find_suspect_paths
        ),
        TaskType(
            Pairwise(),
            "pairs where it names the better side, or the tie",
            is_floored=True,
            suspects=find_suspect_sides,
            nothing="neither",
            nothing_fits="Neither side seems better",
        ),
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
