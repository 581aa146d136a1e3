"""The head of a single-label project: one linear layer with a temperature, and softmax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.records import Embeddings, Floats, LabelSpace, Probabilities

# Inverse temperature of the cosine between a text and a class name. Raw cosines lie close together;
# 20 is what sentence encoders are trained with (Reimers & Gurevych, 2019, sentence-transformers).
NAME_SCALE = 20.0
_PART = 8192  # rows worked out at a time


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """logits = (x W + b) / temperature, with weights (d, c) and bias (c,), both finite float32."""

    weights: Floats
    bias: Floats
    temperature: float
    space: LabelSpace

    def __post_init__(self) -> None:
        classes = len(self.space)
        if self.weights.ndim != 2 or self.weights.shape[1] != classes or self.bias.shape != (classes,):
            raise ValueError(
                f"LinearHead: weights {self.weights.shape}, bias {self.bias.shape} for {classes} classes"
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise ValueError("LinearHead: a weight is not finite")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"LinearHead: temperature is {self.temperature}; it must be above 0")

    @property
    def dimensions(self) -> int:
        """Length d of the vectors this head takes."""
        return int(self.weights.shape[0])

    @property
    def knows_nothing(self) -> bool:
        """Whether all classes are equally likely whatever the item: before the first label, without names."""
        return len(self.space) > 1 and not (self.weights.any() or self.bias.any())

    def logits(self, vectors: Floats) -> Floats:
        """Calibrated logits (n, c) of vectors (n, d)."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise ValueError(f"LinearHead: vectors {vectors.shape} for {self.dimensions} dimensions")
        logits = np.empty((len(vectors), len(self.space)), dtype=np.float32)
        for part in _parts(len(vectors)):
            np.matmul(as_float32(vectors[part]), self.weights, out=logits[part])
        logits += self.bias
        logits /= np.float32(self.temperature)
        return logits

    def probabilities(self, embeddings: Embeddings, model_version: str) -> Probabilities:
        """What this head believes about each item; every row sums to 1."""
        values = self.logits(embeddings.vectors)
        for part in _parts(len(values)):
            values[part] = softmax(values[part])
        return Probabilities(embeddings.ids, values, model_version)


def similarity_head(name_vectors: Floats, space: LabelSpace) -> LinearHead:
    """The head before any label: softmax over the scaled cosine of text and class name.

    `name_vectors` (c, d) are the unit vectors of the class names, in the order of the space.
    """
    if name_vectors.ndim != 2 or len(name_vectors) != len(space):
        raise ValueError(f"similarity_head: name vectors {name_vectors.shape} for {len(space)} classes")
    weights = np.ascontiguousarray(NAME_SCALE * name_vectors.T, dtype=np.float32)  # (d, c)
    return LinearHead(weights, np.zeros(len(space), dtype=np.float32), 1.0, space)


def softmax(logits: Floats) -> Floats:
    """Rows of logits (n, c) as rows of probabilities; as stable as the logits are finite."""
    if logits.size == 0:
        return logits.astype(np.float32)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def as_float32(vectors: Floats) -> Floats:
    """Vectors that may lie as float16 on disk as what is worked with."""
    if vectors.dtype != np.float16:
        return np.asarray(vectors, dtype=np.float32)
    import torch  # takes seconds to import, which processes that never see float16 need not pay

    if not vectors.flags.writeable:  # torch takes no other
        vectors = np.array(vectors)
    converted: Floats = torch.from_numpy(vectors).float().numpy()  # ten times as fast as numpy
    return converted


def _parts(rows: int) -> Iterator[slice]:
    """Slices of a long array, so that what is worked out between stays small."""
    return (slice(start, start + _PART) for start in range(0, rows, _PART))
