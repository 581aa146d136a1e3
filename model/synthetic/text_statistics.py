"""What a text is made of: words, pairs of words and runs of letters that no other has; scrambling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

from model.records import Floats

_WORD = r"(?u)\b\w+\b"
_KINDS: tuple[dict[str, Any], ...] = (
    {"analyzer": "word", "token_pattern": _WORD, "ngram_range": (1, 1)},
    {"analyzer": "word", "token_pattern": _WORD, "ngram_range": (2, 2)},
    {"analyzer": "char_wb", "ngram_range": (4, 4)},
)
_SAMPLED = 600  # letters that are enough to tell how a text is worded


class Wording:
    """How much of each text no other has: log odds for words, pairs of words, runs of four letters."""

    def __init__(self, texts: Sequence[str], *, real: int, background: Sequence[str]) -> None:
        """Take n texts to describe, of which the first `real` are real, and more real ones."""
        self._everything: list[NDArray[np.float64]] = []
        self._real: list[NDArray[np.float64]] = []
        shares = []
        for kind in _KINDS:
            counts = _count(texts, kind)
            more = _frequencies(_count(background, kind))
            self._everything.append(_frequencies(counts) + more)
            self._real.append(_frequencies(counts[:real]) + more)
            own_real = np.arange(len(texts)) < real
            shares.append(_unseen(counts, self._everything[-1], np.ones(len(texts), dtype=np.bool_)))
            shares.append(_unseen(counts, self._real[-1], own_real))
        self.shares: Floats = _columns(shares, texts)  # (n, 7); a text does not count for itself

    def of_made_up(self, texts: Sequence[str]) -> Floats:
        """The same of texts that are not among them, (m, 7)."""
        others = np.zeros(len(texts), dtype=np.bool_)
        shares = []
        for kind, everything, real in zip(_KINDS, self._everything, self._real, strict=True):
            counts = _count(texts, kind)
            shares += [_unseen(counts, everything, others), _unseen(counts, real, others)]
        return _columns(shares, texts)


def _columns(shares: list[Floats], texts: Sequence[str]) -> Floats:
    return np.concatenate([np.stack(shares, axis=1), log_lengths(texts)], axis=1).astype(np.float32)


def _count(texts: Sequence[str], kind: dict[str, Any]) -> Any:
    counter = HashingVectorizer(norm=None, alternate_sign=False, **kind)
    return counter.transform([text[:_SAMPLED] for text in texts] or [""])


def _frequencies(counts: Any) -> NDArray[np.float64]:
    """In how many of the texts each part is."""
    found: NDArray[np.float64] = np.bincount(counts.indices, minlength=counts.shape[1]).astype(np.float64)
    return found


def _unseen(counts: Any, frequency: NDArray[np.float64], is_counted: NDArray[np.bool_]) -> Floats:
    """Log odds (n,) of the parts that no other text has; `is_counted` texts are in the frequencies."""
    mine = counts.tocoo()
    unseen = frequency[mine.col] <= is_counted[mine.row]
    surprise = np.bincount(mine.row, weights=mine.data * unseen, minlength=len(is_counted))
    length = np.bincount(mine.row, weights=mine.data, minlength=len(is_counted))
    share = (surprise + 0.5) / (length + 1.0)
    return np.log(share / (1.0 - share)).astype(np.float32)


def log_lengths(texts: Sequence[str]) -> Floats:
    """log(1 + words) of each text, (n, 1)."""
    return np.log1p([[len(text.split())] for text in texts]).astype(np.float32)


def paired_cosines(rows: Any, left: NDArray[np.intp], right: NDArray[np.intp], others: Any = None) -> Floats:
    """Cosine of row left[i] with row right[i], or that of the others, of sparse unit rows, (m,)."""
    compared = rows if others is None else others
    parts = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(left), 50_000):
        some = slice(start, start + 50_000)
        parts.append(np.asarray(rows[left[some]].multiply(compared[right[some]]).sum(axis=1)).ravel())
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
