"""A number: an amount, a length, an age in the only column of the label space.

Ridge regression on the vectors of items. An answer is right here when it is off by at most the tolerance:
half the standard deviation of the numbers that people gave. That does not depend on the head, so that a
better head is right more often, and it is in the unit of the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.ridge import Numbers, RidgeFit, RidgeHead, constant_head, fit_ridge
from model.records import Embeddings, Floats, Ids, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Tensors, Trained
from model.tasks.chances import share_figure
from model.tasks.error_interval import error_figure
from model.tasks.rows import order_by_id, require_blind, require_trainable

KIND = "number"
TOLERANCE = 0.5  # standard deviations of the numbers that people gave
_FAR_OUT = 3.0  # interquartile ranges beyond the quartiles (Tukey, 1977)
_SAME = 1e-6  # share of a number within which two are the same, where all labels are
_MOST_DEVIATIONS = 200


@dataclass(frozen=True, slots=True, eq=False)
class NumberHead:
    """A ridge head, and how far its answers were off.

    `tolerance` > 0, in the unit of the numbers; `deviations` (q,) are the errors of left-out answers, each
    over its spread, in ascending order. None are known of a single label.
    """

    ridge: RidgeHead
    deviations: Numbers
    tolerance: float
    column: LabelSpace

    def __post_init__(self) -> None:
        _require_one_column(self.column)
        if not (np.isfinite(self.tolerance) and self.tolerance > 0):
            raise ValueError(f"NumberHead: tolerance is {self.tolerance}; it must be above 0")
        if self.deviations.ndim != 1 or not np.isfinite(self.deviations).all():
            raise ValueError("NumberHead: deviations are not a row of finite numbers")

    @property
    def space(self) -> LabelSpace:
        """The only column."""
        return self.column

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """An answer to each item; raises ValueError on vectors of other dimensions."""
        answers, spreads = self.ridge.answers(items.vectors)
        confidence = _confidence(spreads, self.deviations, self.tolerance, self.ridge.labels)
        return _beliefs(items.ids, answers, confidence, spreads, model_version)

    def tensors(self) -> Tensors:
        """The fields of the ridge head, the deviations (q,), and the tolerance; single numbers are (1,)."""
        ridge = self.ridge
        return {
            "weights": ridge.weights,
            "centre": ridge.centre,
            "directions": ridge.directions,
            "squares": ridge.squares,
            "deviations": self.deviations,
            "offset": np.array([ridge.offset], dtype=np.float64),
            "penalty": np.array([ridge.penalty], dtype=np.float64),
            "noise": np.array([ridge.noise], dtype=np.float64),
            "tolerance": np.array([self.tolerance], dtype=np.float64),
            "labels": np.array([ridge.labels], dtype=np.int64),
        }


class Number:
    """Learns which number a person would give."""

    @property
    def kind(self) -> str:
        """`number`."""
        return KIND

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """None: nothing says which number before one was given."""
        return None

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """Fits a ridge head; names and the generator are not looked at.

        A number that lies more than three interquartile ranges beyond the quartiles teaches as if it lay
        there, so that a slip of the keyboard does not bend every answer; it is measured as it is. Raises
        ValueError without labels, where rows do not match or where the space has more than one column.
        """
        require_trainable(KIND, items, labels, audit)
        _require_one_column(labels.space)
        there, back = order_by_id(items)
        items, labels = items.take(there), labels.take(there)
        numbers = labels.targets[:, 0].astype(np.float64)
        tolerance = number_tolerance(numbers)
        fit = _fit(items.vectors, _without_far_out(numbers))
        errors = np.abs(numbers - fit.left_out) if len(numbers) > 1 else np.zeros(0)
        head = NumberHead(fit.head, _deviations(errors, fit), tolerance, labels.space)
        confidence = _confidence(fit.spreads, head.deviations, tolerance, max(len(numbers) - 1, 1))
        believed = _beliefs(labels.ids, fit.left_out, confidence, fit.spreads, OUT_OF_FOLD)
        metrics: dict[str, float | None] = {
            "labels": float(len(numbers)),
            "penalty": fit.head.penalty,
            "tolerance": tolerance,
            "out_of_fold_mae": float(errors.mean()) if len(errors) else None,
            "out_of_fold_within": float((errors <= tolerance).mean()) if len(errors) else None,
        }
        return Trained(head, believed.take(back), metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> NumberHead:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        ridge = RidgeHead(
            weights=tensors["weights"],
            centre=tensors["centre"],
            offset=float(tensors["offset"].item()),
            directions=tensors["directions"],
            squares=tensors["squares"],
            penalty=float(tensors["penalty"].item()),
            labels=int(tensors["labels"].item()),
            noise=float(tensors["noise"].item()),
        )
        return NumberHead(ridge, tensors["deviations"], float(tensors["tolerance"].item()), space)

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """One less the difference over the larger of two numbers (n, 1); 0 from a different sign on."""
        if given.shape != answers.shape:
            raise ValueError(f"agree: answers of {given.shape} beside answers of {answers.shape}")
        one, other = given[:, 0].astype(np.float64), answers[:, 0].astype(np.float64)
        larger = np.maximum(np.abs(one), np.abs(other))
        apart = np.abs(one - other) / np.where(larger > 0, larger, 1.0)
        alike: Floats = np.clip(1.0 - apart, 0.0, 1.0).astype(np.float32)
        return alike

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Mean absolute error, from ten blind answers on, and the share within the tolerance."""
        require_blind(KIND, labels, len(out_of_fold), blind)
        numbers = labels.targets[:, 0].astype(np.float64)
        tolerance = number_tolerance(numbers) if len(numbers) else 1.0
        errors = np.abs(numbers - out_of_fold.answers[:, 0])[blind]
        right = (errors <= tolerance).astype(np.float32)
        error = error_figure(errors.astype(np.float32), smallest=tolerance)
        return error, share_figure("within tolerance", right)


def number_tolerance(numbers: Numbers) -> float:
    """How far an answer may be off and be right, above 0, by the numbers (n,) that people gave.

    Half their standard deviation, far-out ones drawn in; where all are the same, a millionth of them.
    """
    near = _without_far_out(numbers)
    return max(TOLERANCE * float(near.std()), _SAME * max(float(np.abs(near).max()), 1.0))


def _without_far_out(numbers: Numbers) -> Numbers:
    """Numbers (n,) with those far out moved to the fence; as they are while half of them are the same."""
    first, third = np.quantile(numbers, (0.25, 0.75))
    reach = _FAR_OUT * (third - first)
    return np.clip(numbers, first - reach, third + reach) if reach > 0 else numbers


def _fit(vectors: Floats, numbers: Numbers) -> RidgeFit:
    """A ridge head; from numbers that are all the same one that answers this."""
    if np.ptp(numbers) > _SAME * max(float(np.abs(numbers).max()), 1.0):
        return fit_ridge(vectors, numbers)
    # One more label may always be different: the spread shrinks as labels come in.
    noise = max(abs(float(numbers[0])), 1.0) / np.sqrt(len(numbers) + 1.0)
    head = constant_head(vectors, float(numbers.mean()), noise=float(noise))
    spreads = np.full(len(numbers), noise)
    return RidgeFit(head, numbers if len(numbers) > 1 else np.zeros(1), spreads)


def _deviations(errors: Numbers, fit: RidgeFit) -> Numbers:
    """Errors (n,) of left-out answers over their spread, in order; of many some that stand for all."""
    if not len(errors):
        return np.zeros(0)
    found = np.sort(errors / fit.spreads)
    if len(found) <= _MOST_DEVIATIONS:
        return found
    stand_in: Numbers = np.quantile(found, (np.arange(_MOST_DEVIATIONS) + 0.5) / _MOST_DEVIATIONS)
    return stand_in


def _confidence(spreads: Numbers, deviations: Numbers, tolerance: float, labels: int) -> Numbers:
    """The chance (n,) that an answer of such a spread is within the tolerance.

    By how often left-out answers were, with one more that was not: without any it is 0.
    """
    if not len(deviations):
        return np.zeros(len(spreads))
    reached = (np.arange(len(deviations)) + 1.0) / len(deviations) * labels / (labels + 1.0)
    allowed = tolerance / np.maximum(spreads, 1e-30)
    found: Numbers = np.interp(allowed, np.append(0.0, deviations), np.append(0.0, reached))
    return found


def _beliefs(
    ids: Ids, answers: Numbers, confidence: Numbers, spreads: Numbers, model_version: str
) -> Beliefs:
    column = answers.astype(np.float32)[:, None]
    return Beliefs(
        ids=ids,
        values=column,
        answers=column,
        confidence=confidence.astype(np.float32),
        uncertainty=spreads.astype(np.float32),
        mass=np.ones_like(column),
        model_version=model_version,
    )


def _require_one_column(space: LabelSpace) -> None:
    if len(space) != 1:
        raise ValueError(f"number: the label space has {len(space)} columns, not one")
