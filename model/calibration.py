"""Probabilities that mean what they say: temperature, calibration error, and intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

Z95 = 1.959964  # standard deviations within which 95 % of a normal distribution lie
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


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """Lowest and highest share that fits `correct` of `total`, at 95 %; (0, 1) when total is 0."""
    if not 0 <= correct <= total:
        raise ValueError(f"wilson_interval: {correct} correct of {total}")
    return score_interval(correct / total, total) if total else (0.0, 1.0)


def exact_interval(correct: int, total: int) -> tuple[float, float]:
    """Clopper and Pearson's interval (1934) of `correct` of `total`, at 95 %; (0, 1) when total is 0.

    It holds the share in at least 95 of 100 samples whatever the share and however small the sample, where
    Wilson's does so on average over shares only: of samples of 5 from a share of .97 every seventh misses it.
    """
    if not 0 <= correct <= total:
        raise ValueError(f"exact_interval: {correct} correct of {total}")
    from scipy.special import betaincinv  # who only prints intervals need not wait for it

    wrong = total - correct
    low = float(betaincinv(correct, wrong + 1, 0.025)) if correct else 0.0
    high = float(betaincinv(correct + 1, wrong, 0.975)) if wrong else 1.0
    return low, high


def score_interval(share: float, size: float) -> tuple[float, float]:
    """Wilson's interval (1927), at 95 %, of a share in [0, 1] worth `size` draws, which need not be whole."""
    middle = share + Z95 * Z95 / (2 * size)
    half = Z95 * math.sqrt(max(share * (1 - share), 0.0) / size + Z95 * Z95 / (4 * size * size))
    scale = 1 + Z95 * Z95 / size
    low, high = (middle - half) / scale, (middle + half) / scale
    return min(max(low, 0.0), share), max(min(high, 1.0), share)  # 0 and 1 exactly, whatever rounding says


def _slope(scaled: NDArray[np.float64], right: NDArray[np.float64], inverse: float) -> float:
    """Slope of the summed log loss in 1/T: expected logit less the right one's."""
    powers = np.exp(inverse * scaled)
    expected = (powers * scaled).sum(axis=1) / powers.sum(axis=1)
    return float((expected - right).sum())
