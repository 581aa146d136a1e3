"""Room for large arrays that the system may write out: a mapped file without a name."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import numpy as np

from backend.vector_files.segment import Keys

# Smaller ones cost less in memory.
_SMALLEST_MAPPED: Final = 64 * 2**20


def make_room(folder: Path, *, rows: int, width: int) -> Keys:
    """Bytes (rows, width) to be written; large ones lie in a file that goes with the array.

    Raises OSError where the disk has no space.
    """
    size = rows * width
    if size < _SMALLEST_MAPPED:
        return np.empty((rows, width), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder, prefix=".room-") as file:
        # the space is taken now: a full disk would kill the process that writes to a mapping
        os.posix_fallocate(file.fileno(), 0, size)
        mapped = mmap.mmap(file.fileno(), size)
    return np.frombuffer(mapped, dtype=np.uint8).reshape(rows, width)
