"""Which pre-annotations can be trusted: a confidence above which a promised precision is certain enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from model.records import Floats
from model.signals.estimate import percent

_BELIEFS = (0.5, 1.0, 2.0)  # times the errors that confidences predict; each as likely as the others

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trusted:
    """The threshold on the confidence from which on pre-annotations keep the promise; None until certain.

    `coverage` is the share of the items without a label that reach it. `tested` audit labels stood above
    the last threshold that was tried, `errors` of them wrong; `needed` would have to be there, with that
    many errors, to certify it.
    """

    threshold: float | None
    coverage: float
    precision: float
    certainty: float
    tested: int
    errors: int
    needed: int
    words: str


def certify_threshold(
    audit_confidence: Floats,
    audit_correct: Mask,
    *,
    unlabelled_confidence: Floats,
    precision: float = 0.95,
    certainty: float = 0.9,
) -> Trusted:
    """The lowest confidence above which at least `precision` of predictions are right, with `certainty`.

    audit_confidence (m,), out of fold, and audit_correct (m,) belong to audit items, a random sample of
    the pool; unlabelled_confidence (u,) is the deployed head's for every item without a label.

    Learn then Test (Angelopoulos et al., 2021) with exact binomial tests in a fixed sequence. The tests
    stand where they waste nothing: at the fewest items above the threshold that certify it with 0, 1, 2, …
    errors. The first one is chosen by what confidences predict, never by audit answers; each next one is
    looser, until one fails. So the promise is broken in at most 1 - certainty of all cases, however wrong
    the confidences are. Raises ValueError on shares outside (0, 1) or numbers that are not finite.
    """
    _require_sound(audit_confidence, audit_correct, unlabelled_confidence, precision, certainty)
    order = np.argsort(-audit_confidence, kind="stable")
    confidence = audit_confidence[order].astype(np.float64)
    wrong = np.concatenate([[0], np.cumsum(~audit_correct[order])])
    sizes = certifying_sizes(len(order), precision=precision, certainty=certainty)
    # Audit items of one confidence stand on one side of any threshold, so a test takes all of them.
    ends = np.searchsorted(-confidence, -confidence[sizes - 1], side="right")
    tests = np.unique(ends)
    best, last = 0, 0
    for last in tests[_choose_start(confidence, tests, unlabelled_confidence, sizes) :]:
        if not _certifies(int(wrong[last]), int(last), precision, certainty):
            break
        best = int(last)
    if best:
        threshold, errors = float(confidence[best - 1]), int(wrong[best])
        return _certified(threshold, unlabelled_confidence, precision, certainty, tested=best, errors=errors)
    tested, errors = int(last), int(wrong[last])
    needed = _fewest(errors, precision, certainty)
    words = _not_yet(tested, errors, needed, precision, audit_labels=len(order))
    return Trusted(None, 0.0, precision, certainty, tested, errors, needed, words)


def certifying_sizes(limit: int, *, precision: float, certainty: float) -> NDArray[np.intp]:
    """The fewest items, up to `limit`, that certify a precision with 0 errors, with 1, with 2, …"""
    counts: NDArray[np.intp] = np.arange(1, limit + 1, dtype=np.intp)
    sizes: list[int] = []
    while len(counts):
        passing = np.flatnonzero(bdtr(len(sizes), counts, 1.0 - precision) <= 1.0 - certainty)
        if not len(passing):
            break
        sizes.append(int(counts[passing[0]]))
        counts = counts[passing[0] + 1 :]
    return np.array(sizes, dtype=np.intp)


def _choose_start(
    confidence: Numbers, tests: NDArray[np.intp], unlabelled: Floats, sizes: NDArray[np.intp]
) -> int:
    """The first test from which the sequence should end at the largest share of the pool.

    Works backwards over the number of errors so far, with errors as likely as the confidences say, and
    half and twice as likely.
    """
    if len(tests) < 2:
        return 0
    surest = np.sort(unlabelled)
    coverage = 1.0 - np.searchsorted(surest, confidence[tests - 1]) / max(len(surest), 1)
    expected = np.zeros(len(tests))
    allowed = np.searchsorted(sizes, tests, side="right")  # numbers of errors with which a test passes
    for times in _BELIEFS:
        doubt = np.minimum(times * (1.0 - confidence), 1.0)
        expected += _expected_coverage(doubt, tests, allowed, coverage)
    return int(expected.argmax())


def _expected_coverage(
    doubt: Numbers, tests: NDArray[np.intp], allowed: NDArray[np.intp], coverage: Numbers
) -> Numbers:
    """Mean share of the pool that a sequence from each test on will certify."""
    states = np.arange(allowed[-1])
    blocks = [_add_errors(_no_error(len(states)), block) for block in np.split(doubt, tests)[1:-1]]
    # What is reached by errors so far, once a test is passed; at the last one there is nothing beyond.
    reached = [np.full(len(states), coverage[-1])]
    for number in range(len(tests) - 2, -1, -1):
        gained = np.where(states < allowed[number + 1], reached[0] - coverage[number], 0.0)
        reached.insert(0, coverage[number] + np.correlate(gained, blocks[number], "full")[len(states) - 1 :])
    chances, expected = _no_error(len(states)), np.zeros(len(tests))
    for number, block in enumerate(np.split(doubt, tests)[:-1]):
        chances = _add_errors(chances, block)
        expected[number] = chances @ np.where(states < allowed[number], reached[number], 0.0)
    return expected


def _no_error(states: int) -> Numbers:
    chances = np.zeros(states)
    chances[0] = 1.0
    return chances


def _add_errors(chances: Numbers, doubt: Numbers) -> Numbers:
    """Chances of 0, 1, 2, … errors after more items, which are wrong with these chances."""
    for wrong in doubt:
        chances = chances * (1.0 - wrong) + np.concatenate([[0.0], chances[:-1]]) * wrong
    return chances


def _certifies(errors: int, items: int, precision: float, certainty: float) -> bool:
    return bool(bdtr(errors, items, 1.0 - precision) <= 1.0 - certainty)


def _fewest(errors: int, precision: float, certainty: float) -> int:
    """How many items certify a precision with so many errors among them."""
    items = errors + math.ceil(math.log(1.0 - certainty) / math.log(precision))
    while not _certifies(errors, items, precision, certainty):
        items += 1
    return items


def _certified(
    threshold: float,
    unlabelled: Floats,
    precision: float,
    certainty: float,
    *,
    tested: int,
    errors: int,
) -> Trusted:
    coverage = float((unlabelled >= threshold).mean()) if len(unlabelled) else 0.0
    words = (
        f"Pre-annotations from a confidence of {100 * threshold:.0f} % on are right in at least "
        f"{percent(precision)} of cases, {percent(certainty)} certain; "
        f"that is {percent(coverage)} of the unlabelled items."
    )
    return Trusted(threshold, coverage, precision, certainty, tested, errors, tested, words)


def _not_yet(tested: int, errors: int, needed: int, precision: float, *, audit_labels: int) -> str:
    if not tested:
        return (
            f"No pre-annotation is called trusted yet: {percent(precision)} needs {needed} labels that were "
            f"asked blind; there are {audit_labels}."
        )
    return (
        f"No pre-annotation is called trusted yet: {errors} of the {tested} surest audit labels were wrong; "
        f"{percent(precision)} with so many wrong needs {needed} as sure as these."
    )


def _require_sound(
    confidence: Floats, correct: Mask, unlabelled: Floats, precision: float, certainty: float
) -> None:
    if len(confidence) != len(correct):
        raise ValueError(f"certify_threshold: {len(confidence)} confidences for {len(correct)} answers")
    if not (np.isfinite(confidence).all() and np.isfinite(unlabelled).all()):
        raise ValueError("certify_threshold: a confidence is not finite")
    if not (0.0 < precision < 1.0 and 0.0 < certainty < 1.0):
        raise ValueError(f"certify_threshold: precision {precision} and certainty {certainty} are not shares")
