"""Several heads as one: a logarithmic opinion pool (Genest & Zidek, 1986), weighed by held-out loss.

Few labels cannot tell which of several settings is best, and a choice that changes with every ten labels
makes accuracy fall back. The pool of linear heads is a linear head again, so nothing downstream knows of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.calibration import fit_temperature, log_losses
from model.heads.single_label import LinearHead
from model.records import Floats

CAUTION = 3.0  # nats of held-out loss by which a weight falls to 1/e; 1 would take every nat at its word
NEGLIGIBLE = 2.0 * CAUTION  # heads further behind the best are left out: they cost more than they bring


def temperatures(logits: Sequence[Floats], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The best temperature (k,) of each head by its held-out logits (n, c)."""
    return np.array([fit_temperature(each, classes) for each in logits])


def summed_losses(logits: Sequence[Floats], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Held-out log loss (k,) of each head at its best temperature, in nats, summed over rows."""
    calibrated = _calibrate(logits, temperatures(logits, classes))
    return np.array([log_losses(each, classes).sum() for each in calibrated])


def pool_weights(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (k,), summing to 1, from summed losses (k,): pseudo-BMA (Yao et al., 2018), with caution."""
    weights = np.exp((losses.min() - losses) / CAUTION)
    return np.asarray(weights / weights.sum())


def pool_logits(logits: Sequence[Floats], classes: NDArray[np.intp]) -> Floats:
    """Logits (n, c) of the pool of heads, from the held-out logits (n, c) of each."""
    weights = pool_weights(summed_losses(logits, classes))
    calibrated = _calibrate(logits, temperatures(logits, classes))
    pooled: Floats = np.einsum("k,knc->nc", weights, np.stack(calibrated)).astype(np.float32)
    return pooled


def pool_heads(
    heads: Sequence[LinearHead], logits: Sequence[Floats], classes: NDArray[np.intp], *, temperature: float
) -> LinearHead:
    """The pool as one head of a temperature, from heads of temperature 1 and their held-out logits (n, c)."""
    shares = pool_weights(summed_losses(logits, classes)) / temperatures(logits, classes)
    weights = np.einsum("k,kdc->dc", shares, np.stack([head.weights for head in heads]))
    bias = np.einsum("k,kc->c", shares, np.stack([head.bias for head in heads]))
    return LinearHead(
        np.ascontiguousarray(weights, dtype=np.float32), bias.astype(np.float32), temperature, heads[0].space
    )


def _calibrate(logits: Sequence[Floats], by: NDArray[np.float64]) -> list[Floats]:
    return [each / np.float32(temperature) for each, temperature in zip(logits, by, strict=True)]
