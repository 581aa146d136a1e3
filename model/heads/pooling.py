"""Several heads as one: a logarithmic opinion pool (Genest & Zidek, 1986), weighed by held-out loss.

Few labels cannot tell which of several settings is best, and a choice that changes with every ten labels
makes accuracy fall back. The pool of linear heads is a linear head again, so nothing downstream knows of it.
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


def pool_weights(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (k,), summing to 1, from summed losses (k,): pseudo-BMA (Yao et al., 2018), with caution."""
    weights = np.exp((losses.min() - losses) / CAUTION)
    return np.asarray(weights / weights.sum())


def pool_shares(logits: Sequence[Floats], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """By what (k,) to multiply each head: its weight over its best temperature, by held-out logits (n, c)."""
    temperatures = np.array([fit_temperature(each, classes) for each in logits])
    return np.asarray(pool_weights(summed_losses(logits, classes)) / temperatures)


def pool_logits(logits: Sequence[Floats], classes: NDArray[np.intp]) -> Floats:
    """Logits (n, c) of the pool of heads, from the held-out logits (n, c) of each."""
    return mix(pool_shares(logits, classes), logits)


def pool_heads(heads: Sequence[LinearHead], shares: NDArray[np.float64], *, temperature: float) -> LinearHead:
    """The pool as one head of a temperature, from k heads of temperature 1 and their shares (k,)."""
    weights = mix(shares, [head.weights for head in heads])
    return LinearHead(weights, mix(shares, [head.bias for head in heads]), temperature, heads[0].space)


def mix(shares: NDArray[np.float64], parts: Sequence[Floats]) -> Floats:
    """The sum of equally shaped parts (k of them), each times its share (k,)."""
    mixed: Floats = np.tensordot(shares, np.stack(parts), axes=1).astype(np.float32)
    return mixed
