"""What a person said of synthetic items: learned from, spread to their like, and asked in a good order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats
from model.synthetic.valuation import Valuation

Outcome = Literal["confirm", "relabel", "reject"]

RELIABILITY = 0.95  # how often a person is right; what an answer says of the item itself
_ALIKE = 0.5  # cosine from which an answer says something of another item; at 1 it says as much as of itself
_EDGE = 1e-4
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Review:
    """A person's answer about a synthetic item: its label holds, is another one, or the item is no use."""

    id: int
    outcome: Outcome


def apply_reviews(
    valuation: Valuation,
    embeddings: Embeddings,
    classes: NDArray[np.intp],
    groups: NDArray[np.intp],
    reviews: Sequence[Review],
) -> Valuation:
    """Values after a person's answers: for the item itself, and for its like by the closer the more.

    An answer multiplies the odds of a fault by 19 (or divides them: a person is right in 95 of 100 cases),
    raised to a power that falls from 1 for a twin to 0 for an item of cosine 0.5. It spreads only within its
    generator and intended answer: where `groups` (s,) and `classes` (s,) are equal. Answers about ids that
    are not here are left out.
    """
    place = {int(item): row for row, item in enumerate(embeddings.ids)}
    known = [(place[review.id], review.outcome) for review in reviews if review.id in place]
    if not known:
        return valuation
    rows = np.array([row for row, _ in known], dtype=np.intp)
    faulty = np.array([1.0 if outcome != "confirm" else -1.0 for _, outcome in known], dtype=np.float32)
    shift = np.zeros(len(embeddings), dtype=np.float32)
    strength = np.float32(np.log(RELIABILITY / (1.0 - RELIABILITY)))
    for start in range(0, len(embeddings), _CHUNK):
        some = slice(start, start + _CHUNK)
        near = _likeness(embeddings.vectors[some] @ embeddings.vectors[rows].T)
        near *= groups[some, None] == groups[rows]
        near *= classes[some, None] == classes[rows]
        shift[some] = near @ faulty * strength
    said = [_shift(part, shift) for part in (valuation.value, valuation.low, valuation.high)]
    for part in said:  # of the item itself a person's word counts, whatever was thought before
        part[rows] = np.where(
            faulty > 0,
            np.minimum(part[rows], 1 - 2 * RELIABILITY),
            np.maximum(part[rows], 2 * RELIABILITY - 1),
        )
    return replace(valuation, value=said[0], low=said[1], high=said[2])


def review_order(
    valuation: Valuation, embeddings: Embeddings, classes: NDArray[np.intp], groups: NDArray[np.intp]
) -> Floats:
    """How much one answer would settle (s,), higher = ask sooner: uncertainty × how much hangs on the item.

    What hangs on it is the uncertainty of its like, itself included, each by its likeness. A large set is
    sampled: an item's like are counted among at most 4,096 others.
    """
    unsure = 1.0 - np.abs(valuation.value)
    total = len(embeddings)
    stride = max(1, -(-total // 4096))
    others = np.arange(0, total, stride)
    weight = np.empty(total, dtype=np.float32)
    for start in range(0, total, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, total))
        near = _likeness(embeddings.vectors[rows] @ embeddings.vectors[others].T)
        near *= groups[rows, None] == groups[others]
        near *= classes[rows, None] == classes[others]
        near *= rows[:, None] != others
        weight[rows] = unsure[rows] + stride * (near @ unsure[others])
    return (unsure * weight).astype(np.float32)


def _likeness(cosines: Floats) -> Floats:
    likeness: Floats = np.clip((cosines - _ALIKE) / (1.0 - _ALIKE), 0.0, 1.0)
    return likeness


def _shift(values: Floats, shift: Floats) -> Floats:
    """Values moved by so much log odds of a fault."""
    fault = np.clip((1.0 - values.astype(np.float64)) / 2.0, _EDGE, 1.0 - _EDGE)
    odds = np.log(fault / (1.0 - fault)) + shift
    moved = 1.0 - 2.0 / (1.0 + np.exp(-odds))
    return np.where(shift == 0.0, values, moved).astype(np.float32)
