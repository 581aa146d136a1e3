"""Pairs of items that show nearly the same picture: by vectors, hashes, and how far ahead of the next best.

People take many pictures of one thing, so likeness alone does not make a twin: what counts as well is how
much more alike two pictures are than either is to what else is like it. The weights were learned from made
twins of public pictures (docs/decisions/0042-synthetic-pictures.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.neighbours import Neighbours, Rows
from model.records import Floats
from model.synthetic.pictures import Pictures

# Of the log odds that two pictures are twins: cosine, share of bits that differ, and how far both are ahead.
WEIGHTS: Final = (8.0, -7.0, 12.0, 9.0)
OFFSET: Final = -6.0
NATURAL: Final = 0.98  # share of the real items whose likest other real one is no twin
LOWEST, HIGHEST = 1.0, 3.0  # log odds between which twins begin
_ONE_PICTURE = 0.1  # share of the bits within which two that are like a third count once


def weigh_pairs(pictures: Pictures, near: Neighbours, may_be: NDArray[np.bool_]) -> tuple[Rows, Floats]:
    """For each of n items the likest of its k neighbours, or -1, and the log odds (n,) that both are twins.

    `may_be` (n, k) says which neighbours count. An item without any has the log odds -inf.
    """
    total, count = near.rows.shape
    there = may_be & (near.rows >= 0)
    rows = np.where(there, near.rows, 0)
    own = np.repeat(np.arange(total), count)
    differ = pictures.distances(own, rows.ravel()).reshape(total, count)
    alike = np.where(there, near.cosines, -1.0)
    differ = np.where(there, differ, 1.0)
    best = (WEIGHTS[0] * alike + WEIGHTS[1] * differ).argmax(axis=1)
    here = np.arange(total)
    likest = rows[here, best]
    from_likest = pictures.distances(np.repeat(likest, count), rows.ravel()).reshape(total, count)
    others = there & (from_likest > _ONE_PICTURE)
    next_alike = np.where(others, alike, 0.0).max(axis=1, initial=0.0)
    next_differ = np.where(others, differ, 0.5).min(axis=1, initial=0.5)
    parts = (alike[here, best], differ[here, best])
    ahead = (parts[0] - next_alike, next_differ - parts[1])
    odds = OFFSET + sum(weight * part for weight, part in zip(WEIGHTS, (*parts, *ahead), strict=True))
    has_any = there.any(axis=1)
    return np.where(has_any, likest, -1), np.where(has_any, odds, -np.inf).astype(np.float32)


def natural_edge(odds: Floats) -> float:
    """The log odds that nearly no real item has with the likest real one, within bounds."""
    known = odds[np.isfinite(odds)]
    if not len(known):
        return HIGHEST
    return float(np.clip(np.quantile(known, NATURAL), LOWEST, HIGHEST))
