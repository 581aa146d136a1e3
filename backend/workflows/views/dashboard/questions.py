"""The questions of a project beside a first single choice: how good each is, and what it goes without."""

from __future__ import annotations

from collections.abc import Sequence

from backend.json_types import Json
from backend.task_types import TASK_TYPES
from backend.workflows.project.figures import QuestionFigure, QuestionFigures, QuestionLabelRow, Signals
from backend.workflows.views.dashboard.nouns import part_of
from backend.workflows.views.wording import percent
from model.tasks.f1_interval import FEWEST

# What figures are called on the page; the term of the field stands behind it.
_NAMES = {
    "accuracy": "Right answers",
    "micro F1": "Ticks that fit, over all labels (micro F1)",
    "macro F1": "Ticks that fit, each label alike (macro F1)",
    "subset accuracy": "Answers with exactly the right labels",
    "mean absolute error": "Off by, on average",
    "exact agreement": "Exactly the right grade",
    "within tolerance": "Near enough (off by half a standard deviation at most)",
    "hierarchical F1": "Steps of the paths that fit (hierarchical F1)",
    "exact paths": "Answers with exactly the right paths",
    "first level right": "The right first step",
    "accuracy where a side was named": "Right where people named a side",
    "share of ties": "Ties among the answers",
}
# How the answers are counted by part, where that is not plain.
_COUNTING = {"taxonomy": "An answer counts where its path ends, and not at the steps above."}
# Shares of answers that are right in every part: of the first question the headline tells it, with more care.
_OF_THE_HEADLINE = ("accuracy", "subset accuracy", "exact agreement", "within tolerance", "exact paths")


def question_cards(signals: Signals, *, has_choice: bool) -> list[Json]:
    """One card for each question that is learned through the table of task types.

    `has_choice`: the first question of the project is one choice, and stands elsewhere on the page.
    """
    told = () if has_choice else _OF_THE_HEADLINE
    return [
        _card(question, without=told if place == 0 else ())
        for place, question in enumerate(signals.questions)
    ]


def words_of_missing(signals: Signals, *, has_choice: bool) -> str:
    """What the kind of the first question goes without; empty for a single choice."""
    if has_choice or not signals.questions:
        return ""
    row = TASK_TYPES.get(signals.questions[0].kind)
    if row is None or not row.lacks:
        return ""
    return f"Not there yet for {signals.questions[0].name}, the first question: {', '.join(row.lacks)}."


def _card(question: QuestionFigures, *, without: Sequence[str]) -> Json:
    unit = " grades" if question.kind == "rating" else ""
    return {
        "name": question.name,
        "kind": question.kind,
        "labels": question.labels,
        "blind": question.blind,
        "condition": question.condition,
        "empty": question.empty,
        "figures": [_figure(one, unit) for one in question.figures if one.name not in without],
        "parts": part_of(question.kind),
        "counting": _COUNTING.get(question.kind, ""),
        "per_label": [
            {"label": row.label, "labels": row.labels, "doubt": _doubt(row)} for row in question.per_label
        ],
        "suspects": question.suspects.words if question.suspects else "",
        "has_doubt": any(row.mistaken or row.missing for row in question.per_label),
        "unused": sum(row.labels == 0 for row in question.per_label),
    }


def _doubt(row: QuestionLabelRow) -> str:
    """How many answers seem to have a label by mistake, and how many to lack it."""
    mistaken, missing = row.mistaken or 0, row.missing or 0
    said = [f"{mistaken} given by mistake"] if mistaken else []
    return ", ".join([*said, *([f"{missing} missing"] if missing else [])])


def _figure(figure: QuestionFigure, unit: str) -> Json:
    is_share = figure.higher_is_better
    found: Json = {"name": _NAMES.get(figure.name, figure.name), "words": "", "interval": None}
    if figure.value is None or figure.low is None or figure.high is None:
        found["words"] = _too_few(figure.n)
    elif is_share:
        found["words"] = f"{percent(figure.value)}, between {percent(figure.low)} and {percent(figure.high)}"
        found["interval"] = {
            "kind": "share",
            "low": figure.low,
            "estimate": figure.value,
            "high": figure.high,
        }
    else:
        found["words"] = f"{figure.value:.2g}{unit}, between {figure.low:.2g} and {figure.high:.2g}"
    return found


def _too_few(blind: int) -> str:
    """Why a figure is not there yet; F1 and errors take as many blind answers as each other."""
    if blind >= FEWEST:
        return f"too few blind answers ({blind})"
    return f"from {FEWEST} blind answers on; there are {blind}" if blind else "no blind answer yet"
