"""Label shift: how common each kind is among items, by expectation maximisation of a classifier's beliefs.

Saerens, Latinne and Decaestecker, 2002, Adjusting the outputs of a classifier to new a priori probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

_ROUNDS = 50

Shares = NDArray[np.float64]


def estimate_shares(likelihoods: NDArray[Any], prior: Shares, *, items: float, least: float = 0.0) -> Shares:
    """Shares (k,) of the kinds that explain likelihoods (n, k) best, drawn to a prior (k,) of so many items.

    No share falls below `least`.
    """
    shares = prior
    for _ in range(_ROUNDS):
        counts = posterior(likelihoods, shares).sum(axis=0) + items * prior
        shares = np.maximum(counts / counts.sum(), least)
    return shares


def posterior(likelihoods: NDArray[Any], shares: Shares) -> Floats:
    """Probabilities (n, k) of the kinds from likelihoods (n, k) and shares, (k,) or one row for each item."""
    weighed = likelihoods * shares
    found: Floats = (weighed / weighed.sum(axis=1, keepdims=True)).astype(likelihoods.dtype)
    return found
