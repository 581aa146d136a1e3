"""What the keywords of labels are worth: how often the label is right where a keyword stands, asked blind."""

from __future__ import annotations

import numpy as np

from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice, task_type
from backend.workflows.intake.keywords import TaskKeywords, keyword_pairs
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.figures import KeywordRow
from model.records import Ids, Labels
from model.signals.estimate import exact_share

FEWEST = 5  # blind answers; of fewer a precision says nothing
_MOST_ROWS = 300


def measure_keywords(config: LabelConfig, seen: Snapshot, blind: Ids) -> list[KeywordRow]:
    """One row for each keyword, in the order of the config; none where no label has any.

    Precision is measured by answers on tasks that were asked `blind` alone: these are a random sample, given
    by people who did not see what the model says.
    """
    if seen.keywords is None:
        return []
    answers = {asked.question.name: asked.labels for asked in seen.questions}
    if is_single_choice(config):
        answers[config.from_name] = seen.labels
    rows = [
        row
        for question in config.questions
        if question.name in answers and not task_type(question).is_number
        for row in _rows(question, answers[question.name], seen.keywords, seen.embeddings.ids, blind)
    ]
    return rows[:_MOST_ROWS]


def _rows(
    question: Question, answers: Labels, keywords: TaskKeywords, ids: Ids, blind: Ids
) -> list[KeywordRow]:
    """`keywords` are of the tasks `ids` (n,)."""
    found = keywords.of_labels(question.labels).found
    is_blind = np.isin(answers.ids, blind)
    held = found[np.isin(ids, answers.ids[is_blind])]
    targets = answers.targets[is_blind] > 0
    return [
        _row(
            question,
            column,
            keyword,
            found[:, at].sum(),
            held[:, at].sum(),
            targets[held[:, at], column].sum(),
        )
        for at, (column, keyword) in enumerate(keyword_pairs(question.labels))
    ]


def _row(question: Question, column: int, keyword: str, tasks: int, blind: int, right: int) -> KeywordRow:
    precision = exact_share(int(right), int(blind)) if blind >= FEWEST else None
    return KeywordRow(
        question=question.name,
        label=question.labels[column].title,
        keyword=keyword,
        tasks=int(tasks),
        blind=int(blind),
        precision=precision.value if precision else None,
        low=precision.low if precision else None,
        high=precision.high if precision else None,
    )
