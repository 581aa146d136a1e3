"""The margin of probabilities: the best less the second best."""

from __future__ import annotations

import numpy as np

from model.records import Floats

_CHUNK = 4096  # rows at a time, so that memory stays small


def margins(probabilities: Floats) -> Floats:
    """Best less second best of each row (n, c): 1 when sure, 0 in a tie; 1 when there is one class."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), dtype=np.float32)
    found = np.empty(len(probabilities), dtype=np.float32)
    for start in range(0, len(probabilities), _CHUNK):
        part = slice(start, start + _CHUNK)
        top = top_two(probabilities[part])
        found[part] = top[:, 1] - top[:, 0]
    return found


def top_two(probabilities: Floats) -> Floats:
    """The two largest of each row of two or more, (n, 2), ascending."""
    top: Floats = np.partition(probabilities, -2, axis=1)[:, -2:]
    return top
