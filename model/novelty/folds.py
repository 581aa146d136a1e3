"""Which labelled items are held out together: never one without its near-duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

NEAR_DUPLICATE = 0.95
_CHUNK = 2048

Rows = NDArray[np.intp]


def near_duplicate_clusters(vectors: Floats, *, closeness: float = NEAR_DUPLICATE) -> Rows:
    """The cluster (n,) of each unit vector: chains of items whose cosine is at least `closeness`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    lefts, rights = [], []
    for start in range(0, len(vectors), _CHUNK):
        left, right = np.nonzero(vectors[start : start + _CHUNK] @ vectors.T >= closeness)
        lefts.append(left + start)
        rights.append(right)
    left, right = np.concatenate(lefts), np.concatenate(rights)
    links = coo_matrix(
        (np.ones(len(left), dtype=np.bool_), (left, right)), shape=(len(vectors), len(vectors))
    )
    clusters: Rows = connected_components(links, directed=False)[1].astype(np.intp)
    return clusters


def assign_groups(groups: Rows, classes: Rows, count: int, rng: np.random.Generator) -> Rows:
    """The fold (n,) of each row, `count` at most: groups stay whole, and classes are spread evenly.

    Groups are dealt out like cards, class after class (of a group's first row), each to the next fold.
    """
    first = np.unique(groups, return_index=True)[1]  # a row of each group, in the order of the group numbers
    deal = np.lexsort((rng.random(len(first)), classes[first]))
    folds = np.empty(len(first), dtype=np.intp)
    folds[deal] = np.arange(len(first)) % min(count, max(len(first), 1))
    return folds[np.searchsorted(np.unique(groups), groups)]
