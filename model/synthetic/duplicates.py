"""Twins: items that say what a real item, or a better synthetic one, says already. One of a set is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.neighbours import Neighbours, Rows, find_neighbours
from model.records import Floats
from model.synthetic.items import Unlabelled
from model.synthetic.likeness import Contents
from model.synthetic.picture_twins import natural_edge, weigh_pairs
from model.synthetic.pictures import Pictures, join_pictures
from model.synthetic.text_statistics import normalise, paired_cosines
from model.synthetic.twin_detector import SURELY_LIKE, Alike, call_twins

LOOKED_AT = 30  # neighbours of an item that may be its twins
SAME = 1.0 - 1e-5  # cosine from which two vectors are one
# Share of the real items that are not as close to another real one as twins are, and bounds of closeness.
NATURAL, LOWEST, HIGHEST = 0.99, 0.80, 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """For each of n items the row it repeats, or -1; whether word for word; how close they are, 0 to 1."""

    of: Rows
    exact: NDArray[np.bool_]
    closeness: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Items that are twins: rows left and right, whether word for word, and how close."""

    left: Rows
    right: Rows
    exact: NDArray[np.bool_]
    closeness: Floats

    def and_also(self, left: Rows, right: Rows, closeness: Floats, *, exact: bool) -> _Pairs:
        """With more pairs."""
        return _Pairs(
            np.concatenate([self.left, left]),
            np.concatenate([self.right, right]),
            np.concatenate([self.exact, np.full(len(left), exact)]),
            np.concatenate([self.closeness, closeness]),
        )


def find_twins(
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    preference: Floats,
    texts: Sequence[str] | None,
    pictures: Pictures | None = None,
    unlabelled: Unlabelled | None,
    rng: np.random.Generator,
) -> Twins:
    """Which synthetic items repeat a real one or a synthetic one that is preferred (n,), higher first.

    The first `real` rows are real and never repeat anything; unlabelled ones show how alike real texts are.
    Word for word: the same words, or the same vector. Nearly, of one class: as like as twins that are made
    of real texts and unlike natural neighbours or, without texts, closer than nearly all real items are.
    What shows pictures repeats what shows the same or nearly the same ones, where texts beside them do not
    differ much.
    """
    if pictures is not None:
        pairs = _find_shown(
            vectors, classes, real=real, pictures=pictures, texts=texts, unlabelled=unlabelled, rng=rng
        )
    else:
        pairs = _find_pairs(vectors, classes, real=real, texts=texts, unlabelled=unlabelled, rng=rng)
    total = len(vectors)
    rank = np.empty(total, dtype=np.intp)
    rank[np.lexsort((np.arange(total), -preference, np.arange(total) >= real))] = np.arange(total)
    return _keep_one(pairs, rank, classes, real)


def _keep_one(pairs: _Pairs, rank: Rows, classes: NDArray[np.intp], real: int) -> Twins:
    """Of each set of twins all but the first by rank repeat it."""
    of = np.full(len(rank), -1, dtype=np.intp)
    exact = np.zeros(len(rank), dtype=np.bool_)
    closeness = np.zeros(len(rank), dtype=np.float32)
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


def _find_pairs(
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    texts: Sequence[str] | None,
    unlabelled: Unlabelled | None,
    rng: np.random.Generator,
) -> _Pairs:
    near = _look_near(vectors, rng)
    left = np.repeat(np.arange(len(vectors)), near.rows.shape[1])
    there = near.rows.ravel() >= 0
    left, right, cosine = left[there], near.rows.ravel()[there], near.cosines.ravel()[there]
    one_class = classes[left] == classes[right]
    exact = cosine >= SAME
    edge = (
        HIGHEST
        if texts is not None
        else _natural_edge(left, cosine, one_class & (left < real) & (right < real))
    )
    keep = exact | ((cosine >= edge) & one_class)
    pairs = _Pairs(left[keep], right[keep], exact[keep], cosine[keep])
    if texts is None:
        return pairs
    more = unlabelled if unlabelled is not None and unlabelled.texts is not None else None
    everything = [*texts, *(more.texts or ())] if more is not None else texts
    words = _number_texts(everything)
    alike = _alike(
        near, vectors, classes, real=real, contents=Contents(everything), words=words, more=more, rng=rng
    )
    return _with_equal_texts(pairs.and_also(*alike, exact=False), words[: len(texts)])


def _find_shown(
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    pictures: Pictures,
    texts: Sequence[str] | None,
    unlabelled: Unlabelled | None,
    rng: np.random.Generator,
) -> _Pairs:
    """Twins of items that show pictures."""
    near, total = _look_near(vectors, rng), len(vectors)
    said_alike = _say_alike(near, texts)
    one_class = classes[near.rows] == classes[:, None]
    likest, odds = weigh_pairs(pictures, near, one_class & said_alike)
    edge = natural_edge(_natural_odds(vectors[:real], classes[:real], pictures, unlabelled, rng))
    left = np.flatnonzero((odds >= edge) & (np.arange(total) >= real))
    cosines = np.einsum("nd,nd->n", vectors[left], vectors[likest[left]])
    pairs = _Pairs(left, likest[left], np.zeros(len(left), dtype=np.bool_), cosines.astype(np.float32))
    looked, same = np.nonzero((near.rows >= 0) & (near.cosines >= SAME) & said_alike)
    others = near.rows[looked, same]
    equal = pictures.distances(looked, others) == 0.0
    pairs = pairs.and_also(looked[equal], others[equal], near.cosines[looked, same][equal], exact=True)
    words = np.zeros(total, dtype=np.intp) if texts is None else _number_texts(texts)
    return _with_equal_texts(pairs, _number_contents(pictures, words))


def _natural_odds(
    vectors: Floats,
    classes: NDArray[np.intp],
    pictures: Pictures,
    unlabelled: Unlabelled | None,
    rng: np.random.Generator,
) -> Floats:
    """Log odds that each real item, unlabelled ones among them, is a twin of the likest other one."""
    known = pictures.take(np.arange(len(vectors)))
    if unlabelled is not None and unlabelled.pictures is not None:
        known = join_pictures(known, unlabelled.pictures)
        vectors = np.concatenate([vectors, unlabelled.embeddings.vectors])
        classes = np.concatenate([classes, np.full(len(vectors) - len(classes), -1)])
    near = _look_near(vectors, rng)
    return weigh_pairs(known, near, _may_be_one(classes, near))[1]


def _say_alike(near: Neighbours, texts: Sequence[str] | None) -> NDArray[np.bool_]:
    """Whether each item's neighbours (n, k) say what it says, or nearly; all do where there are no texts."""
    if texts is None:
        return np.ones(near.rows.shape, dtype=np.bool_)
    words, own = _number_texts(texts), np.repeat(np.arange(len(texts)), near.rows.shape[1])
    cosines = paired_cosines(Contents(texts).rows, own, near.rows.ravel()).reshape(near.rows.shape)
    alike: NDArray[np.bool_] = (words[near.rows] == words[:, None]) | (cosines >= SURELY_LIKE)
    return alike


def _alike(
    near: Neighbours,
    vectors: Floats,
    classes: NDArray[np.intp],
    *,
    real: int,
    contents: Contents,
    words: NDArray[np.intp],
    more: Unlabelled | None,
    rng: np.random.Generator,
) -> tuple[Rows, Rows, Floats]:
    """Synthetic items, what their words repeat as only twins do, and the cosine of the words."""
    total = len(classes)
    candidates = np.where(classes[near.rows] == classes[:, None], near.rows, -1)
    asked = Alike(contents, words, np.arange(total), candidates)
    known = np.concatenate([np.arange(real), np.arange(total, len(words))])
    if more is not None:
        classes = np.concatenate([classes, np.full(len(words) - total, -1)])
        vectors = np.concatenate([vectors, more.embeddings.vectors])
    real_near = _look_near(vectors[known], rng)
    may_be_one = _may_be_one(classes[known], real_near)
    natural = Alike(contents, words, known, np.where(may_be_one, known[real_near.rows], -1))
    return call_twins(asked, np.arange(real, total), natural, rng)


def _may_be_one(classes: NDArray[np.intp], near: Neighbours) -> NDArray[np.bool_]:
    """Which neighbours (n, k) may be of the class of an item (n,); -1 is a class that nobody said."""
    theirs, own = classes[near.rows], classes[:, None]
    may_be: NDArray[np.bool_] = (theirs == own) | (theirs < 0) | (own < 0)
    return may_be


def _look_near(vectors: Floats, rng: np.random.Generator) -> Neighbours:
    total = len(vectors)
    count = min(LOOKED_AT, max(total - 1, 1))
    return find_neighbours(vectors, vectors, count=count, rng=rng, own=np.arange(total))


def _natural_edge(left: Rows, closeness: Floats, natural: NDArray[np.bool_]) -> float:
    """The closeness that nearly all real items do not have to the nearest real one, within bounds."""
    if not natural.any():
        return HIGHEST
    best = np.full(int(left.max()) + 1, -1.0)
    np.maximum.at(best, left[natural], closeness[natural])
    return float(np.clip(np.quantile(best[best > -1.0], NATURAL), LOWEST, HIGHEST))


def _with_equal_texts(pairs: _Pairs, words: NDArray[np.intp]) -> _Pairs:
    """Adds, for every item, its pair with the first of the same words: it may not be among neighbours."""
    exact = pairs.exact | (words[pairs.left] == words[pairs.right])
    _, first, inverse = np.unique(words, return_index=True, return_inverse=True)
    left = np.arange(len(words))
    right = first[inverse]
    other = left != right
    same = _Pairs(pairs.left, pairs.right, exact, pairs.closeness)
    return same.and_also(left[other], right[other], np.ones(int(other.sum()), dtype=np.float32), exact=True)


def _number_texts(texts: Sequence[str]) -> NDArray[np.intp]:
    """Equal numbers for texts of the same words."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalise(text), len(numbers)) for text in texts], dtype=np.intp)


def _number_contents(pictures: Pictures, words: NDArray[np.intp]) -> NDArray[np.intp]:
    """Equal numbers for items that show the same pictures beside the same words."""
    numbers: dict[tuple[str, int], int] = {}
    keys = zip(pictures.contents, words.tolist(), strict=True)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
