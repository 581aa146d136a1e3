"""A map of the pool: items as points of a plane, near each other when their vectors are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from model.records import Embeddings

_PERPLEXITY = 30.0
_FEWEST = 10  # below this, neighbourhoods mean nothing and the two main directions will do
_DIRECTIONS = 50


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


def _scaled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = float(np.abs(points).max())
    return points.astype(np.float64) / largest if largest > 0 else points.astype(np.float64)
