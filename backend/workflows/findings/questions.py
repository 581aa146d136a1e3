"""What is measured of the questions that are learned through the table of task types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.label_studio.controls.conditions import in_words
from backend.label_studio.label_config import LabelConfig
from backend.task_types import task_type
from backend.workflows.intake.empty_answers import empty_words
from backend.workflows.project.figures import QuestionFigure, QuestionFigures, QuestionLabelRow
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.learn import Learned
from backend.workflows.training.learn_questions import LearnedQuestion
from model.records import Ids
from model.task_type import Figure

_MOST_LABELS = 100  # of a question, told one by one


def measure_questions(
    workspace: Workspace, learned: Learned, blind: Ids, config: LabelConfig
) -> list[QuestionFigures]:
    """The figures of each question, by its answers on tasks that were asked `blind` alone."""
    empty = empty_words(workspace, config)
    there = {one.question.name: one for one in learned.questions}
    found = []
    for asked in learned.seen.questions:
        one = there.get(asked.question.name)
        measured = [] if one is None else _measure(workspace, one, blind)
        row = task_type(asked.question)
        counts = [] if row.is_number else asked.labels.targets.sum(axis=0).tolist()
        rows = zip(asked.question.labels, counts, strict=False)
        found.append(
            QuestionFigures(
                name=asked.question.name,
                kind=asked.question.kind,
                metric=row.metric,
                labels=len(asked.labels),
                blind=int(np.isin(asked.labels.ids, blind).sum()),
                condition=in_words(asked.question, config.questions),
                empty=empty.get(asked.question.name, ""),
                figures=[_figure(figure) for figure in measured],
                per_label=[QuestionLabelRow(label=label.title, labels=int(count)) for label, count in rows][
                    :_MOST_LABELS
                ],
            )
        )
    return found


def _measure(workspace: Workspace, one: LearnedQuestion, blind: Ids) -> Sequence[Figure]:
    if not len(one.labels):
        return []
    return task_type(one.question).learner.figures(
        one.labels,
        one.trained.out_of_fold,
        blind=np.isin(one.labels.ids, blind),
        rng=np.random.default_rng(workspace.seed),
    )


def _figure(figure: Figure) -> QuestionFigure:
    return QuestionFigure(
        name=figure.name,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        higher_is_better=figure.higher_is_better,
    )
