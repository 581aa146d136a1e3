"""Strategies that spread a batch over clusters of the pool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from model.heads.single_label import LinearHead
from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty, most_uncertain, pick_sample, score_picks

MOST_CLUSTERS = 500
SAMPLE = 50_000  # items from which cluster centres are learned
NEIGHBOURS = 20
PASSES = 3  # of dropout
DROPOUT = 0.75


@named_strategy("typiclust")
def typiclust(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """The most typical item of each large cluster that holds no label (Hacohen et al., 2022, TypiClust).

    As many clusters as there are labels and picks together, 500 at most. An item is typical when its 20
    nearest neighbours in the cluster are near. Needs no probabilities. After the batch: by chance.
    """
    pool, labelled = inputs.vectors(), inputs.labelled.vectors
    everything = np.concatenate([labelled, pool]) if len(labelled) else pool
    wanted = min(len(labelled) + inputs.batch, MOST_CLUSTERS, len(everything))
    cluster = assign_clusters(everything, wanted, rng)
    size = np.bincount(cluster, minlength=wanted)
    labels = np.bincount(cluster[: len(labelled)], minlength=wanted)
    members = cluster[len(labelled) :]
    order = np.lexsort((-size, labels))  # fewest labels first, then the largest
    picks = _one_by_one(
        [_most_typical(pool, np.flatnonzero(members == number)) for number in order], inputs.batch
    )
    return score_picks(picks, rng.random(len(pool), dtype=np.float32))


@named_strategy("cluster-margin")
def cluster_margin(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """The most uncertain 10 × batch items, taken in turn from their clusters, the smallest cluster first.

    Citovsky et al., 2021, Cluster-Margin, with k-means for their hierarchical clusters. After the batch: by
    margin.
    """
    uncertainty = margin_uncertainty(inputs.require_probabilities())
    candidates = most_uncertain(uncertainty, 10 * inputs.batch, rng)
    candidates = candidates[np.argsort(-uncertainty[candidates], kind="stable")]
    wanted = min(inputs.batch, MOST_CLUSTERS, len(inputs))
    cluster = assign_clusters(inputs.vectors(), wanted, rng)[candidates]
    groups = [candidates[cluster == number] for number in np.unique(cluster)]
    picks = _one_by_one(sorted(groups, key=len), inputs.batch)
    return score_picks(picks, uncertainty)


@named_strategy("dropquery")
def dropquery(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Items that change class when features are dropped, one by each centre (Gupte et al., 2024, DropQuery).

    Three passes with three quarters of the features dropped; candidates changed class in most of them, or at
    least once when those are few. After the batch: by margin.
    """
    probabilities, vectors = inputs.require_probabilities(), inputs.vectors()
    uncertainty = margin_uncertainty(probabilities)
    changes = _changes(inputs.features(), inputs.require_view().head, probabilities.argmax(axis=1), rng)
    candidates = np.flatnonzero(changes > PASSES / 2)
    for least in range(PASSES // 2, -1, -1):
        if len(candidates) >= min(25 * inputs.batch, len(vectors)):
            break
        candidates = np.flatnonzero(changes >= least)
    chosen = vectors[candidates]
    wanted = min(inputs.batch, len(candidates))
    cluster = assign_clusters(chosen, wanted, rng)
    nearest = []
    for number in np.unique(cluster):
        rows = np.flatnonzero(cluster == number)
        nearest.append(rows[[int((chosen[rows] @ chosen[rows].mean(axis=0)).argmax())]])
    picks = candidates[np.concatenate(nearest)]
    return score_picks(picks[np.argsort(-uncertainty[picks], kind="stable")], uncertainty)


def assign_clusters(vectors: Floats, wanted: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """The cluster (n,) of each vector, from k-means with at most `wanted` clusters on a sample."""
    if wanted < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    unique = len(np.unique(vectors[pick_sample(len(vectors), 4 * wanted, rng)], axis=0))
    wanted = min(wanted, unique)
    means = MiniBatchKMeans(wanted, batch_size=2048, n_init=1, random_state=int(rng.integers(2**31)))
    means.fit(vectors[pick_sample(len(vectors), SAMPLE, rng)])
    clusters: NDArray[np.intp] = means.predict(vectors).astype(np.intp)
    return clusters


def _changes(
    features: Floats, head: LinearHead, favourite: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """How often (n,) each item's favourite changes when features are dropped."""
    changes = np.zeros(len(features), dtype=np.intp)
    for _ in range(PASSES):
        kept = (rng.random(features.shape) >= DROPOUT).astype(np.float32) / np.float32(1.0 - DROPOUT)
        changes += head.logits(features * kept).argmax(axis=1) != favourite
    return changes


def _most_typical(vectors: Floats, rows: Rows) -> Rows:
    """Rows of one cluster, the most typical first."""
    if len(rows) < 2:
        return rows
    few = rows[:2000]
    cosines = vectors[few] @ vectors[few].T
    count = min(NEIGHBOURS + 1, len(few))  # each is its own nearest
    near = np.partition(cosines, len(few) - count, axis=1)[:, -count:]
    distance = np.sqrt(np.maximum(2.0 - 2.0 * near, 0.0)).mean(axis=1)
    return few[np.argsort(distance, kind="stable")]


def _one_by_one(groups: list[Rows], count: int) -> Rows:
    """The first of each group, then the second of each, and so on, at most `count`."""
    picks: list[int] = []
    longest = max((len(group) for group in groups), default=0)
    for place in range(longest):
        if len(picks) >= count:
            break
        picks.extend(int(group[place]) for group in groups if place < len(group))
    return np.array(picks[:count], dtype=np.intp)
