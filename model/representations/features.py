"""Features of items and of class names in each representation."""

from __future__ import annotations

import numpy as np

from model.records import Embeddings, Floats, Representation

# Both halves of joined features have the same length, so that the cosine is the mean of both cosines.
_HALF = np.float32(np.sqrt(0.5))


def represent(representation: Representation, embeddings: Embeddings, words: Embeddings | None) -> Embeddings:
    """Features (n, d') of unit length from an encoder's vectors and TF-IDF vectors of the same items.

    Raises ValueError when words are needed and missing, or of other items.
    """
    if representation == "encoder":
        return embeddings
    if words is None or not np.array_equal(words.ids, embeddings.ids):
        raise ValueError(f"represent: {representation!r} needs the words of the same items")
    if representation == "tfidf":
        return words
    both = np.concatenate([embeddings.vectors, words.vectors], axis=1) * _HALF
    return Embeddings(embeddings.ids, both, f"{embeddings.encoder}+{words.encoder}")


def represent_names(representation: Representation, names: Floats, words: Floats | None) -> Floats:
    """What class names (c, d') are compared by: their scalar product with features is the cosine of texts.

    In joined features names are compared by the encoder alone, which knows what they mean; by words, a name
    without a known word is like no text at all.
    """
    if representation == "encoder":
        return names
    if words is None or len(words) != len(names):
        raise ValueError(f"represent_names: {representation!r} needs the words of the same names")
    if representation == "joined":
        return np.concatenate([names / _HALF, np.zeros_like(words)], axis=1)
    known = words.copy()
    known[:, -1] = 0.0
    return known
