"""Which items are unlike everything labelled: farther from it than labelled items are from each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.neighbours import nearest, nearest_cosine
from model.records import Floats

FEWEST = 20  # labelled items; of fewer almost everything is unlike
_SHARE = 0.05
_MOST_COMPARED = 2000


def unlike_labelled(items: Floats, labelled: Floats, *, seed: int) -> NDArray[np.bool_]:
    """A mask (n,) over unit vectors (n, d), given those of the labelled items (m, d).

    Unlike is what is less near to its nearest labelled item than 95 in 100 labelled items are to theirs, by
    cosine. Below `FEWEST` labelled items nothing is. Of many, the bar comes from a sample drawn by `seed`.
    """
    if not len(items) or len(labelled) < FEWEST:
        return np.zeros(len(items), dtype=bool)
    rows = np.arange(len(labelled))
    if len(rows) > _MOST_COMPARED:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_COMPARED, replace=False))
    own = nearest(labelled[rows], labelled, count=1, own=rows).cosines[:, 0]
    mask: NDArray[np.bool_] = nearest_cosine(items, labelled) < np.quantile(own, _SHARE)
    return mask
