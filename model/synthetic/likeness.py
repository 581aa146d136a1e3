"""How alike two texts are: the parts they share, in which order, and what only one of them says."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from scipy.sparse import csr_matrix

_WORD = re.compile(r"\w+")
_LONGEST = 2000  # letters of a text that are looked at

Parts = NDArray[np.intp]


class Contents:
    """Texts as their words (letters, where most are written without spaces), and how rare each of these is.

    `parts` has one array of numbers for each of the n texts, `rows` their sparse unit vectors.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the texts to compare."""
        found = [_WORD.findall(text[:_LONGEST].casefold()) for text in texts]
        if found and np.median([len(words) for words in found]) <= 1.0:
            found = [list("".join(words)) for words in found]
        numbers: dict[str, int] = {}
        self.parts: list[Parts] = [
            np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.intp)
            for words in found
        ]
        count = np.zeros(len(numbers))
        for part in self.parts:
            count[np.unique(part)] += 1.0
        self.rarity: NDArray[np.float64] = np.log((1.0 + len(texts)) / (1.0 + count))
        self._rarest = float(np.log(1.0 + len(texts)))
        self.rows = self.vectors_of(self.parts)

    def vectors_of(self, texts: Sequence[Parts]) -> csr_matrix:
        """Sparse unit rows, rare parts counting more."""
        said = [np.unique(part) for part in texts]
        starts = np.concatenate([[0], np.cumsum([len(part) for part in said])])
        columns = np.concatenate([*said, np.zeros(0, dtype=np.intp)])
        rows = csr_matrix((self.rarity[columns], columns, starts), shape=(len(said), len(self.rarity)))
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        return csr_matrix(rows.multiply(1.0 / np.maximum(length, 1e-9)[:, None]))

    def compare(self, left: Parts, right: Parts) -> list[float]:
        """Seven numbers on two texts that are the same whichever comes first.

        Shares in what the one with more, and the one with less to say shares with the other; the same for
        parts in their order; the rarest part that either alone has, and the lesser of these; the length.
        """
        mine, yours = np.unique(left), np.unique(right)
        both = np.intersect1d(mine, yours, assume_unique=True)
        shared, most, least = self._weight(both), self._weight(mine), self._weight(yours)
        alone = [self._rarest_of(np.setdiff1d(part, both, assume_unique=True)) for part in (mine, yours)]
        shorter, longer = sorted((len(left), len(right)))
        kept = LCSseq.similarity(left.tolist(), right.tolist())  # the longest common subsequence
        return [
            shared / max(most, least, 1e-6),
            shared / max(min(most, least), 1e-6),
            kept / max(longer, 1),
            kept / max(shorter, 1),
            max(alone),
            min(alone),
            float(np.log1p(shorter)),
        ]

    def _weight(self, parts: Parts) -> float:
        return float(self.rarity[parts].sum())

    def _rarest_of(self, parts: Parts) -> float:
        return float(self.rarity[parts].max()) / self._rarest if len(parts) else 0.0
