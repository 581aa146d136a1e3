"""What a text is made of: words, pairs of words and runs of letters that no other has; scrambling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from model.records import Floats

_WORD = r"(?u)\b\w+\b"
_KINDS: tuple[dict[str, Any], ...] = (
    {"analyzer": "word", "token_pattern": _WORD, "ngram_range": (1, 1)},
    {"analyzer": "word", "token_pattern": _WORD, "ngram_range": (2, 2)},
    {"analyzer": "char_wb", "ngram_range": (4, 4)},
)
_LONGEST = 2000  # letters of a text that are looked at


def unseen_shares(texts: Sequence[str], others: Sequence[str], *, own: int) -> Floats:
    """How much of each text no other has: (n, 3) log odds for words, pairs of words, runs of four letters.

    The first `own` texts are among the others themselves, and do not count for themselves.
    """
    if not texts:
        return np.zeros((0, len(_KINDS)), dtype=np.float32)
    columns = []
    for kind in _KINDS:
        counter = HashingVectorizer(norm=None, alternate_sign=False, **kind)
        frequency = np.zeros(counter.n_features)
        if others:
            frequency = np.asarray((counter.transform(_cut(others)) > 0).sum(axis=0)).ravel()
        mine = counter.transform(_cut(texts)).tocoo()
        unseen = frequency[mine.col] <= (mine.row < own)
        surprise = np.bincount(mine.row, weights=mine.data * unseen, minlength=len(texts))
        length = np.bincount(mine.row, weights=mine.data, minlength=len(texts))
        share = (surprise + 0.5) / (length + 1.0)
        columns.append(np.log(share / (1.0 - share)))
    return np.stack(columns, axis=1).astype(np.float32)


def log_lengths(texts: Sequence[str]) -> Floats:
    """log(1 + words) of each text, (n, 1)."""
    return np.log1p([[len(text.split())] for text in texts]).astype(np.float32)


def letter_vectors(texts: Sequence[str]) -> Any:
    """Sparse unit rows (n, h) of weighted runs of 3 and 4 letters, to compare how texts are written."""
    counter = HashingVectorizer(norm=None, alternate_sign=False, analyzer="char_wb", ngram_range=(3, 4))
    return TfidfTransformer(sublinear_tf=True).fit_transform(counter.transform(_cut(texts)))


def paired_cosines(rows: Any, left: NDArray[np.intp], right: NDArray[np.intp]) -> Floats:
    """Cosine of row left[i] with row right[i] of sparse unit rows, (m,)."""
    parts = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(left), 50_000):
        some = slice(start, start + 50_000)
        parts.append(np.asarray(rows[left[some]].multiply(rows[right[some]]).sum(axis=1)).ravel())
    return np.concatenate(parts).astype(np.float32)


def normalise(text: str) -> str:
    """The words of a text alone: twins that differ in spaces, capitals or marks become equal."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    return " ".join(words) if words else " ".join(text.split())


def scramble(text: str, alphabet: Sequence[str], rng: np.random.Generator) -> str:
    """The text as nobody would write it: letters shuffled, keys struck at random, or words shuffled."""
    words = text.split()
    way = int(rng.integers(3))
    if way == 2 and len(words) > 2:
        return " ".join(words[place] for place in rng.permutation(len(words)))
    if way == 1 and len(alphabet):
        return " ".join("".join(rng.choice(alphabet, size=len(word))) for word in words)
    return " ".join("".join(word[place] for place in rng.permutation(len(word))) for word in words)


def _cut(texts: Sequence[str]) -> list[str]:
    return [text[:_LONGEST] for text in texts]
