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
SPREAD_SAMPLE = 1000  # pool items whose neighbours tell how far apart items are
CANDIDATES = 5000  # pool items that may be picked when all of the pool is to be covered
NARROWED = 20_000  # items whose coverage is worked out for the order after the batch


@named_strategy("max-herding")
def max_herding(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Greedy coverage of the pool, for the time before labels (Bae et al., 2024, MaxHerding).

    Each pick adds the most to the mean over the pool of the closeness to the nearest picked or labelled
    item. Needs no probabilities. After the batch: the less covered, the sooner.
    """
    bandwidth = spread_bandwidth(_draw(inputs, SPREAD_SAMPLE, rng))
    candidates = pick_sample(len(inputs), max(CANDIDATES, inputs.batch), rng)
    reference = _draw(inputs, REFERENCE, rng)
    picks = pick_by_coverage(
        kernel(inputs.vectors(candidates), reference, bandwidth=bandwidth),
        np.ones(len(reference), dtype=np.float32),
        covered=coverage(reference, inputs.labelled.vectors, bandwidth=bandwidth),
        count=inputs.batch,
    )
    return _order_rest(inputs, candidates[picks], np.ones(len(inputs), dtype=np.float32), bandwidth, rng)


@named_strategy("uncertainty-herding")
def uncertainty_herding(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Greedy coverage of what the head is unsure of (Bae et al., 2025, Uncertainty Herding).

    Candidates and reference are the most uncertain items by margin (20 × batch, at least 2,000); each
    reference item weighs its uncertainty; the bandwidth is 0.7 × the median distance to the nearest
    labelled item. After the batch: uncertainty × (1 - coverage).
    """
    return cover(inputs, margin_uncertainty(inputs.require_probabilities()), 0.7, rng)


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
    return cover(inputs, np.minimum(weights, 1.0), 1.0, rng)


def cover(inputs: StrategyInput, weights: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Scores from greedy coverage of the items that weigh most; weights (n,) are in [0, 1]."""
    if not weights.any():  # nothing to weigh by, as with one class: plain coverage
        weights = np.ones_like(weights)
    bandwidth = _bandwidth_now(inputs, width, rng)
    candidates = most_uncertain(weights, max(20 * inputs.batch, REFERENCE), rng)
    reference = pick_sample(len(candidates), REFERENCE, rng)
    vectors = inputs.vectors(candidates)
    picks = pick_by_coverage(
        kernel(vectors, vectors[reference], bandwidth=bandwidth),
        weights[candidates[reference]],
        covered=coverage(vectors[reference], inputs.labelled.vectors, bandwidth=bandwidth),
        count=inputs.batch,
    )
    return _order_rest(inputs, candidates[picks], weights, bandwidth, rng)


def _bandwidth_now(inputs: StrategyInput, factor: float, rng: np.random.Generator) -> float:
    """`factor` × the median distance to the nearest labelled item; by the spread of the pool without any."""
    if not len(inputs.labelled):
        return spread_bandwidth(_draw(inputs, SPREAD_SAMPLE, rng))
    return factor * labelled_bandwidth(_draw(inputs, REFERENCE, rng), inputs.labelled.vectors)


def _draw(inputs: StrategyInput, wanted: int, rng: np.random.Generator) -> Floats:
    """Vectors of a sample of the items."""
    return inputs.vectors(pick_sample(len(inputs), wanted, rng))


def _order_rest(
    inputs: StrategyInput, picks: Rows, uncertainty: Floats, bandwidth: float, rng: np.random.Generator
) -> Floats:
    """Scores of the whole pool: the picks, then uncertainty × (1 - coverage by labelled items and picks).

    In a large pool only the most uncertain are compared with what covers them; the others follow by
    uncertainty alone.
    """
    centres = inputs.vectors(picks)
    if len(inputs.labelled):
        centres = np.concatenate([inputs.labelled.vectors, centres])
    near = most_uncertain(uncertainty, NARROWED, rng)
    rest = uncertainty * np.float32(1e-3)  # below nearly all that is compared
    rest[near] = uncertainty[near] * (1.0 - coverage(inputs.vectors(near), centres, bandwidth=bandwidth))
    return score_picks(picks, rest)
