"""How good the heads of the questions beside the first one are, in one line each."""

from __future__ import annotations

from backend.workflows.project.figures import QuestionFigures, Signals
from backend.workflows.views.wording import counted, share_with_interval


def accuracy_of_others(signals: Signals) -> list[str]:
    """A line for each question but the first: its name, and its most telling figure by blind answers.

    A first single choice is measured apart, and has rows by class; any other kind is the first of the list.
    """
    others = signals.questions if signals.per_class else signals.questions[1:]
    return [f"{question.name}: {_words(question)}" for question in others]


def _words(question: QuestionFigures) -> str:
    if not question.figures:
        return f"not measured yet, {counted(question.labels, 'answer')} so far"
    figure = question.figures[0]
    count = counted(figure.n, "blind answer")
    if figure.value is None or figure.low is None or figure.high is None:
        return f"{figure.name} is not told yet: {count} so far"
    if figure.higher_is_better:
        return f"{figure.name} {share_with_interval(figure.value, figure.low, figure.high)} on {count}"
    return f"{figure.name} {figure.value:.2g} ({figure.low:.2g} to {figure.high:.2g}) on {count}"
