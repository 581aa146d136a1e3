"""A bag-of-words encoder without a network: for tests, and where nothing heavier may run."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.encoders import Progress
from model.records import Floats

_WORD = re.compile(r"\w+")
_VERSION = "v1"  # part of the revision: raise it whenever a text would get another vector


@dataclass(frozen=True, slots=True)
class HashingEncoder:
    """Signed hashing of lower-cased words into `dimensions` numbers (Weinberger et al., 2009).

    A word that occurs k times weighs 1 + log k. Deterministic on every machine and for ever.
    """

    dimensions: int = 256

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise ValueError(f"HashingEncoder: dimensions is {self.dimensions}; give 1 or more")

    @property
    def revision(self) -> str:
        """Name, size and version of the hashing."""
        return f"hashing-{self.dimensions}@{_VERSION}"

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d)."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), batch_size):
            batch = texts[start : start + batch_size]
            for row, text in enumerate(batch, start):
                vectors[row] = self._embed(text)
            if progress is not None:
                progress(len(batch))
        return vectors

    def _embed(self, text: str) -> Floats:
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for word, count in Counter(_WORD.findall(text.lower())).items():
            column, sign = self._place(word)
            vector[column] += sign * (1.0 + np.log(count))
        norm = float(np.linalg.norm(vector))
        if norm < 1e-6:  # no words, or words that cancel out: the text as a whole gets a place
            vector[:] = 0.0
            vector[self._place(text)[0]] = 1.0
            return vector
        return vector / np.float32(norm)

    def _place(self, word: str) -> tuple[int, float]:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        return (number >> 1) % self.dimensions, 1.0 if number & 1 else -1.0
