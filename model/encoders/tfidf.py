"""Texts as vectors of their words, weighted and reduced, after the words of one pool of texts."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from model.encoders import Progress
from model.records import Floats

DIMENSIONS = 128  # more helps with many labels, fewer with few
MOST_WORDS = 20_000
MOST_TEXTS = 10_000  # more would hardly change the words and their weights
_FEWEST_TEXTS_OF_A_WORD = 2
_VERSION = "v1"  # part of the revision: raise it whenever the same texts would give another encoder
_SEED = 0  # part of the version: the same texts give the same encoder
_NOTHING = 1e-6

_WORD = re.compile(r"\w\w+")


class TfidfEncoder:
    """Latent semantic analysis (Deerwester et al., 1990): weighted counts of words on their main directions.

    A word that occurs k times in a text weighs (1 + log k) · idf. The last dimension is that of texts that
    share no word with the pool, so that every vector has length 1. Deterministic.
    """

    def __init__(self, words: Sequence[str], idf: Floats, directions: Floats, revision: str) -> None:
        """Take v words, their inverse document frequencies (v,) and directions (v, k)."""
        if idf.shape != (len(words),) or directions.ndim != 2 or len(directions) != len(words):
            raise ValueError(f"TfidfEncoder: {idf.shape} and {directions.shape} for {len(words)} words")
        if not (np.isfinite(idf).all() and np.isfinite(directions).all()):
            raise ValueError("TfidfEncoder: a weight is not finite")
        self._words = tuple(words)
        self._columns = {word: column for column, word in enumerate(self._words)}
        self._idf, self._directions, self._revision = idf, directions, revision

    @property
    def revision(self) -> str:
        """`tfidf@fingerprint`, where the fingerprint is of the texts it was fitted to."""
        return self._revision

    @property
    def dimensions(self) -> int:
        """Directions, and one for texts without a known word."""
        return int(self._directions.shape[1]) + 1

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 1024, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d)."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), batch_size):
            batch = texts[start : start + batch_size]
            vectors[start : start + len(batch), :-1] = self._weigh(batch) @ self._directions
            if progress is not None:
                progress(len(batch))
        lengths = np.linalg.norm(vectors, axis=1)
        unknown = lengths < _NOTHING
        vectors[unknown], lengths[unknown] = 0.0, 1.0
        vectors[unknown, -1] = 1.0
        vectors /= lengths[:, None]
        return vectors

    def to_bytes(self) -> bytes:
        """All of it as one safetensors file; the words are JSON in it."""
        words = np.frombuffer(json.dumps([self._revision, *self._words]).encode(), dtype=np.uint8)
        return save_tensors({"words": words, "idf": self._idf, "directions": self._directions})

    @classmethod
    def from_bytes(cls, content: bytes) -> TfidfEncoder:
        """What `to_bytes` gave; raises ValueError, KeyError or SafetensorError on anything else."""
        tensors = load_tensors(content)
        revision, *words = json.loads(tensors["words"].tobytes())
        return cls(words, tensors["idf"], tensors["directions"], revision)

    def _weigh(self, texts: Sequence[str]) -> csr_matrix:
        return _weigh(texts, self._columns, self._idf)


def tfidf_revision(fingerprints: Iterable[str]) -> str:
    """The revision of the encoder that texts of these fingerprints, in this order, would give."""
    digest = hashlib.sha256("\n".join((_VERSION, *fingerprints)).encode())
    return f"tfidf@{digest.hexdigest()[:16]}"


def rows_to_fit(count: int) -> NDArray[np.intp]:
    """Which of `count` texts, in the order they came, an encoder is fitted to.

    The early ones, so that it stays the same while others come; at least five of six, and a new one when
    there are a fifth more. Of more than 10,000 a sample.
    """
    early = int(2 ** (math.floor(4 * math.log2(count)) / 4)) if count else 0
    return np.sort(np.random.default_rng(_SEED).permutation(early)[:MOST_TEXTS])


def fit_tfidf(texts: Sequence[str], *, revision: str) -> TfidfEncoder | None:
    """The encoder of these texts; None when there are no words that two of them share.

    Words are runs of two letters or digits and more, in lower case; of many the most frequent are kept.
    """
    words, counts = _choose_words(texts)
    if not words:
        return None
    columns = {word: column for column, word in enumerate(words)}
    idf = (np.log((1.0 + len(texts)) / (1.0 + counts)) + 1.0).astype(np.float32)
    directions = _main_directions(_weigh(texts, columns, idf))
    return TfidfEncoder(words, idf, directions, revision)


def _choose_words(texts: Sequence[str]) -> tuple[list[str], Floats]:
    """Words by the alphabet, and in how many texts each is."""
    frequencies: Counter[str] = Counter()
    for text in texts:
        frequencies.update(set(_find_words(text)))
    shared = [word for word, count in frequencies.items() if count >= _FEWEST_TEXTS_OF_A_WORD]
    words = sorted(sorted(shared, key=lambda word: (-frequencies[word], word))[:MOST_WORDS])
    return words, np.array([frequencies[word] for word in words], dtype=np.float32)


def _weigh(texts: Sequence[str], columns: dict[str, int], idf: Floats) -> csr_matrix:
    """Rows (n, v) of length 1, or 0 for a text without a known word."""
    places: list[int] = []
    counts: list[int] = []
    ends = [0]
    for text in texts:
        known = Counter(column for word in _find_words(text) if (column := columns.get(word)) is not None)
        places.extend(known.keys())
        counts.extend(known.values())
        ends.append(len(places))
    at = np.array(places, dtype=np.int32)
    values = (1.0 + np.log(np.array(counts, dtype=np.float32))) * idf[at]
    row_of = np.repeat(np.arange(len(texts)), np.diff(ends))
    lengths = np.sqrt(np.bincount(row_of, values**2, minlength=len(texts)))
    values = (values / lengths[row_of]).astype(np.float32)
    return csr_matrix((values, at, np.array(ends)), shape=(len(texts), len(columns)))


def _find_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _main_directions(rows: csr_matrix) -> Floats:
    """Right singular vectors (v, k) of the largest values (randomised; Halko et al., 2011)."""
    count = min(DIMENSIONS, *rows.shape)
    _, values, directions = randomized_svd(rows, count, n_iter=4, random_state=_SEED)
    carried = values > _NOTHING * values[0]
    return np.ascontiguousarray(directions[carried].T, dtype=np.float32)
