"""Features of items and of class names in each representation."""

from __future__ import annotations

from typing import Final

import numpy as np

from model.encoders.tfidf import Terms
from model.records import Embeddings, Floats, Representation

# What is counted for each representation that counts something.
TERMS: Final[dict[Representation, Terms]] = {
    "joined": "words",
    "tfidf": "words",
    "joined-characters": "characters",
    "characters": "characters",
}
_JOINED: Final[tuple[Representation, ...]] = ("joined", "joined-characters")

# Of the squared length of joined features, so that their cosine is the weighted mean of both cosines.
SHARE_OF_WORDS = 0.4

_MEANING = np.float32(np.sqrt(1.0 - SHARE_OF_WORDS))
_WORDS = np.float32(np.sqrt(SHARE_OF_WORDS))


def represent(representation: Representation, embeddings: Embeddings, words: Embeddings | None) -> Embeddings:
    """Features (n, d') of unit length from an encoder's vectors and TF-IDF vectors of the same items.

    `words` are vectors of the terms that TERMS names for the representation. Raises ValueError when they are
    needed and missing, or of other items.
    """
    if representation == "encoder":
        return embeddings
    if words is None or not np.array_equal(words.ids, embeddings.ids):
        raise ValueError(f"represent: {representation!r} needs the words of the same items")
    if representation not in _JOINED:
        return words
    both = np.concatenate([_MEANING * embeddings.vectors, _WORDS * words.vectors], axis=1)
    return Embeddings(embeddings.ids, both, f"{embeddings.encoder}+{words.encoder}")


def represent_names(
    representation: Representation, names: Floats | None, words: Floats | None
) -> Floats | None:
    """What class names (c, d') are compared by: their scalar product with features is the cosine of texts.

    In joined features names are compared by the encoder alone, which knows what they mean; by words, a name
    without a known word is like no text at all. None where the encoder knows no names.
    """
    if representation == "encoder" or names is None:
        return names
    if words is None or len(words) != len(names):
        raise ValueError(f"represent_names: {representation!r} needs the words of the same names")
    if representation in _JOINED:
        return np.concatenate([names / _MEANING, np.zeros_like(words)], axis=1)
    known = words.copy()
    known[:, -1] = 0.0
    return known
