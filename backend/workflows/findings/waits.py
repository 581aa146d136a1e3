"""What cannot be told of a project yet: what is known, what is lacking, and when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.workflows.project.figures import Accuracy, ClassRow, Signals, Wait
from model.audit import labels_until
from model.signals.estimate import percent
from model.signals.honest_accuracy import FEWEST, FEWEST_OF_A_CLASS
from model.signals.learning_curve import FEWEST_AUDIT
from model.signals.trusted import Trusted


@dataclass(frozen=True, slots=True)
class Blind:
    """The blind answers: how many there are, how many were right, and how sure the model was, in [0, 1]."""

    answers: int
    right: int
    sure: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """When blind answers come: after `labels` there are `pool` tasks left, and `share` of them are blind."""

    labels: int
    pool: int
    share: float

    def answers(self, blind: int) -> int | None:
        """How many answers of all kinds bring so many blind ones; None if the tasks do not reach so far."""
        found = labels_until(blind, self.labels, share=self.share)
        return found if found is not None and found <= self.pool else None


def list_waits(
    signals: Signals, *, blind: Blind, schedule: Schedule, trusted: Trusted | None, by_names: bool = False
) -> list[Wait]:
    """A row for every finding that waits, in the order of the page.

    `by_names`: before the first answer the model goes by the names of the labels.
    """
    found = signals.accuracy
    waits: list[Wait] = []
    if found is not None and found.method is None:
        waits.append(_for_accuracy(found, schedule, by_names=by_names))
    if not signals.curve:
        waits += _for_the_curve(blind, schedule)
    if not signals.calibration or not signals.calibration.bins:
        waits.append(_for_calibration(blind, schedule))
    if rows := [row for row in signals.per_class if row.more]:
        waits.append(_for_classes(signals.per_class, rows, blind, schedule))
    if trusted is not None and trusted.threshold is None:
        waits.append(_for_trust(trusted, blind, schedule))
    return waits


def say(wait: Wait) -> str:
    """A wait in one paragraph."""
    words = f"{wait.known} {wait.lacks}"
    return f"{words} About {_counted(wait.answers, 'more answer')} until then." if wait.answers else words


def _for_accuracy(found: Accuracy, schedule: Schedule, *, by_names: bool) -> Wait:
    how = "the model goes by the names of the labels alone" if by_names else "the model says nothing yet"
    known = f"No answer yet: {how}."
    if found.rough is not None and found.rough_n:
        known = f"Roughly {percent(found.rough)} right, by all {_counted(found.rough_n, 'answer')} so far."
    return Wait(
        of="accuracy", known=known, lacks="The first blind answer.", blind=1, answers=schedule.answers(1)
    )


def _for_the_curve(blind: Blind, schedule: Schedule) -> Iterator[Wait]:
    """The curve, and what is made from it."""
    more = max(FEWEST_AUDIT - blind.answers, 0)
    there = (
        f"needs {FEWEST_AUDIT} blind answers; there are {blind.answers}." if more else "needs more answers."
    )
    answers = schedule.answers(more) if more else None
    now = f"The model has learned {_counted(schedule.labels, 'answer')}; {_so_far(blind)}"
    yield Wait(of="curve", known=now, lacks=f"It {there}", blind=more, answers=answers)
    known = "What the next answers bring is read off the curve of the earlier ones."
    yield Wait(of="forecast", known=known, lacks=f"The curve {there}", blind=more, answers=answers)
    known = "Blind answers come in a random order, so a model of these alone is the comparison."
    yield Wait(of="advantage", known=known, lacks=f"It {there}", blind=more, answers=answers)


def _for_calibration(blind: Blind, schedule: Schedule) -> Wait:
    more = max(FEWEST - blind.answers, 0)
    lacks = f"It needs {FEWEST} blind answers; there are {blind.answers}."
    known = _so_far(blind)
    if blind.answers:
        known += f" The model was {percent(blind.sure)} sure of them on average."
    return Wait(
        of="calibration",
        known=f"{known[:1].upper()}{known[1:]}",
        lacks=lacks,
        blind=more,
        answers=schedule.answers(more),
    )


def _for_classes(
    everything: Sequence[ClassRow], waiting: Sequence[ClassRow], blind: Blind, schedule: Schedule
) -> Wait:
    """The rarest class decides, at the share of blind answers that each had so far."""
    more: int | None = None
    if all(row.audit for row in waiting) and blind.answers:
        more = max(math.ceil((row.more or 0) * blind.answers / row.audit) for row in waiting)
    rarest = min(waiting, key=lambda row: (row.audit, row.labels, row.label))
    return Wait(
        of="classes",
        known=(
            f"{len(everything) - len(waiting)} of {_counted(len(everything), 'label')} have "
            f"{FEWEST_OF_A_CLASS} blind answers or more."
        ),
        lacks=f"It needs {FEWEST_OF_A_CLASS} blind answers of each; {rarest.label} has {rarest.audit}.",
        blind=more,
        answers=None if more is None else schedule.answers(more),
    )


def _for_trust(trusted: Trusted, blind: Blind, schedule: Schedule) -> Wait:
    """As many more as sure as those that were tested; of all blind answers these are a share."""
    more: int | None = max(trusted.needed - blind.answers, 0)
    known = f"{_counted(blind.answers, 'blind answer')}, none of them tested yet."
    if trusted.tested:
        wrong = "none was wrong" if not trusted.errors else f"{trusted.errors} were wrong"
        known = f"Of the {trusted.tested} surest blind answers {wrong}."
        more = math.ceil((trusted.needed - trusted.tested) * blind.answers / trusted.tested)
    return Wait(
        of="trusted",
        known=known,
        lacks=f"It needs {trusted.needed} blind answers on its surest guesses, without more errors.",
        blind=more,
        answers=schedule.answers(more) if more else None,
    )


def _so_far(blind: Blind) -> str:
    if not blind.answers:
        return "no blind answer judges it yet."
    return f"it was right on {blind.right} of {_counted(blind.answers, 'blind answer')}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
