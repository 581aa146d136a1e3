"""Keywords of classes as further vectors of their names, trusted as far as labels bear them out.

The items that hold a keyword lie, on the mean, where its class is likely to be: a prototype (after Snell et
al., 2017) from the keyword alone. It joins the vector of the class's name, so that whatever starts from names
starts from keywords too, and whatever outvotes names outvotes keywords.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

PRIOR_PRECISION = 0.8  # of a keyword, before anybody answered
PRIOR_ANSWERS = 5.0  # answers that the prior counts as
_SMOOTHING = 2.0  # items; a keyword of few items says less about where its class lies
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class KeywordHits:
    """Which of n items hold which of k keywords: found (n, k), and the column of each one's class (k,).

    Raises ValueError where these do not match.
    """

    found: NDArray[np.bool_]
    columns: NDArray[np.intp]

    def __post_init__(self) -> None:
        if self.found.ndim != 2 or self.columns.shape != (self.found.shape[1],):
            raise ValueError(f"KeywordHits: {self.found.shape} hits for {self.columns.shape} columns")


def keyword_weights(found: NDArray[np.bool_], columns: NDArray[np.intp], targets: Floats) -> Floats:
    """What each keyword counts, (k,) in [0, 1], by the labelled items (m, k) that hold it.

    How much more often the class is right where the keyword stands than elsewhere: 1 = always right, 0 = no
    better than chance. Precision is the mean of a Beta posterior; its prior is what all keywords of the
    question are worth together, which itself starts at PRIOR_PRECISION. `targets` (m, c) are 0 or 1.
    """
    held = found.sum(axis=0).astype(np.float64)
    right = (found * targets[:, columns]).sum(axis=0).astype(np.float64)
    shared = (right.sum() + PRIOR_ANSWERS * PRIOR_PRECISION) / (held.sum() + PRIOR_ANSWERS)
    precision = (right + PRIOR_ANSWERS * shared) / (held + PRIOR_ANSWERS)
    classes = targets.shape[1]
    share = (targets.sum(axis=0) + PRIOR_ANSWERS / classes) / (len(targets) + PRIOR_ANSWERS)
    chance = np.minimum(share[columns], 1.0 - _NOTHING)
    weights: Floats = np.maximum((precision - chance) / (1.0 - chance), 0.0).astype(np.float32)
    return weights


def join_keywords(names: Floats, vectors: Floats, hits: KeywordHits, weights: Floats) -> Floats:
    """Unit vectors (c, d) of the names (c, d) and the keywords of each class, of weights (k,).

    vectors (n, d) are of the items of `hits`. The keywords of a class give one direction, as long as the most
    trusted of them weighs. Classes without a keyword that an item holds keep their names bit for bit.
    Raises ValueError where rows or columns do not match.
    """
    if len(vectors) != len(hits.found) or len(weights) != len(hits.columns):
        raise ValueError(f"join_keywords: {len(vectors)} items and {len(weights)} weights")
    joined = names.copy()
    prototypes = _prototypes(vectors, hits.found)
    for column in np.unique(hits.columns):
        own = hits.columns == column
        direction = weights[own] @ prototypes[own]
        length = float(np.linalg.norm(direction))
        if length > _NOTHING:
            both = names[column] + weights[own].max() * direction / length
            joined[column] = both / max(float(np.linalg.norm(both)), _NOTHING)
    return joined.astype(np.float32)


def _prototypes(vectors: Floats, found: NDArray[np.bool_]) -> Floats:
    """Where the items of each keyword lie from the mean of all, (k, d): directions of length below 1."""
    prototypes = np.zeros((found.shape[1], vectors.shape[1]), dtype=np.float32)
    if not len(vectors):
        return prototypes
    middle = vectors.mean(axis=0)
    for keyword in np.flatnonzero(found.any(axis=0)):
        rows = found[:, keyword]
        apart = vectors[rows].mean(axis=0) - middle
        items = float(rows.sum())
        scale = items / (items + _SMOOTHING) / max(float(np.linalg.norm(apart)), _NOTHING)
        prototypes[keyword] = scale * apart
    return prototypes
