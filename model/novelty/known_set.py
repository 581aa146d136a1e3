"""The known set of novelty scores: labelled items of known classes, names of classes, items of the pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

LANDMARKS = 2000  # rows that span the functions of the kernel scores; all of them when there are fewer
_LEAST_SPREAD = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class KnownSet:
    """What is known: unit vectors (n, d) and their classes (n,); the last rows may be names of classes.

    The first `items` rows are labelled items. `spread` is one less the mean cosine between items of different
    classes: the unit of distance that makes kernels mean the same for every encoder. `landmarks` are the
    rows that span the functions of the kernel scores. `unlabelled` (r, d) are items of the pool.
    """

    vectors: Floats
    classes: NDArray[np.intp]
    items: int
    spread: float
    landmarks: Rows
    unlabelled: Floats

    def __len__(self) -> int:
        return len(self.vectors)

    def choose_landmarks(self, last: Mask, rng: np.random.Generator) -> KnownSet:
        """The same with at most 2000 landmarks, `last` (n,) rows only when there are not enough others.

        A function fits its landmarks better than other places, labelled or not: an item that stands for the
        pool must not be one, or it looks less novel than the pool.
        """
        order = np.lexsort((rng.random(len(self)), last))
        return replace(self, landmarks=np.sort(order[:LANDMARKS]))


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Unit vectors (q, d) to score.

    `items` (q,) are their rows among the labelled items of the known set, `unlabelled` (q,) those among its
    items of the pool; -1 where they have none.
    """

    vectors: Floats
    items: Rows
    unlabelled: Rows

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, part: slice) -> Queries:
        """Some of them."""
        return Queries(self.vectors[part], self.items[part], self.unlabelled[part])

    def left_out(self, excluded: Mask) -> Mask:
        """Which (q,) are labelled items that a known set without these of its rows (n,) does not know."""
        found: Mask = (self.items >= 0) & excluded[self.items]
        return found


def make_known_set(
    vectors: Floats, classes: NDArray[np.intp], name_vectors: Floats | None = None
) -> KnownSet:
    """Items (n, d) and, if they may help, names (c, d) of classes 0 to c - 1. No pool."""
    middle = class_means(vectors, classes).mean(axis=0)
    spread = max(_LEAST_SPREAD, float(1.0 - middle @ middle))
    names = vectors[:0] if name_vectors is None else name_vectors
    everything = np.concatenate([vectors, names])
    every_class = np.concatenate([classes, np.arange(len(names))])
    return KnownSet(everything, every_class, len(vectors), spread, np.arange(len(everything)), vectors[:0])


def class_means(vectors: Floats, classes: NDArray[np.intp]) -> Floats:
    """The mean (k, d) of each class that has a row, in the order of the class numbers."""
    _, places = np.unique(classes, return_inverse=True)
    sums = np.zeros((places.max() + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, places, vectors)
    means: Floats = (sums / np.bincount(places)[:, None]).astype(np.float32)
    return means
