"""Probabilities that mean what they say: temperature, calibration error, and intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
_CAUTION = 10.0  # as if so many rows had asked for a temperature of 1
_HALVINGS = 24


def fit_temperature(logits: Floats, classes: NDArray[np.intp]) -> float:
    """The temperature T for which softmax(logits / T) has the least mean log loss (Guo et al., 2017).

    logits (n, c) must be out of fold: on its own training rows every head looks too good. The loss is
    convex in 1/T, so its slope is bisected, from T = 0.05 to 20. With few rows the answer is drawn
    towards 1, in the logarithm, as if ten rows had asked for it; without rows it is 1.
    """
    rows = len(logits)
    if rows == 0:
        return 1.0
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)
    right = scaled[np.arange(rows), classes]
    low, high = -math.log(HIGHEST_TEMPERATURE), -math.log(LOWEST_TEMPERATURE)  # log of 1/T
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _slope(scaled, right, math.exp(middle)) > 0:
            high = middle
        else:
            low = middle
    return math.exp(-(low + high) / 2.0 * rows / (rows + _CAUTION))


def calibrated_losses(logits: Floats, classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Log losses (n,) of logits (n, c) at their own best temperature, in nats."""
    return log_losses(logits / np.float32(fit_temperature(logits, classes)), classes)


def log_losses(logits: Floats, classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """-log p(class) of each row (n,) of logits (n, c), in nats."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    losses: NDArray[np.float64] = log_sum - shifted[np.arange(len(shifted)), classes]
    return losses


def calibration_error(probabilities: Floats, classes: NDArray[np.intp], *, bins: int = 10) -> float:
    """Expected calibration error, 0 to 1: mean |confidence - accuracy| over bins of equally many rows.

    Naeini et al., 2015, with bins of equal mass, which small samples need. 0 without rows.
    """
    parts = reliability(probabilities, classes, bins=bins)
    rows = max(sum(count for _, _, count in parts), 1)
    return sum(count * abs(confidence - right) for confidence, right, count in parts) / rows


def reliability(
    probabilities: Floats, classes: NDArray[np.intp], *, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and number of rows in each of some bins of equally many rows (k, 3)."""
    rows = len(probabilities)
    if rows == 0:
        return []
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == classes
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, rows))
    return [(float(confidence[part].mean()), float(right[part].mean()), len(part)) for part in parts]


def wilson_interval(correct: int, total: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Lowest and highest share that fits `correct` of `total`, at 95 % by default (Wilson, 1927).

    (0, 1) when there is nothing to go by.
    """
    if not 0 <= correct <= total:
        raise ValueError(f"wilson_interval: {correct} correct of {total}")
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = (middle - half) / scale, (middle + half) / scale
    return 0.0 if correct == 0 else low, 1.0 if correct == total else high  # exact, whatever rounding says


def _slope(scaled: NDArray[np.float64], right: NDArray[np.float64], inverse: float) -> float:
    """Slope of the summed log loss in 1/T: expected logit less the right one's."""
    powers = np.exp(inverse * scaled)
    expected = (powers * scaled).sum(axis=1) / powers.sum(axis=1)
    return float((expected - right).sum())
