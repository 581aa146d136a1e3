"""The density ratio: what only the pool has is novel, and what sets a threshold looks like the pool."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from model.novelty.density_ratio import OF_POOL, RIDGE, SHARPNESS, density_ratio
from model.novelty.kernel import closeness
from model.novelty.known_set import Queries, make_known_set


def blobs(rng, count, places):
    vectors = np.eye(8)[rng.choice(places, size=count)] + rng.normal(scale=0.25, size=(count, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ratio(known, pool, *, excluded=()):
    """Scores of all labelled items and then of all of the pool, with some of the labelled ones left out."""
    known_set = replace(make_known_set(known, np.arange(len(known)) % 3), unlabelled=pool)
    left_out = np.zeros((1, len(known)), dtype=bool)
    left_out[0, list(excluded)] = True
    queries = Queries(
        np.concatenate([known, pool]),
        np.concatenate([np.arange(len(known)), np.full(len(pool), -1)]),
        np.concatenate([np.full(len(known), -1), np.arange(len(pool))]),
    )
    return density_ratio(known_set, left_out, queries)[0]


def test_what_only_the_pool_has_scores_above_all_else():
    rng = np.random.default_rng(0)
    known, pool = blobs(rng, 90, [0, 1, 2]), np.concatenate([blobs(rng, 90, [0, 1, 2]), blobs(rng, 30, [5])])
    scores = ratio(known, pool)[90:]
    assert scores[90:].min() > np.quantile(scores[:90], 0.95)


@pytest.mark.parametrize("seed", range(4))
def test_labelled_items_that_are_left_out_score_like_the_pool(seed):
    rng = np.random.default_rng(seed)
    known, pool = blobs(rng, 240, [0, 1, 2]), blobs(rng, 240, [0, 1, 2])
    scores = ratio(known, pool, excluded=range(80))
    assert mannwhitneyu(scores[:80], scores[240:]).pvalue > 0.01


@pytest.mark.parametrize(("excluded", "asked"), [([], range(30, 50)), ([4], [4])])
def test_a_row_of_the_pool_s_side_scores_as_if_it_had_not_taught(excluded, asked):
    rng = np.random.default_rng(1)
    known, pool = blobs(rng, 30, [0, 1]), blobs(rng, 20, [0, 1, 5])
    found = ratio(known, pool, excluded=excluded)
    on_pool, of_one = (
        np.r_[excluded, 30:50].astype(int),
        OF_POOL * (30 - len(excluded)) / (20 + len(excluded)),
    )
    spread = make_known_set(known, np.arange(30) % 3).spread
    kernel = closeness(*(np.concatenate([known, pool]),) * 2, SHARPNESS / spread).astype(np.float64)
    for row in asked:
        weights, targets = np.ones(50), np.ones(50)
        weights[on_pool], targets[on_pool] = of_one, 0.0
        weights[row] = 0.0
        moment = kernel @ (weights * targets)
        span = np.linalg.solve(
            kernel @ (weights[:, None] * kernel) + RIDGE * kernel + 1e-9 * np.eye(50), moment
        )
        assert found[row] == pytest.approx(-kernel[row] @ span, abs=2e-3)


def test_without_a_pool_or_without_a_label_nothing_is_said():
    known = blobs(np.random.default_rng(2), 12, [0, 1, 2])
    assert not ratio(known, known[:0]).any()
    assert not ratio(known, known, excluded=range(12)).any()


def test_a_pool_full_of_copies_is_scored_all_the_same():
    corners = np.random.default_rng(3).integers(0, 6, size=(900, 2)) + 0.5
    vectors = (corners / np.linalg.norm(corners, axis=1, keepdims=True)).astype(np.float32)
    assert np.isfinite(ratio(vectors[:300], vectors[300:])).all()
