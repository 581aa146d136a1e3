"""An ensemble of heads, weighed by held-out loss: a logarithmic opinion pool (Genest & Zidek, 1986).

Few labels cannot tell which of several settings is best, and a choice that changes with every ten labels
makes accuracy fall back. An ensemble of linear heads is a linear head again: nothing downstream knows of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibrated_losses, fit_temperature
from model.heads.single_label import LinearHead
from model.records import Floats

CAUTION = 3.0  # nats of held-out loss by which a weight falls to 1/e; 1 would take every nat at its word
NEGLIGIBLE = 2.0 * CAUTION  # heads further behind the best are left out: they cost more than they bring


def summed_losses(logits: Sequence[Floats], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Held-out log loss (k,) of each head (n, c) at its best temperature, in nats, summed over rows."""
    return np.array([calibrated_losses(each, classes).sum() for each in logits])


def ensemble_weights(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (k,), summing to 1, from summed losses (k,): pseudo-BMA (Yao et al., 2018), with caution."""
    weights = np.exp((losses.min() - losses) / CAUTION)
    return np.asarray(weights / weights.sum())


def ensemble_coefficients(logits: Sequence[Floats], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Coefficients (k,) of the heads: weight over best temperature, each by its held-out logits (n, c)."""
    temperatures = np.array([fit_temperature(each, classes) for each in logits])
    return np.asarray(ensemble_weights(summed_losses(logits, classes)) / temperatures)


def ensemble_logits(logits: Sequence[Floats], classes: NDArray[np.intp]) -> Floats:
    """Logits (n, c) of the ensemble, from the held-out logits (n, c) of each head."""
    return weighted_sum(ensemble_coefficients(logits, classes), logits)


def ensemble_head(
    heads: Sequence[LinearHead], coefficients: NDArray[np.float64], *, temperature: float
) -> LinearHead:
    """The ensemble as one head, from k heads of temperature 1 and their coefficients (k,)."""
    weights = weighted_sum(coefficients, [head.weights for head in heads])
    bias = weighted_sum(coefficients, [head.bias for head in heads])
    return LinearHead(weights, bias, temperature, heads[0].space)


def weighted_sum(coefficients: NDArray[np.float64], parts: Sequence[Floats]) -> Floats:
    """The sum of k equally shaped parts, each times its coefficient (k,)."""
    found: Floats = np.tensordot(coefficients, np.stack(parts), axes=1).astype(np.float32)
    return found
