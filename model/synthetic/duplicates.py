"""Twins: items that say what a real item, or a better synthetic one, says already. One of a set is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.synthetic.neighbours import Rows, find_neighbours
from model.synthetic.text_statistics import content_vectors, normalise, paired_cosines

LOOKED_AT = 30  # neighbours of an item that may be its twins
SAME = 1.0 - 1e-5  # cosine from which two vectors are one
# Share of the real items that are not as close to another real one as twins are, and bounds of closeness.
NATURAL_COSINE, LOWEST_COSINE, HIGHEST_COSINE = 0.99, 0.80, 0.98
NATURAL_WORDING, LOWEST_WORDING, HIGHEST_WORDING = 0.96, 0.74, 0.90


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """For each of n items the row it repeats, or -1; whether word for word; how close they are, 0 to 1."""

    of: Rows
    exact: NDArray[np.bool_]
    closeness: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Items that may be twins: rows left and right, whether word for word, and how close."""

    left: Rows
    right: Rows
    exact: NDArray[np.bool_]
    closeness: Floats


def find_twins(
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    preference: Floats,
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> Twins:
    """Which synthetic items repeat a real one or a synthetic one that is preferred (n,), higher first.

    The first `real` rows are real and never repeat anything. Word for word: the same words, or the same
    vector. Nearly: of one class, and closer than nearly all real items are to another real one of their
    class: by cosine of their words or, without texts, of the vectors.
    """
    pairs = _candidates(vectors, classes, real=real, texts=texts, rng=rng)
    total = len(vectors)
    rank = np.empty(total, dtype=np.intp)
    rank[np.lexsort((np.arange(total), -preference, np.arange(total) >= real))] = np.arange(total)
    of = np.full(total, -1, dtype=np.intp)
    exact = np.zeros(total, dtype=np.bool_)
    closeness = np.zeros(total, dtype=np.float32)
    better = np.where(rank[pairs.left] < rank[pairs.right], pairs.left, pairs.right)
    worse = np.where(better == pairs.left, pairs.right, pairs.left)
    other_class = classes[better] != classes[worse]
    # The worse item of a pair in order; for each of them: word for word first, with its label, the nearest.
    order = np.lexsort((rank[better], -pairs.closeness, other_class, ~pairs.exact, rank[worse]))
    for number in order[worse[order] >= real]:
        item, twin = worse[number], better[number]
        if of[item] >= 0:
            continue
        is_exact = pairs.exact[number]
        if of[twin] >= 0:
            if not (is_exact or exact[twin]):  # itself left out, and only nearly what stays
                continue
            is_exact, twin = is_exact and exact[twin], of[twin]
        of[item], exact[item], closeness[item] = twin, is_exact, pairs.closeness[number]
    return Twins(of, exact, closeness)


def _candidates(
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> _Pairs:
    total = len(vectors)
    everyone = np.arange(total)
    near = find_neighbours(vectors, vectors, count=min(LOOKED_AT, max(total - 1, 1)), rng=rng, own=everyone)
    left = np.repeat(everyone, near.rows.shape[1])
    there = near.rows.ravel() >= 0
    left, right = left[there], near.rows.ravel()[there]
    cosine: Floats = near.cosines.ravel()[there]
    one_class = classes[left] == classes[right]
    exact = cosine >= SAME
    closeness: Floats = cosine
    natural = (left < real) & (right < real) & one_class
    edge = HIGHEST_COSINE
    if texts is None:
        edge = _threshold(left, cosine, natural, NATURAL_COSINE, LOWEST_COSINE, HIGHEST_COSINE)
    close = cosine >= edge
    if texts is not None:
        wording = paired_cosines(content_vectors(texts), left, right)
        close |= wording >= _threshold(
            left, wording, natural, NATURAL_WORDING, LOWEST_WORDING, HIGHEST_WORDING
        )
        closeness = np.maximum(cosine, wording)
        words = _number_texts(texts)
        exact |= words[left] == words[right]
    keep = exact | (close & one_class)
    pairs = _Pairs(left[keep], right[keep], exact[keep], closeness[keep])
    return pairs if texts is None else _with_equal_texts(pairs, words)


def _threshold(
    left: Rows, closeness: Floats, natural: NDArray[np.bool_], share: float, lowest: float, highest: float
) -> float:
    """The closeness that a share of the real items does not have to the nearest real one, within bounds."""
    if not natural.any():
        return highest
    best = np.full(int(left.max()) + 1, -1.0)
    np.maximum.at(best, left[natural], closeness[natural])
    return float(np.clip(np.quantile(best[best > -1.0], share), lowest, highest))


def _with_equal_texts(pairs: _Pairs, words: NDArray[np.intp]) -> _Pairs:
    """Adds, for every item, its pair with the first of the same words: it may not be among neighbours."""
    _, first, inverse = np.unique(words, return_index=True, return_inverse=True)
    left = np.arange(len(words))
    right = first[inverse]
    other = left != right
    count = int(other.sum())
    return _Pairs(
        np.concatenate([pairs.left, left[other]]),
        np.concatenate([pairs.right, right[other]]),
        np.concatenate([pairs.exact, np.ones(count, dtype=np.bool_)]),
        np.concatenate([pairs.closeness, np.ones(count, dtype=np.float32)]),
    )


def _number_texts(texts: Sequence[str]) -> NDArray[np.intp]:
    """Equal numbers for texts of the same words."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalise(text), len(numbers)) for text in texts], dtype=np.intp)
