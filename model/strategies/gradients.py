"""A strategy that asks for items whose labels would move the head far and in unlike directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty, most_uncertain, score_picks

CANDIDATES = 20_000


@named_strategy("badge")
def badge(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Picks spread over the gradients that the favourite class as label would give (Ash et al., 2020, BADGE).

    The gradient of an item is (p - onehot of the favourite) ⊗ features of the head, and picks are drawn like
    the first centres of k-means++. The n × d × c gradients are never built: their products are products of
    two small ones. In a large pool only the 20,000 most uncertain items are candidates. After the batch: by
    margin.
    """
    probabilities = inputs.require_probabilities()
    uncertainty = margin_uncertainty(probabilities)
    candidates = most_uncertain(uncertainty, max(CANDIDATES, inputs.batch), rng)
    errors = probabilities[candidates].copy()
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    picks = spread_gradients(errors, inputs.features(candidates), count=inputs.batch, rng=rng)
    return score_picks(candidates[picks], uncertainty)


def spread_gradients(errors: Floats, vectors: Floats, *, count: int, rng: np.random.Generator) -> Rows:
    """At most `count` rows, each drawn by its squared distance to the nearest one drawn before.

    The gradient of a row is errors (n, c) ⊗ vectors (n, d). The first pick is the longest gradient.
    """
    lengths = (errors**2).sum(axis=1) * (vectors**2).sum(axis=1)
    nearest, left = lengths.astype(np.float64), np.ones(len(lengths), dtype=np.bool_)
    picks: list[int] = []
    while len(picks) < min(count, len(lengths)):
        pick = int(lengths.argmax()) if not picks else _draw(nearest * left, left, rng)
        picks.append(pick)
        left[pick] = False
        products = (errors @ errors[pick]) * (vectors @ vectors[pick])
        distance = np.maximum(lengths + lengths[pick] - 2.0 * products, 0.0)
        nearest = distance.astype(np.float64) if len(picks) == 1 else np.minimum(nearest, distance)
    return np.array(picks, dtype=np.intp)


def _draw(chances: NDArray[np.float64], left: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """One row, by chance; evenly among what is left when all that is left are twins of picks."""
    sums = np.cumsum(chances if chances.any() else left.astype(np.float64))
    return int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
