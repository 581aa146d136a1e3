"""Accuracy as it is written down: of the project, of what is left, by class, and beside the confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.workflows.findings.waits import Schedule
from backend.workflows.project.figures import (
    Accuracy,
    Bin,
    Calibration,
    ClassRow,
    Range,
    RestAccuracy,
)
from backend.workflows.training.learn import Learned
from model.calibration import calibration_error, reliability
from model.records import Floats
from model.signals.estimate import Estimate, percent, percent_range, share
from model.signals.honest_accuracy import (
    FEWEST,
    FEWEST_ASSISTED,
    FEWEST_OF_A_CLASS,
    NO_BLIND_LABEL,
    HonestAccuracy,
)
from model.signals.narrowing import AIM, more_to_narrow
from model.signals.rest_accuracy import accept_all, estimate_rest

_FEWEST_OF_A_BIN, _MOST_BINS = 15, 10


def nothing_judged() -> Accuracy:
    """Accuracy before the first label."""
    return Accuracy(words=NO_BLIND_LABEL, n=0, needed=FEWEST_ASSISTED, aim=AIM)


def accuracy_figures(found: HonestAccuracy, *, right: NDArray[np.bool_], schedule: Schedule) -> Accuracy:
    """Accuracy with its range, and what would narrow that. `right` (n,) are all labels out of fold."""
    shown, plain = found.shown, found.plain
    figures = Accuracy(
        words=found.words,
        estimate=shown.value if shown else None,
        low=shown.low if shown else None,
        high=shown.high if shown else None,
        plain=_range(plain) if plain else None,
        worth=found.worth,
        n=found.audit_labels,
        needed=FEWEST_ASSISTED,
        method=None if shown is None else "assisted" if found.prediction_powered else "exact",
        blind=found.blind_labels,
        aim=AIM,
        rough=float(right.mean()),
        rough_n=len(right),
    )
    if shown is not None:
        helped = found.prediction_powered is not None
        more = more_to_narrow(shown, found.blind_labels, helped=helped)
        if (answers := schedule.answers(more)) is not None:
            figures.more_blind, figures.more_answers = more, answers
    figures.words = " ".join([found.words, *_more_words(figures), *_rough_words(figures)])
    return figures


def rest_figures(
    right: NDArray[np.bool_],
    held_out: NDArray[np.float64],
    found: HonestAccuracy,
    *,
    sure: Floats,
    blind: NDArray[np.bool_],
    open_tasks: int,
) -> RestAccuracy | None:
    """What accepting everything about the open tasks would give; None without a blind answer.

    `right` and `held_out` (n,): which answers were right out of fold, and how sure heads were of them. `sure`
    (u,): confidence in each open task that has a vector, a fair sample of all `open_tasks`.
    """
    if not len(sure):
        return None
    rest = estimate_rest(right, held_out, blind=blind, unlabelled_confidence=sure)
    if rest is None:
        return None
    wrong = round((1.0 - rest.value) * open_tasks)
    return RestAccuracy(
        words=_rest_words(rest, wrong, tasks=open_tasks, blind=found.blind_labels),
        open=open_tasks,
        blind=found.blind_labels,
        estimate=rest.value,
        low=rest.low,
        high=rest.high,
        wrong=wrong,
        whole=_range(accept_all(rest, labels=len(right), unlabelled=open_tasks)),
    )


def _rest_words(rest: Estimate, wrong: int, *, tasks: int, blind: int) -> str:
    """Of a handful of blind answers the range alone: one share would say more than they do."""
    start = f"If you accept what the model says of the {tasks:,} tasks that are left,"
    if blind < FEWEST_ASSISTED or not wrong:
        most, low, high = round((1.0 - rest.low) * tasks), 100 * rest.low, percent(rest.high)
        return f"{start} between {low:.0f} and {high} of these will be right: up to {most:,} wrong."
    return f"{start} {percent_range(rest)} of these will be right: about {wrong:,} wrong."


def class_rows(learned: Learned, accuracy: HonestAccuracy, beliefs: Floats) -> list[ClassRow]:
    """One row a class, in the order of the space. `beliefs` (u, c) are about the pool."""
    space, counts = learned.seen.labels.space, learned.seen.labels.targets.sum(axis=0)
    predicted = np.bincount(beliefs.argmax(axis=1), minlength=len(space)) / max(len(beliefs), 1)
    judged = {one.name: one for one in accuracy.classes}
    rows = []
    for column, name in enumerate(space.names):
        one = judged.get(name)
        recall: Estimate | None = one.recall if one else None
        rows.append(
            ClassRow(
                label=name,
                labels=int(counts[column]),
                audit=one.labels if one else 0,
                right=one.right if one else 0,
                more=max(FEWEST_OF_A_CLASS - (one.labels if one else 0), 0),
                recall=recall.value if recall else None,
                low=recall.low if recall else None,
                high=recall.high if recall else None,
                predicted_share=float(predicted[column]) if len(beliefs) else None,
            )
        )
    return rows


def calibration_figures(learned: Learned) -> Calibration:
    """Confidence beside truth on the audit labels: those that a strategy asked are harder than the pool."""
    audit = learned.seen.audit[learned.seen.labelled]
    beliefs, answers = learned.trained.out_of_fold.values[audit], learned.seen.labels.classes[audit]
    if len(answers) < FEWEST:
        return Calibration()
    bins = reliability(beliefs, answers, bins=min(max(len(answers) // _FEWEST_OF_A_BIN, 2), _MOST_BINS))
    return Calibration(
        ece=calibration_error(beliefs, answers, bins=len(bins)),
        n=len(answers),
        bins=[_bin(mean, round(right * count), count) for mean, right, count in bins],
    )


def _more_words(figures: Accuracy) -> list[str]:
    if not figures.more_blind or not figures.more_answers:
        return []
    return [
        f"About {_about(figures.more_blind)} more blind answers make it ± {100 * AIM:.0f} points: they come "
        f"among {_about(figures.more_answers)} answers of all kinds."
    ]


def _rough_words(figures: Accuracy) -> list[str]:
    if figures.method == "assisted" or figures.rough is None:
        return []
    return [
        f"A rough guess by all {figures.rough_n:,} answers, most of them asked because they are hard: "
        f"{percent(figures.rough)}."
    ]


def _about(count: int) -> str:
    """A number without digits that say nothing: 7, 90, 1,300."""
    digits = 0 if count < 20 else -1 if count < 1000 else -2
    return f"{int(round(count, digits)):,}"


def _range(found: Estimate) -> Range:
    return Range(value=found.value, low=found.low, high=found.high)


def _bin(confidence: float, right: int, count: int) -> Bin:
    found = share(right, count)
    return Bin(confidence=confidence, accuracy=found.value, low=found.low, high=found.high, n=count)
