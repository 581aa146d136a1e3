"""Grades in an order: a linear head of cumulative chances (proportional odds; McCullagh, 1980).

P(grade ≤ k) = sigmoid((threshold_k − w · x) / temperature). One direction w serves all grades, so that a
grade without a label learns from its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from model.heads.single_label import as_float32
from model.records import Floats

Numbers = NDArray[np.float64]
Grades = NDArray[np.intp]

_PSEUDO_ROWS = 1.0  # as if so many items without features had been given every grade alike
_LEAST = 1e-12  # a chance that no grade falls below, so that its logarithm is finite
_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding
_WIDEST = 12.0  # the logarithm of the widest gap between thresholds
_CAUTION = 10.0  # as if so many rows had asked for a temperature of 1
_MOST_STEPS = 100
_COLDEST, _HOTTEST = math.log(0.2), math.log(20.0)


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalHead:
    """Weights (d,), thresholds (g − 1,) that never fall, and a temperature above 0; all finite."""

    weights: Numbers
    thresholds: Numbers
    temperature: float

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or self.thresholds.ndim != 1:
            raise ValueError(f"OrdinalHead: weights {self.weights.shape}, thresholds {self.thresholds.shape}")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.thresholds).all()):
            raise ValueError("OrdinalHead: a weight is not finite")
        if (np.diff(self.thresholds) < 0).any():
            raise ValueError("OrdinalHead: a threshold lies below the one before it")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"OrdinalHead: temperature is {self.temperature}; it must be above 0")

    def places(self, vectors: Floats) -> Numbers:
        """Where vectors (n, d) lie on the line that the thresholds cut, (n,)."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.weights):
            raise ValueError(f"OrdinalHead: vectors {vectors.shape} for {len(self.weights)} dimensions")
        found: Numbers = as_float32(vectors) @ self.weights
        return found

    def chances(self, vectors: Floats) -> Numbers:
        """The chance of each grade (n, g) for vectors (n, d); raises ValueError on other dimensions."""
        return grade_chances(self.places(vectors), self.thresholds[None, :], self.temperature)


def grade_chances(places: Numbers, thresholds: Numbers, temperature: float) -> Numbers:
    """Chances (n, g) for places (n,) and thresholds (n, g − 1) or (1, g − 1); every row sums to 1."""
    ends = np.full((len(thresholds), 1), np.inf)
    edges = (np.concatenate([-ends, thresholds, ends], axis=1) - places[:, None]) / temperature
    lower, upper = edges[:, :-1], edges[:, 1:]
    # The difference is taken on the side where both are small: near 1 it would be rounding alone.
    chances = np.where(lower > 0, expit(-lower) - expit(-upper), expit(upper) - expit(lower))
    chances = np.maximum(chances, _LEAST)
    normalised: Numbers = chances / chances.sum(axis=1, keepdims=True)
    return normalised


def fit_ordinal(vectors: Floats, grades: Grades, count: int, *, inverse_regularisation: float) -> OrdinalHead:
    """Fits a head of temperature 1 to grades (n,), columns from 0 to `count` − 1, of vectors (n, d).

    Minimises the log loss + ||w||² / (2 C), with one pseudo-row without features that is spread over all
    grades, so that a grade without a label keeps a chance. Deterministic.
    """
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    rows = as_float32(vectors).astype(np.float64)
    if count < 2:
        return OrdinalHead(np.zeros(rows.shape[1]), np.zeros(0), 1.0)
    basis = _row_space(rows)
    loss = _Loss(rows @ basis, grades, count, 1.0 / inverse_regularisation)
    start = np.concatenate([np.zeros(basis.shape[1]), _first_thresholds(grades, count)])
    free = [(None, None)] * (basis.shape[1] + 1)
    limits = free + [(-_WIDEST, math.log(_WIDEST))] * (count - 2)
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": _MOST_STEPS}
    )
    weights, unknown = found.x[: basis.shape[1]], found.x[basis.shape[1] :]
    return OrdinalHead(basis @ weights, _thresholds(unknown), 1.0)


def fit_ordinal_temperature(places: Numbers, thresholds: Numbers, grades: Grades) -> float:
    """The temperature of least log loss for held-out places (n,), each with its thresholds (n, g − 1).

    From 0.2 to 20. With few rows it is drawn towards 1, in the logarithm, as if ten rows had asked for it.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(grades))

    def loss(log_temperature: float) -> float:
        chances = grade_chances(places, thresholds, math.exp(log_temperature))
        return float(-np.log(chances[rows, grades]).sum())

    found = minimize_scalar(loss, bounds=(_COLDEST, _HOTTEST), method="bounded")
    return math.exp(float(found.x) * len(grades) / (len(grades) + _CAUTION))


class _Loss:
    """The penalised log loss and its slope; unknowns are weights (r,), the first threshold and log gaps."""

    def __init__(self, rows: Numbers, grades: Grades, count: int, held_back: float) -> None:
        pseudo = np.zeros((count, rows.shape[1]))
        self._rows = np.concatenate([rows, pseudo])
        self._grades = np.concatenate([grades, np.arange(count)])
        shares = np.full(count, _PSEUDO_ROWS / count)
        self._sample_weights = np.concatenate([np.ones(len(rows)), shares])
        self._count, self._held_back = count, held_back

    def __call__(self, unknown: Numbers) -> tuple[float, Numbers]:
        width = self._rows.shape[1]
        weights, thresholds = unknown[:width], _thresholds(unknown[width:])
        edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
        places = self._rows @ weights
        below, above = expit(edges[self._grades] - places), expit(edges[self._grades + 1] - places)
        likelihood = np.maximum(above - below, _LEAST)
        loss = -self._sample_weights @ np.log(likelihood) + 0.5 * self._held_back * (weights @ weights)
        by_place = self._sample_weights * (1.0 - above - below)
        slope = self._rows.T @ by_place + self._held_back * weights
        return float(loss), np.concatenate([slope, self._threshold_slope(unknown[width:], above, below)])

    def _threshold_slope(self, unknown: Numbers, above: Numbers, below: Numbers) -> Numbers:
        """Of the first threshold and the log gaps (g − 1,), by the chain rule."""
        scaled = self._sample_weights / np.maximum(above - below, _LEAST)
        slope = np.zeros(self._count + 1)
        np.add.at(slope, self._grades + 1, -scaled * above * (1.0 - above))
        np.add.at(slope, self._grades, scaled * below * (1.0 - below))
        later = slope[1:-1][::-1].cumsum()[::-1]  # a gap moves every threshold behind it
        later[1:] *= np.exp(unknown[1:])
        return later


def _thresholds(unknown: Numbers) -> Numbers:
    """Thresholds (g − 1,) from the first one and the logarithms of the gaps behind it."""
    found: Numbers = np.concatenate([unknown[:1], np.exp(unknown[1:])]).cumsum()
    return found


def _first_thresholds(grades: Grades, count: int) -> Numbers:
    """The unknowns at which chances are the smoothed shares of the grades."""
    shares = np.bincount(grades, minlength=count) + _PSEUDO_ROWS / count
    below = (shares.cumsum() / shares.sum())[:-1]
    logits = np.log(below) - np.log1p(-below)
    found: Numbers = np.concatenate([logits[:1], np.log(np.diff(logits))])
    return found


def _row_space(rows: Numbers) -> Numbers:
    """Orthonormal directions (d, r) that rows (n, d) span: fewer unknowns while labels are few."""
    if len(rows) >= rows.shape[1]:
        return np.eye(rows.shape[1])
    if not len(rows):
        return np.zeros((rows.shape[1], 0))
    values, vectors = np.linalg.eigh(rows @ rows.T)
    keep = values > _KEEP * max(float(values[-1]), 1e-30)
    basis: Numbers = rows.T @ (vectors[:, keep] / np.sqrt(values[keep]))
    return basis
