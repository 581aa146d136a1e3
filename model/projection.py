"""A map of the pool: items as points of a plane, near each other when their vectors are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from model.records import Embeddings, Floats

_PERPLEXITY = 30.0
_FEWEST = 10  # below this, neighbourhoods mean nothing and the two main directions will do
_DIRECTIONS = 50
# To place items on a finished map: so many neighbours, within this distance; rows at a time.
_NEIGHBOURS = 4
_ISLAND = 0.1
_SCATTER = 0.008
_ROWS = 2000


def project_to_plane(embeddings: Embeddings, *, seed: int) -> NDArray[np.float64]:
    """Coordinates (n, 2) in [-1, 1]; the same vectors and seed give the same map.

    t-SNE (van der Maaten and Hinton, 2008) of the 50 main directions. Distances between far groups mean
    nothing. Raises ValueError on a vector that is not finite.
    """
    vectors = embeddings.vectors.astype(np.float64)
    if not np.isfinite(vectors).all():
        raise ValueError("project_to_plane: an embedding is not finite; embed these items again")
    different = len(np.unique(vectors, axis=0))
    if different < 3:
        return np.zeros((len(vectors), 2))
    if different < _FEWEST:
        return _scaled(PCA(2, random_state=seed).fit_transform(vectors))
    directions = min(_DIRECTIONS, *vectors.shape)
    reduced = PCA(directions, random_state=seed).fit_transform(vectors)
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    return _scaled(
        TSNE(2, perplexity=perplexity, init="pca", max_iter=500, random_state=seed).fit_transform(reduced)
    )


def place_near(
    items: Embeddings, anchors: Embeddings, places: NDArray[np.float64], *, seed: int
) -> NDArray[np.float64]:
    """Coordinates (n, 2) in [-1, 1] of items on the map of others, whose places are (m, 2).

    Each stands where the anchors most like it stand, a little scattered. Of these, those on other islands
    than the nearest one do not count: in the middle between two islands nothing is like either.
    """
    found = np.empty((len(items), 2))
    for start in range(0, len(items), _ROWS):
        rows = slice(start, start + _ROWS)
        likeness = items.vectors[rows] @ anchors.vectors.T
        count = min(_NEIGHBOURS, len(anchors))
        nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        found[rows] = _middle(places[nearest], np.take_along_axis(likeness, nearest, axis=1))
    scatter = np.random.default_rng(seed).normal(0.0, _SCATTER, found.shape)
    return np.clip(found + scatter, -1.0, 1.0)


def _middle(places: NDArray[np.float64], likeness: Floats) -> NDArray[np.float64]:
    """Means (n, 2) of places (n, k, 2), without those far from the likeliest one."""
    first = likeness.argmax(axis=1)
    centre = places[np.arange(len(places)), first]
    is_near = np.linalg.norm(places - centre[:, None], axis=2) <= _ISLAND
    middle: NDArray[np.float64] = (places * is_near[:, :, None]).sum(axis=1) / is_near.sum(axis=1)[:, None]
    return middle


def _scaled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = float(np.abs(points).max())
    return points.astype(np.float64) / largest if largest > 0 else points.astype(np.float64)
