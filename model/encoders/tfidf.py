"""Texts as vectors of their words or characters, weighted and reduced, after those of one pool of texts."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import regex
from numpy.typing import NDArray

from model.encoders import Progress
from model.records import Floats
from model.sealed_tensors import seal, unseal

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Terms = Literal["words", "characters"]
ALL_TERMS: Final[tuple[Terms, ...]] = ("words", "characters")

DIMENSIONS = 128  # more helps with many labels, fewer with few
MOST_WORDS = 20_000
MOST_TEXTS = 10_000  # more would hardly change the words and their weights
MOST_TEXTS_BY_CHARACTERS = 2_500  # a text has several times more of them
MOST_CHARACTERS = 1_000  # of a text; what follows adds time more than it tells
LONGEST_GRAM = 4
_FEWEST_TEXTS_OF_A_WORD = 2
_VERSION = "v2"  # part of the revision: raise it whenever the same texts would give another encoder
_SEED = 0  # part of the version: the same texts give the same encoder
_NOTHING = 1e-6

# Scripts that put no space between words: there, a run of letters is a sentence.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(rf"(?P<run>[{_UNSPACED}][{_UNSPACED}\p{{M}}]*)|(?:(?![{_UNSPACED}])[\w\p{{M}}]){{2,}}")
_WORD_OF_OLD = regex.compile(r"\w\w+")


class TfidfEncoder:
    """Latent semantic analysis (Deerwester et al., 1990): weighted counts of words on their main directions.

    What counts as a word is said by the revision: words, or n-grams of characters. A word that occurs k times
    in a text weighs (1 + log k) · idf. The last dimension is that of texts that
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
        self._find = _finder(revision)

    @property
    def revision(self) -> str:
        """`tfidf@terms-fingerprint`, where the fingerprint is of the texts it was fitted to."""
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
        return seal({"words": words, "idf": self._idf, "directions": self._directions})

    @classmethod
    def from_bytes(cls, content: bytes) -> TfidfEncoder:
        """What `to_bytes` gave; raises ValueError, KeyError or SafetensorError on anything else."""
        tensors = unseal(content)
        revision, *words = json.loads(tensors["words"].tobytes())
        return cls(words, tensors["idf"], tensors["directions"], revision)

    def _weigh(self, texts: Sequence[str]) -> csr_matrix:
        return _weigh(map(self._find, texts), self._columns, self._idf)


def tfidf_revision(fingerprints: Iterable[str], terms: Terms = "words") -> str:
    """The revision of the encoder that texts of these fingerprints, in this order, would give."""
    digest = hashlib.sha256("\n".join((_VERSION, *fingerprints)).encode())
    return f"tfidf@{terms}-{digest.hexdigest()[:16]}"


def rows_to_fit(count: int, terms: Terms = "words") -> NDArray[np.intp]:
    """Which of `count` texts, in the order they came, an encoder is fitted to.

    The early ones, so that it stays the same while others come; at least five of six, and a new one when
    there are a fifth more. Of more than 10,000 (by characters 2,500) a sample.
    """
    early = int(2 ** (math.floor(4 * math.log2(count)) / 4)) if count else 0
    most = MOST_TEXTS if terms == "words" else MOST_TEXTS_BY_CHARACTERS
    return np.sort(np.random.default_rng(_SEED).permutation(early)[:most])


def fit_tfidf(texts: Sequence[str], *, revision: str) -> TfidfEncoder | None:
    """The encoder of these texts; None when there are no words that two of them share.

    Words are runs of two letters or digits and more, in lower case; in scripts without spaces between words
    each character and each pair. Characters are runs of one to four inside what stands between two spaces,
    its borders included (Cavnar and Trenkle, 1994). Of many the most frequent are kept.
    """
    find = _finder(revision)
    words, counts = _choose_words(map(find, texts))
    if not words:
        return None
    columns = {word: column for column, word in enumerate(words)}
    idf = (np.log((1.0 + len(texts)) / (1.0 + counts)) + 1.0).astype(np.float32)
    directions = _main_directions(_weigh(map(find, texts), columns, idf))
    return TfidfEncoder(words, idf, directions, revision)


def _choose_words(texts: Iterable[Iterable[str]]) -> tuple[list[str], Floats]:
    """Words by the alphabet, and in how many texts each is."""
    frequencies: Counter[str] = Counter()
    for found in texts:
        frequencies.update(set(found))
    shared = [word for word, count in frequencies.items() if count >= _FEWEST_TEXTS_OF_A_WORD]
    words = sorted(sorted(shared, key=lambda word: (-frequencies[word], word))[:MOST_WORDS])
    return words, np.array([frequencies[word] for word in words], dtype=np.float32)


def _weigh(texts: Iterable[Iterable[str]], columns: dict[str, int], idf: Floats) -> csr_matrix:
    """Rows (n, v) of length 1, or 0 for a text without a known word."""
    places: list[int] = []
    counts: list[int] = []
    ends = [0]
    for found in texts:
        known = Counter(column for word in found if (column := columns.get(word)) is not None)
        places.extend(known.keys())
        counts.extend(known.values())
        ends.append(len(places))
    at = np.array(places, dtype=np.int32)
    values = (1.0 + np.log(np.array(counts, dtype=np.float32))) * idf[at]
    count = len(ends) - 1
    row_of = np.repeat(np.arange(count), np.diff(ends))
    lengths = np.sqrt(np.bincount(row_of, values**2, minlength=count))
    values = (values / lengths[row_of]).astype(np.float32)
    from scipy.sparse import csr_matrix  # a version is read without it

    return csr_matrix((values, at, np.array(ends)), shape=(count, len(columns)))


def _finder(revision: str) -> Callable[[str], Iterable[str]]:
    """What finds the words of a text; revisions of old do not say, and had another pattern."""
    terms = revision.partition("@")[2].partition("-")[0]
    return {"words": _find_words, "characters": _find_grams}.get(terms, _find_words_of_old)


def _find_words_of_old(text: str) -> Iterable[str]:
    found: list[str] = _WORD_OF_OLD.findall(text.lower())
    return found


def _find_words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text.lower()):
        found = match.group()
        if match.group("run") is None:
            yield found
            continue
        yield from found
        yield from (found[start : start + 2] for start in range(len(found) - 1))


def _find_grams(text: str) -> Iterator[str]:
    for word in text[:MOST_CHARACTERS].lower().split():
        bordered = f" {word} "
        yield from word
        for length in range(2, LONGEST_GRAM + 1):
            yield from (bordered[start : start + length] for start in range(len(bordered) - length + 1))


def _main_directions(rows: csr_matrix) -> Floats:
    """Right singular vectors (v, k) of the largest values (randomised; Halko et al., 2011)."""
    count = min(DIMENSIONS, *rows.shape)
    from sklearn.utils.extmath import randomized_svd

    _, values, directions = randomized_svd(rows, count, n_iter=4, random_state=_SEED)
    carried = values > _NOTHING * values[0]
    return np.ascontiguousarray(directions[carried].T, dtype=np.float32)
