"""What learning curves say: labels needed, area under the curve, and whether a difference is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.simulation.run import Curve

REPETITIONS = 2000
# Of fewer seeds a bootstrap draws little but the same values: its interval would say that all is sure.
FEWEST_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the lowest and highest value that fit the seeds at 95 %."""

    mean: float
    low: float
    high: float


def labels_needed(curve: Curve, target: float) -> float | None:
    """Labels at which a curve first reaches an accuracy, by straight lines; None if never."""
    labels, values = curve.labels, curve.accuracy
    if values[0] >= target:
        return float(labels[0])
    for place in range(1, len(values)):
        if values[place] >= target:
            rise = (target - values[place - 1]) / (values[place] - values[place - 1])
            return labels[place - 1] + rise * (labels[place] - labels[place - 1])
    return None


def accuracy_at(curve: Curve, budgets: Sequence[int]) -> list[float]:
    """Accuracy with so many labels each, between trainings by a straight line."""
    return [float(value) for value in np.interp(budgets, curve.labels, curve.accuracy)]


def area_under(curve: Curve) -> float:
    """Mean accuracy from no label to the last, in [0, 1]."""
    return float(np.trapezoid(curve.accuracy, curve.labels) / (curve.labels[-1] - curve.labels[0]))


def audit_at(curve: Curve, budgets: Sequence[int]) -> list[tuple[float, float, float] | None]:
    """What the audit said after the last training within each budget: estimate, low, high."""
    places = np.searchsorted(curve.labels, budgets, side="right") - 1
    return [curve.audit[place] for place in places]


def paired_difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0) -> Interval:
    """Mean of ours - theirs over paired seeds, with a bootstrap interval (Efron, 1979)."""
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"paired_difference: {len(ours)} and {len(theirs)} values cannot be paired")
    return _bootstrap(np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64), seed=seed)


def mean_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """Mean over seeds with a bootstrap interval."""
    if not values:
        raise ValueError("mean_interval: there are no values")
    return _bootstrap(np.asarray(values, dtype=np.float64), seed=seed)


def _bootstrap(values: NDArray[np.float64], *, seed: int) -> Interval:
    drawn = np.random.default_rng(seed).integers(0, len(values), (REPETITIONS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return Interval(float(values.mean()), float(low), float(high))
