"""Accuracy as an inverse power of the number of labels, fitted to many resamplings of the audit at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.signals.estimate import Estimate
from model.signals.prediction_powered import Sample, power_tuning

EXPONENTS = np.array([0.25, 0.5, 0.75, 1.0, 1.5])
_LEAST_SPREAD = 1e-3  # of an accuracy: closer than this no curve goes through its points by anything but luck

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PowerLaw:
    """b curves accuracy(n) = a - slope · n^-c, each a mix over exponents c: top, slope and chance (b, e)."""

    top: Numbers
    slope: Numbers
    chance: Numbers

    def accuracy(self, labels: Numbers) -> Numbers:
        """Accuracy (b,) of each curve at its own number of labels (b,)."""
        powers = labels[:, None] ** -EXPONENTS
        mixed: Numbers = ((self.top - self.slope * powers) * self.chance).sum(axis=1)
        return mixed

    def through(self, accuracy: Numbers, labels: Numbers) -> PowerLaw:
        """Curves to the same tops, by the same exponents, through other accuracies (b, k) at labels (k,)."""
        powers = labels[:, None] ** -EXPONENTS  # (k, e)
        weights = labels / labels.sum()
        below = self.top[:, None, :] - accuracy[:, :, None]  # (b, k, e)
        slope = np.einsum("bke,ke,k->be", below, powers, weights) / (weights @ powers**2)
        return PowerLaw(self.top, np.maximum(slope, 0.0), self.chance)


def fit_power_law(accuracy: Numbers, labels: Numbers) -> PowerLaw:
    """Curves through b rows of accuracies (b, k) at numbers of labels (k,), ascending.

    Least squares with weights that grow with the labels (Figueroa et al., 2012, Predicting sample size
    required for classification performance). The exponents are mixed by how well they fit, since the data
    hardly tells them apart. Curves never fall and never exceed 1. Raises ValueError on what is not finite.
    """
    if not (np.isfinite(accuracy).all() and np.isfinite(labels).all() and (labels > 0).all()):
        raise ValueError("fit_power_law: a number is not finite, or no labels")
    weights = labels / labels.sum()
    apart = (accuracy[:, :-1] - accuracy[:, -1:]).std(axis=0)  # points share their items, so levels say less
    spread = max(float(apart.mean()) if len(apart) else 0.0, _LEAST_SPREAD)
    tops, slopes, losses = [], [], []
    for exponent in EXPONENTS:
        powers = labels**-exponent
        top, slope = _fit_line(accuracy, powers, weights)
        error = accuracy - (top[:, None] - slope[:, None] * powers)
        tops.append(top)
        slopes.append(slope)
        losses.append(len(labels) * (error**2 @ weights))
    loss = np.stack(losses, axis=1)
    chance = np.exp(-(loss - loss.min(axis=1, keepdims=True)) / (2.0 * spread**2))
    chance /= chance.sum(axis=1, keepdims=True)
    return PowerLaw(np.stack(tops, axis=1), np.stack(slopes, axis=1), chance)


def learned_more(judged: Estimate, share: float) -> Estimate:
    """Accuracy of a head that learned from all labels, where one judged that learned from a share of them.

    By the flattest curve that is reckoned with: less is never claimed than the others would allow.
    """
    left = float(share ** EXPONENTS.min())  # errors of the one for each error of the other
    value, low, high = (1.0 - left * (1.0 - x) for x in (judged.value, judged.low, judged.high))
    return Estimate(value, low, high)


def draw_rows(rows: int, draws: int, rng: np.random.Generator) -> Numbers:
    """Bootstrap weights (draws, rows), each row of them summing to 1 (Efron, 1979)."""
    counts = rng.multinomial(rows, np.full(rows, 1.0 / rows), size=draws)
    weights: Numbers = counts.astype(np.float64) / rows
    return weights


def accuracies_of(samples: Sequence[Sample], drawn: Numbers) -> Numbers:
    """Accuracy (b, k) of k samples of the same items, for each bootstrap weighting (b, m)."""
    found = []
    for sample in samples:
        trust = power_tuning(sample.right, sample.sure)
        rest = trust * sample.rest + drawn @ (sample.right - trust * sample.sure)
        found.append((1.0 - sample.share) * sample.known + sample.share * np.clip(rest, 0.0, 1.0))
    return np.stack(found, axis=1)


def _fit_line(accuracy: Numbers, powers: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Top and slope (b,) of accuracy = top - slope · power, slope at least 0 and top at most 1."""
    middle, mean = float(weights @ powers), accuracy @ weights
    away = weights * (powers - middle)
    spread = float(away @ (powers - middle))
    slope = (
        np.maximum(-(accuracy - mean[:, None]) @ away / spread, 0.0) if spread > 0 else np.zeros(len(mean))
    )
    top = mean + slope * middle
    through_one = np.maximum((1.0 - accuracy) @ (weights * powers) / float(weights @ powers**2), 0.0)
    above = top > 1.0
    return np.where(above, 1.0, top), np.where(above, through_one, slope)
