"""Strategies that pick a batch which covers the pool: all of it, or where the head is unsure."""

from __future__ import annotations

import numpy as np

from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import (
    class_balance,
    coverage,
    kernel,
    labelled_bandwidth,
    margin_uncertainty,
    most_uncertain,
    pick_by_coverage,
    pick_sample,
    score_picks,
    spread_bandwidth,
)

REFERENCE = 2000  # pool items that stand for the pool when coverage is measured
CANDIDATES = 5000  # pool items that may be picked when all of the pool is to be covered
NARROWED = 20_000  # items whose coverage is worked out for the order after the batch


@named_strategy("max-herding")
def max_herding(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Greedy coverage of the pool, for the time before labels (Bae et al., 2024, MaxHerding).

    Each pick adds the most to the mean over the pool of the closeness to the nearest picked or labelled
    item. Needs no probabilities. After the batch: the less covered, the sooner.
    """
    vectors, labelled = inputs.pool.vectors, inputs.labelled.vectors
    bandwidth = spread_bandwidth(vectors, rng)
    candidates = pick_sample(len(vectors), max(CANDIDATES, inputs.batch), rng)
    reference = vectors[pick_sample(len(vectors), REFERENCE, rng)]
    picks = pick_by_coverage(
        kernel(vectors[candidates], reference, bandwidth=bandwidth),
        np.ones(len(reference), dtype=np.float32),
        covered=coverage(reference, labelled, bandwidth=bandwidth),
        count=inputs.batch,
    )
    return _order_rest(inputs, candidates[picks], np.ones(len(vectors), dtype=np.float32), bandwidth, rng)


@named_strategy("uncertainty-herding")
def uncertainty_herding(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Greedy coverage of what the head is unsure of (Bae et al., 2025, Uncertainty Herding).

    Candidates and reference are the most uncertain items by margin (20 × batch, at least 2,000); each
    reference item weighs its uncertainty; the bandwidth is 0.7 × the median distance to the nearest
    labelled item. After the batch: uncertainty × (1 - coverage).
    """
    return _cover(inputs, margin_uncertainty(inputs.require_probabilities()), 0.7, rng)


@named_strategy("balanced-herding")
def balanced_herding(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Uncertainty Herding in which items of classes that the head predicts rarely weigh more.

    An item's uncertainty is multiplied by the sum over classes of p / sqrt(mean p of the class in the pool),
    so that a class counts by the root of its size: a compromise between accuracy on the pool and on each
    class (the idea of imbalance-aware methods such as GALAXY, Zhang et al., 2022). The bandwidth is the
    median distance to the nearest labelled item. While there are fewer labelled items than classes, half of
    the weight is spread evenly, for names alone may mislead.
    """
    probabilities = inputs.require_probabilities()
    weights = margin_uncertainty(probabilities) * class_balance(probabilities)
    if len(inputs.labelled) < probabilities.shape[1]:
        weights = 0.5 * weights + 0.5 * weights.mean()
    return _cover(inputs, np.minimum(weights, 1.0), 1.0, rng)


def _cover(inputs: StrategyInput, weights: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Scores from greedy coverage of the items that weigh most; weights (n,) are in [0, 1]."""
    vectors, labelled = inputs.pool.vectors, inputs.labelled.vectors
    if not weights.any():  # nothing to weigh by, as with one class: plain coverage
        weights = np.ones_like(weights)
    bandwidth = labelled_bandwidth(vectors, labelled, rng, factor=width)
    candidates = most_uncertain(weights, max(20 * inputs.batch, REFERENCE), rng)
    reference = candidates[pick_sample(len(candidates), REFERENCE, rng)]
    picks = pick_by_coverage(
        kernel(vectors[candidates], vectors[reference], bandwidth=bandwidth),
        weights[reference],
        covered=coverage(vectors[reference], labelled, bandwidth=bandwidth),
        count=inputs.batch,
    )
    return _order_rest(inputs, candidates[picks], weights, bandwidth, rng)


def _order_rest(
    inputs: StrategyInput, picks: Rows, uncertainty: Floats, bandwidth: float, rng: np.random.Generator
) -> Floats:
    """Scores of the whole pool: the picks, then uncertainty × (1 - coverage by labelled items and picks).

    In a large pool only the most uncertain are compared with what covers them; the others follow by
    uncertainty alone.
    """
    vectors = inputs.pool.vectors
    centres = vectors[picks]
    if len(inputs.labelled):
        centres = np.concatenate([inputs.labelled.vectors, centres])
    near = most_uncertain(uncertainty, NARROWED, rng)
    rest = uncertainty * np.float32(1e-3)  # below nearly all that is compared
    rest[near] = uncertainty[near] * (1.0 - coverage(vectors[near], centres, bandwidth=bandwidth))
    return score_picks(picks, rest)
