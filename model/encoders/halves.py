"""A batch that does not fit into the memory is done in halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from model.records import Floats

T = TypeVar("T")

# As torch says it of the memory of the machine, where it raises no more than a RuntimeError.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def in_halves(embed: Callable[[list[T]], Floats], items: list[T]) -> Floats:
    """What `embed` gives (n, d) for n > 0 items at once; where that runs out of memory, for halves of them.

    Raises what `embed` raises, out of memory too once a single item is too much.
    """
    try:
        return embed(items)
    except (MemoryError, RuntimeError) as error:
        if len(items) == 1 or not _is_out_of_memory(error):
            raise
    # out of the block above: its error holds on to what was computed
    middle = len(items) // 2
    return np.concatenate([in_halves(embed, items[:middle]), in_halves(embed, items[middle:])])


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error).lower() for words in _NO_MEMORY)
