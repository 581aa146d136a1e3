"""Gathers novel items into candidate classes, by a cut that the known classes calibrate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster

from model.neighbours import nearest_row
from model.novelty.cut import MOST_CALIBRATED, Cut, calibrate_cut
from model.novelty.known_set import class_means
from model.novelty.linking import lean, link, unit
from model.novelty.metric import learn_metric
from model.novelty.narrow import items_along, principal_axes
from model.records import Embeddings, Floats, Labels

SMALLEST = 3
TYPICAL = 3
MOST_LINKED = 3000  # a tree over more takes minutes: nearest items are merged first
NEIGHBOURS = 10  # towards which an item leans; fewer when classes are small
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
    """Groups of at least three novel items, the large and cohesive ones that are like no other first.

    Average linkage on cosine distance in a metric that the labelled items teach, after each item moved a
    little towards its neighbours; the cut is the one that gives labelled classes back best which the metric
    has not seen (pairwise F1). A group that may be a part of one before it comes later. Items that join no
    group of three are left out. Raises ValueError on a vector that is not finite.
    """
    if not (np.isfinite(novel.vectors).all() and np.isfinite(labelled.vectors).all()):
        raise ValueError("group_items: an embedding is not finite; embed these items again")
    if len(novel) < SMALLEST:
        return []
    ordered = novel.take(np.argsort(novel.ids))
    axes = principal_axes(labelled.vectors, ordered.vectors)
    ordered, labelled = items_along(axes, ordered), items_along(axes, labelled)
    cut, seen, neighbours = Cut(), ordered.vectors, 0
    counts = labels.targets.sum(axis=0)
    if (counts >= 2).sum() >= 2:
        known = min(len(labels), MOST_CALIBRATED) / (counts > 0).sum()
        neighbours = min(NEIGHBOURS, int(known) // 2, len(novel) // NEIGHBOURS)
        cut = calibrate_cut(labelled, labels, neighbours=neighbours, seed=seed)
        seen = learn_metric(labelled.vectors, labels).apply(ordered.vectors)
    leaned, clusters = _cluster(seen, cut.distance, neighbours, seed)
    return _make_groups(ordered, leaned, clusters, cut)


def rank_groups(groups: Sequence[Group], likely_same: Floats) -> list[Group]:
    """Groups by size times cohesion, times how likely each is no part of an earlier one.

    likely_same (g, g) says how likely two groups are of one class, in [0, 1]. Two parts of one class side by
    side would keep another class out of sight (after Carbonell and Goldstein, 1998, maximal marginal
    relevance).
    """
    worth = np.array([len(group.ids) * group.cohesion for group in groups])
    waiting, ranked = list(range(len(groups))), []
    while waiting:
        best = min(waiting, key=lambda row: (-worth[row], groups[row].ids))
        waiting.remove(best)
        ranked.append(groups[best])
        worth = worth * (1.0 - likely_same[best])
    return ranked


def order_of_asking(groups: Sequence[Sequence[int]]) -> list[int]:
    """Items of groups in the order in which people are asked: one of each group, then whole groups.

    The groups are given in their order, the most typical items of each first. A place or two are enough to
    put every group before somebody; after that, items of one group are easier to judge one after another.
    """
    first = [group[0] for group in groups if group]
    return first + [item for group in groups for item in group[1:]]


def match_groups(previous: Mapping[int, Collection[int]], groups: Sequence[Group]) -> list[int | None]:
    """The number of the earlier group that each group continues, None for new ones; each at most once.

    Two groups are the same when they share half of the smaller one; the largest overlap is matched first.
    """
    overlaps = sorted(
        (
            (-len(shared), number, place)
            for number, members in previous.items()
            for place, group in enumerate(groups)
            if (shared := set(members) & set(group.ids)) and shares_half(members, group.ids)
        ),
    )
    found: list[int | None] = [None] * len(groups)
    taken: set[int] = set()
    for _overlap, number, place in overlaps:
        if number not in taken and found[place] is None:
            found[place] = number
            taken.add(number)
    return found


def shares_half(items: Collection[int], others: Collection[int]) -> bool:
    """Whether two groups have half of the smaller one in common."""
    shared = set(items) & set(others)
    return bool(shared) and len(shared) >= _SAME * min(len(items), len(others))


def _make_groups(items: Embeddings, leaned: Floats, clusters: NDArray[np.int32], cut: Cut) -> list[Group]:
    """The clusters of three items or more, ranked."""
    places, sizes = np.unique(clusters, return_inverse=True, return_counts=True)[1:]
    large = np.flatnonzero(sizes >= SMALLEST)
    groups = [_make_group(items, np.flatnonzero(places == number)) for number in large]
    return rank_groups(groups, cut.belong_together(class_means(leaned, places)[large]))


def _cluster(vectors: Floats, cut: float, neighbours: int, seed: int) -> tuple[Floats, NDArray[np.int32]]:
    """The leaned vectors (n, d) and a cluster (n,) for each."""
    near = np.arange(len(vectors)) if len(vectors) <= MOST_LINKED else _gather_nearest(vectors, seed)
    leaned = lean(vectors if len(vectors) <= MOST_LINKED else unit(class_means(vectors, near)), neighbours)
    flat: NDArray[np.int32] = fcluster(link(leaned), cut, "distance")
    return leaned[near], flat[near]


def _gather_nearest(vectors: Floats, seed: int) -> NDArray[np.intp]:
    """A number (n,) for each item, the same for items that share the nearest of 3000 drawn ones."""
    centres = vectors[np.random.default_rng(seed).permutation(len(vectors))[:MOST_LINKED]]
    near: NDArray[np.intp] = np.unique(nearest_row(vectors, centres), return_inverse=True)[1]
    return near


def _make_group(items: Embeddings, rows: NDArray[np.intp]) -> Group:
    closeness = items.vectors[rows] @ items.vectors[rows].T
    mean = closeness.mean(axis=1)
    order = np.lexsort((items.ids[rows], -np.round(mean, 6)))
    size = len(rows)
    others = (float(closeness.sum()) - size) / max(size * (size - 1), 1)
    return Group(tuple(int(item) for item in items.ids[rows[order]]), others)
