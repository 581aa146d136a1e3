"""How good the model is on items it has not seen, judged by the audit labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_quota
from model.heads.training_set import FOLDS
from model.records import Floats, LabelSpace
from model.signals.estimate import Estimate, exact_share, percent, percent_range, share
from model.signals.power_law import learned_more
from model.signals.prediction_powered import Sample, estimate_accuracy, estimate_exactly

FEWEST = 30  # audit labels below which they are not told apart by class or confidence
FEWEST_ASSISTED = 10  # blind labels below which the other items are not asked for help
FEWEST_OF_A_CLASS = 5
_DRAWS = 400
_LEARNED = 1.0 - 1.0 / FOLDS  # of the labels, by the heads that judge
NO_BLIND_LABEL = "No blind answer yet: only these judge the model."

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """One class among the audit labels: `right` of its `labels` found, `predicted` called so.

    Recall and precision are None without a case to judge by.
    """

    name: str
    labels: int
    right: int
    predicted: int
    recall: Estimate | None
    precision: Estimate | None


@dataclass(frozen=True, slots=True)
class HonestAccuracy:
    """Accuracy on items that the model has not learned from, in [0, 1]; None where nothing is known of it.

    `exact` is there from the first blind label on and rests on these alone. From ten of them on,
    `prediction_powered` also uses what all other items tell; `worth` says for how many plain audit labels one
    counts in it, by the width of the ranges. Both allow for the fifth of the labels that the heads which
    judge have not learned. `plain` is the share of all audit labels. `macro_f1` is there when the classes are
    `skewed`, over those with five audit labels.
    """

    audit_labels: int
    blind_labels: int
    exact: Estimate | None
    plain: Estimate | None
    prediction_powered: Estimate | None
    worth: float | None
    skewed: bool
    macro_f1: Estimate | None
    classes: tuple[ClassAccuracy, ...]
    words: str

    @property
    def shown(self) -> Estimate | None:
        """The one to show: the assisted one where there is one."""
        return self.prediction_powered or self.exact


def measure_accuracy(
    out_of_fold: Floats,
    classes: NDArray[np.intp],
    *,
    audit: Mask,
    blind: Mask | None,
    unlabelled_confidence: Floats,
    space: LabelSpace,
    rng: np.random.Generator,
    position: NDArray[np.intp] | None = None,
) -> HonestAccuracy:
    """Honest accuracy of a head from its labelled rows and its confidence in the rest of the pool.

    out_of_fold (n, c) and classes (n,) hold what heads believed of each labelled item before they learned
    from it, and the answer. `audit` (n,) marks rows of the audit sample, `blind` (n,) those of them that
    were asked because they belong to it (see `asked_blind`); None if that is all. unlabelled_confidence
    (u,) is the deployed head's highest probability for every item without a label. `position` (n,) is how
    many labels there were before each; without it all blind labels count as the last ones.
    Raises ValueError when rows do not match or a number is not finite.
    """
    if len(out_of_fold) != len(classes):
        raise ValueError(f"measure_accuracy: {len(out_of_fold)} beliefs for {len(classes)} labels")
    predicted = out_of_fold.argmax(axis=1)
    found = measure_right(
        predicted == classes,
        out_of_fold.max(axis=1).astype(np.float64),
        audit=audit,
        blind=blind,
        unlabelled_confidence=unlabelled_confidence,
        position=position,
    )
    found = replace(found, classes=_by_class(predicted[audit], classes[audit], space))
    if found.prediction_powered is None or found.audit_labels < FEWEST or not _are_skewed(classes[audit]):
        return found
    macro_f1 = _macro_f1(predicted[audit], classes[audit], rng)
    words = _say(found.prediction_powered, found.blind_labels, macro_f1)
    return replace(found, skewed=True, macro_f1=macro_f1, words=words)


def measure_right(
    correct: Mask,
    confidence: Numbers,
    *,
    audit: Mask,
    blind: Mask | None,
    unlabelled_confidence: Floats,
    position: NDArray[np.intp] | None = None,
) -> HonestAccuracy:
    """The same for answers of any kind: whether each was right (n,), and how sure heads were of it (n,).

    Knows no classes. Raises ValueError as `measure_accuracy` does.
    """
    blind = audit if blind is None else blind
    _require_rows(correct, confidence, audit, blind, unlabelled_confidence)
    total, known = int(audit.sum()), int(blind.sum())
    if not known:
        return HonestAccuracy(total, 0, None, None, None, None, False, None, (), NO_BLIND_LABEL)
    sample = Sample.from_pool(
        correct,
        confidence,
        blind=blind,
        unlabelled_confidence=unlabelled_confidence,
        position=position,
    )
    exact = learned_more(estimate_exactly(sample), _LEARNED)
    if known < FEWEST_ASSISTED:
        words = _say_range(exact, known)
        return HonestAccuracy(total, known, exact, None, None, None, False, None, (), words)
    plain = share(int(correct[audit].sum()), total)
    powered = estimate_accuracy(sample)
    worth = ((plain.high - plain.low) / (powered.high - powered.low)) ** 2
    powered = learned_more(powered, _LEARNED)
    return HonestAccuracy(
        total, known, exact, plain, powered, worth, False, None, (), _say(powered, known, None)
    )


def asked_blind(
    audit_rank: NDArray[np.intp], position: NDArray[np.intp], *, window: int, audit_share: float
) -> Mask:
    """Which labelled rows (n,) were asked as audit items, and not by the strategy before they became some.

    audit_rank (n,): place of the item in the order of the audit hash, 0 first; position (n,): how many
    labels there were before its own. The strategy prefers hard items, so those that it asked are no
    random sample, even where the audit set has grown over them since.
    """
    quotas = [audit_quota(int(place) + window, share=audit_share) for place in position]
    blind: Mask = audit_rank < np.array(quotas, dtype=np.intp)
    return blind


def _by_class(
    predicted: NDArray[np.intp], classes: NDArray[np.intp], space: LabelSpace
) -> tuple[ClassAccuracy, ...]:
    """Every class that was answered or predicted, the one with most audit labels first."""
    found = []
    for column, name in enumerate(space.names):
        is_class, says_class = classes == column, predicted == column
        labels, says, hits = int(is_class.sum()), int(says_class.sum()), int((is_class & says_class).sum())
        if labels or says:
            recall = exact_share(hits, labels) if labels else None
            precision = exact_share(hits, says) if says else None
            found.append(ClassAccuracy(name, labels, hits, says, recall, precision))
    return tuple(sorted(found, key=lambda one: (-one.labels, one.name)))


def _are_skewed(classes: NDArray[np.intp]) -> bool:
    """Whether the largest class is surely more than twice as large as if all were equal."""
    counts = np.bincount(classes)
    return share(int(counts.max()), len(classes)).low > 2.0 / max(int((counts > 0).sum()), 1)


def _macro_f1(
    predicted: NDArray[np.intp], classes: NDArray[np.intp], rng: np.random.Generator
) -> Estimate | None:
    """Mean F1 of the classes with enough audit labels, with a bootstrap interval (Efron, 1979)."""
    counts = np.bincount(classes)
    columns = np.flatnonzero(counts >= FEWEST_OF_A_CLASS)
    if len(columns) < 2:
        return None
    is_class = classes[:, None] == columns
    says_class = predicted[:, None] == columns
    value = float(_mean_f1(is_class, says_class, np.ones((1, len(classes))))[0])
    even = np.full(len(classes), 1.0 / len(classes))
    drawn = rng.multinomial(len(classes), even, size=_DRAWS).astype(np.float64)
    low, high = np.percentile(_mean_f1(is_class, says_class, drawn), (2.5, 97.5))
    return Estimate(value, min(float(low), value), max(float(high), value))


def _mean_f1(is_class: Mask, says_class: Mask, weights: Numbers) -> Numbers:
    """Mean over classes (k,) of F1 for each of b weightings (b, n) of the rows."""
    hits = weights @ (is_class & says_class)  # (b, k)
    sizes = weights @ (is_class.astype(np.float64) + says_class)
    means: Numbers = (2.0 * hits / np.maximum(sizes, 1.0)).mean(axis=1)
    return means


def _say_range(accuracy: Estimate, blind: int) -> str:
    """Of a few answers only the range means something."""
    low = percent(accuracy.low).removesuffix(" %")
    judges = f"{blind} blind answer{'s' if blind > 1 else ''}"
    return f"Right on {low} to {percent(accuracy.high)} of tasks it has not seen, judged by {judges}."


def _say(accuracy: Estimate, blind: int, macro_f1: Estimate | None) -> str:
    words = f"Right on {percent_range(accuracy)} of tasks it has not seen, judged by {blind} blind answers"
    return f"{words}; macro-F1 {percent_range(macro_f1)}." if macro_f1 else f"{words}."


def _require_rows(correct: Mask, confidence: Numbers, audit: Mask, blind: Mask, unlabelled: Floats) -> None:
    rows = len(correct)
    if not len(confidence) == len(audit) == len(blind) == rows:
        raise ValueError(
            f"measure_accuracy: {len(confidence)} beliefs, {len(audit)} audit marks and {len(blind)} "
            f"blind marks for {rows} labels"
        )
    if (blind & ~audit).any():
        raise ValueError("measure_accuracy: a row is blind but not of the audit sample")
    if not (np.isfinite(confidence).all() and np.isfinite(unlabelled).all()):
        raise ValueError("measure_accuracy: a probability is not finite")
