"""Wide vectors, as pictures have them, are looked at along the directions in which they differ most.

What a detector does with covariances takes the cube of the number of dimensions. Along 384 of them it takes
two seconds where 2,304 take two minutes.
"""

from __future__ import annotations

import numpy as np

from model.records import Embeddings, Floats

MOST_DIMENSIONS = 768  # vectors up to here are taken as they are
KEPT = 384
_SAMPLE = 1024  # rows that decide the directions
_TINY = 1e-9


def principal_axes(*rows: Floats) -> Floats | None:
    """Orthonormal axes (d, k), k ≤ 384, of some rows (n, d); None where d is no more than 768.

    They are the right singular vectors of at most 1,024 rows, spread evenly, those of the largest singular
    values (Pearson, 1901, without centring: what counts here is the angle between vectors).
    """
    if rows[0].shape[1] <= MOST_DIMENSIONS:
        return None
    sample = np.concatenate([_spread(part, sum(map(len, rows))) for part in rows]).astype(np.float64)
    values, places = np.linalg.eigh(sample @ sample.T)
    kept = np.argsort(-values, kind="stable")[:KEPT]
    kept = kept[values[kept] > _TINY * values.max(initial=0.0)]
    axes: Floats = (sample.T @ places[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    return axes


def _spread(rows: Floats, total: int) -> Floats:
    """Rows at even distances: their share of the sample, where all together are `total`."""
    count = -(-len(rows) * min(_SAMPLE, total) // total)
    return rows[np.unique(np.linspace(0, len(rows) - 1, count).round().astype(np.intp))]


def along(axes: Floats | None, vectors: Floats) -> Floats:
    """Coordinates (n, k) of vectors (n, d) along axes (d, k), of unit length; without axes as they are."""
    if axes is None:
        return vectors
    seen = vectors @ axes
    found: Floats = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), _TINY)
    return found


def items_along(axes: Floats | None, items: Embeddings) -> Embeddings:
    """The same items with their vectors along axes."""
    return items if axes is None else Embeddings(items.ids, along(axes, items.vectors), items.encoder)
