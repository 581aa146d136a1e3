"""Gathers novel items into candidate classes, by a cut that the known classes calibrate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from model.novelty.metric import learn_metric
from model.novelty.scores import class_means
from model.records import Embeddings, Floats, Labels

SMALLEST = 3
TYPICAL = 3
MOST_LINKED = 3000  # a tree over more takes minutes: nearest items are merged first
MOST_CALIBRATED = 1500
DEFAULT_CUT = 0.5
NEIGHBOURS = 10  # towards which an item leans; fewer when classes are small
_LEANING = 0.5
_CUTS = 40
_TINY = 1e-9
_CHUNK = 4096
_SAME = 0.5  # share of the smaller group that two groups must have in common to be the same one


@dataclass(frozen=True, slots=True)
class Group:
    """Items that seem to belong to one class, the most typical first; cohesion is their mean cosine."""

    ids: tuple[int, ...]
    cohesion: float

    @property
    def typical(self) -> tuple[int, ...]:
        """The items to show."""
        return self.ids[:TYPICAL]


def group_items(novel: Embeddings, labelled: Embeddings, labels: Labels, *, seed: int) -> list[Group]:
    """Groups of at least three novel items, the largest and most cohesive first.

    Average linkage on cosine distance in a metric that the labelled items teach, after each item moved a
    little towards its neighbours; the cut is the one that gives the labelled items back their classes best
    (pairwise F1). Items that join no group of three are left out. Raises ValueError on a vector that is not
    finite.
    """
    if not (np.isfinite(novel.vectors).all() and np.isfinite(labelled.vectors).all()):
        raise ValueError("group_items: an embedding is not finite; embed these items again")
    if len(novel) < SMALLEST:
        return []
    ordered = novel.take(np.argsort(novel.ids))
    cut, seen, neighbours = DEFAULT_CUT, ordered.vectors, 0
    counts = labels.targets.sum(axis=0)
    if (counts >= 2).sum() >= 2:
        metric = learn_metric(labelled.vectors, labels)
        rows = np.random.default_rng(seed).permutation(len(labels))[:MOST_CALIBRATED]
        neighbours = min(NEIGHBOURS, int(len(rows) / (counts > 0).sum()) // 2, len(novel) // NEIGHBOURS)
        cut = calibrate_cut(metric.apply(labelled.vectors[rows]), labels.classes[rows], neighbours=neighbours)
        seen = metric.apply(ordered.vectors)
    clusters = _cluster(seen, cut, neighbours, seed)
    groups = [_make_group(ordered, np.flatnonzero(clusters == number)) for number in np.unique(clusters)]
    large = [group for group in groups if len(group.ids) >= SMALLEST]
    return sorted(large, key=lambda group: (-len(group.ids) * group.cohesion, group.ids))


def calibrate_cut(vectors: Floats, classes: NDArray[np.intp], *, neighbours: int) -> float:
    """The cosine distance at which a tree over labelled vectors (n, d) falls into their classes best."""
    tree = _tree(_lean(vectors, neighbours))
    cuts = np.unique(np.quantile(tree[:, 2], np.linspace(0.2, 1.0, _CUTS)))
    scores = [pairwise_f1(fcluster(tree, cut, "distance"), classes) for cut in cuts]
    return float(cuts[int(np.argmax(scores))])


def pairwise_f1(clusters: NDArray[np.int32], classes: NDArray[np.intp]) -> float:
    """F1 of "these two belong together" over all pairs of items, in [0, 1]."""
    table = np.zeros((int(clusters.max()) + 1, int(classes.max()) + 1))
    np.add.at(table, (clusters, classes), 1.0)
    both, by_cluster, by_class = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    return 2.0 * both / max(by_cluster + by_class, 1.0)


def match_groups(previous: Mapping[int, Collection[int]], groups: Sequence[Group]) -> list[int | None]:
    """The number of the earlier group that each group continues, None for new ones; each at most once.

    Two groups are the same when they share half of the smaller one; the largest overlap is matched first.
    """
    overlaps = sorted(
        (
            (-len(shared), number, place)
            for number, members in previous.items()
            for place, group in enumerate(groups)
            if (shared := set(members) & set(group.ids))
            and len(shared) >= _SAME * min(len(members), len(group.ids))
        ),
    )
    found: list[int | None] = [None] * len(groups)
    taken: set[int] = set()
    for _overlap, number, place in overlaps:
        if number not in taken and found[place] is None:
            found[place] = number
            taken.add(number)
    return found


def _cluster(vectors: Floats, cut: float, neighbours: int, seed: int) -> NDArray[np.int32]:
    if len(vectors) <= MOST_LINKED:
        flat: NDArray[np.int32] = fcluster(_tree(_lean(vectors, neighbours)), cut, "distance")
        return flat
    near = _gather_nearest(vectors, seed)
    centres = class_means(vectors, near)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), _TINY)
    merged: NDArray[np.int32] = fcluster(_tree(_lean(centres, neighbours)), cut, "distance")[near]
    return merged


def _gather_nearest(vectors: Floats, seed: int) -> NDArray[np.intp]:
    """A number (n,) for each item, the same for items that share the nearest of 3000 drawn ones."""
    centres = vectors[np.random.default_rng(seed).permutation(len(vectors))[:MOST_LINKED]]
    found = np.concatenate(
        [
            (vectors[start : start + _CHUNK] @ centres.T).argmax(axis=1)
            for start in range(0, len(vectors), _CHUNK)
        ]
    )
    near: NDArray[np.intp] = np.unique(found, return_inverse=True)[1]
    return near


def _lean(vectors: Floats, neighbours: int) -> Floats:
    """Unit vectors (n, d), each moved half as far as it is long towards its nearest others.

    Items between two classes follow the denser side, which average linkage alone decides by single pairs.
    """
    if neighbours < 1:
        return vectors
    closeness = vectors @ vectors.T
    np.fill_diagonal(closeness, -1.0)
    rows = np.argpartition(-closeness, neighbours, axis=1)[:, :neighbours]
    weights = np.maximum(np.take_along_axis(closeness, rows, axis=1), 0.0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), _TINY)
    moved = vectors + _LEANING * np.einsum("nk,nkd->nd", weights, vectors[rows])
    found: Floats = (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), _TINY)).astype(
        np.float32
    )
    return found


def _tree(vectors: Floats) -> NDArray[np.float64]:
    """Average linkage on 1 - cosine."""
    distances = 1.0 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    above = np.triu_indices(len(vectors), k=1)
    tree: NDArray[np.float64] = linkage(np.maximum(distances[above], 0.0), method="average")
    return tree


def _make_group(items: Embeddings, rows: NDArray[np.intp]) -> Group:
    closeness = items.vectors[rows] @ items.vectors[rows].T
    mean = closeness.mean(axis=1)
    order = np.lexsort((items.ids[rows], -np.round(mean, 6)))
    size = len(rows)
    others = (float(closeness.sum()) - size) / max(size * (size - 1), 1)
    return Group(tuple(int(item) for item in items.ids[rows[order]]), others)


def _pairs(counts: NDArray[np.float64]) -> float:
    return float((counts * (counts - 1.0) / 2.0).sum())
