"""A strategy that spreads a batch over the items of which the head is least sure."""

from __future__ import annotations

import numpy as np

from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty, most_uncertain, score_picks

CANDIDATES_PER_PICK = 5


@named_strategy("margin-diversity")
def margin_diversity(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """The most uncertain 5 × batch items, thinned to a batch of unlike ones (after Zhdanov, 2019).

    Each pick has the largest uncertainty × distance to the nearest pick, and the first is the most
    uncertain; Zhdanov clusters the candidates instead. After the batch: by margin.
    """
    uncertainty = margin_uncertainty(inputs.require_probabilities())
    candidates = most_uncertain(uncertainty, CANDIDATES_PER_PICK * inputs.batch, rng)
    picks = _pick_apart(inputs.pool.vectors[candidates], uncertainty[candidates], count=inputs.batch)
    return score_picks(candidates[picks], uncertainty)


def _pick_apart(vectors: Floats, uncertainty: Floats, *, count: int) -> Rows:
    """Rows in the order of picking, at most `count`."""
    weights = uncertainty + np.float32(1e-6)  # so that distance decides where nothing is unsure
    distance = np.full(len(vectors), 2.0, dtype=np.float32)
    left = np.ones(len(vectors), dtype=np.bool_)
    picks = np.empty(min(count, len(vectors)), dtype=np.intp)
    for turn in range(len(picks)):
        pick = int(np.where(left, weights * distance, -1.0).argmax())
        picks[turn] = pick
        left[pick] = False
        np.minimum(distance, np.sqrt(np.maximum(2.0 - 2.0 * (vectors @ vectors[pick]), 0.0)), out=distance)
    return picks
