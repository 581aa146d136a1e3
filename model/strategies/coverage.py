"""Coverage of what a head is unsure of, for any kind of question: uncertainty is given from outside."""

from __future__ import annotations

import numpy as np

from model.records import Embeddings, Floats
from model.strategies.herding import cover
from model.strategies.inputs import StrategyInput, named_strategy

WIDTH = 0.7  # × the median distance to the nearest labelled item (Bae et al., 2025)


def uncertainty_coverage(
    uncertainty: Floats, pool: Embeddings, labelled: Embeddings, *, batch: int, rng: np.random.Generator
) -> Floats:
    """Scores (n,) in [0, 2] of a pool, higher = label sooner: greedy coverage weighted by uncertainty.

    uncertainty (n,) is finite and ≥ 0 on any scale; `labelled` (m, d) holds the labelled items and those in
    flight. The first `batch` picks stand above 1 in their order: each adds the most to the coverage of the
    most uncertain items, each weighted by its uncertainty; the others follow by uncertainty × (1 - coverage).
    Where all are equally uncertain, as before there is a model, this is herding: plain coverage. An answer
    does not depend on the order in which the items come. Raises ValueError when rows do not match or a
    number is not finite, and when an uncertainty is below 0.
    """
    if len(uncertainty) != len(pool):
        raise ValueError(f"uncertainty_coverage: {len(uncertainty)} uncertainties for {len(pool)} items")
    if not np.isfinite(uncertainty).all() or (uncertainty < 0).any():
        raise ValueError("uncertainty_coverage: an uncertainty is not finite or below 0")
    weights = _weights(uncertainty)

    @named_strategy("uncertainty-coverage")
    def strategy(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
        ordered = weights if inputs.asked is None else weights[inputs.asked]
        return cover(inputs, ordered, WIDTH, rng)

    return strategy(StrategyInput(pool, None, labelled, batch), rng).values


def _weights(uncertainty: Floats) -> Floats:
    """Uncertainty as shares of the highest, in [0, 1]; 1 for all where all are equal."""
    if not len(uncertainty) or uncertainty.max() == uncertainty.min():
        return np.ones(len(uncertainty), dtype=np.float32)
    return np.asarray(uncertainty / uncertainty.max(), dtype=np.float32)
