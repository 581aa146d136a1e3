"""Average linkage on cosine, after every item leaned towards its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from model.records import Floats

_LEANING = 0.5
_TINY = 1e-9


def lean(vectors: Floats, neighbours: int) -> Floats:
    """Unit vectors (n, d), each moved half as far as it is long towards its nearest others.

    Items between two classes follow the denser side, which average linkage alone decides by single pairs.
    """
    neighbours = min(neighbours, len(vectors) - 1)
    if neighbours < 1:
        return vectors
    closeness = vectors @ vectors.T
    np.fill_diagonal(closeness, -1.0)
    rows = np.argpartition(-closeness, neighbours - 1, axis=1)[:, :neighbours]
    weights = np.maximum(np.take_along_axis(closeness, rows, axis=1), 0.0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), _TINY)
    return unit(vectors + _LEANING * np.einsum("nk,nkd->nd", weights, vectors[rows]))


def link(vectors: Floats) -> NDArray[np.float64]:
    """The tree of average linkage on 1 - cosine of unit vectors (n, d)."""
    distances = 1.0 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    above = np.triu_indices(len(vectors), k=1)
    tree: NDArray[np.float64] = linkage(np.maximum(distances[above], 0.0), method="average")
    return tree


def unit(vectors: Floats) -> Floats:
    """Vectors (n, d) with their lengths made 1."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    found: Floats = (vectors / lengths).astype(np.float32)
    return found
