"""A picture as sixteen by sixteen pixels: no network, for tests and for pictures that no network knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from model.encoders import Progress
from model.records import Floats

SIDE = 16


class PixelsEncoder:
    """Brightness of three colours in every place, less the middle grey."""

    def __init__(self, side: int = SIDE) -> None:
        """Takes the number of pixels along each side."""
        self.side = side
        self.dimensions = side * side * 3
        self.revision = f"pixels@{side}"

    def encode(self, pictures: Sequence[Image.Image], *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d); of a picture that is middle grey all over zeros."""
        vectors = np.zeros((len(pictures), self.dimensions), dtype=np.float32)
        for row, picture in enumerate(pictures):
            small = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BOX)
            pixels = np.asarray(small, dtype=np.float32).reshape(-1) / 255.0 - 0.5
            vectors[row] = pixels / max(float(np.linalg.norm(pixels)), 1e-6)
            if progress is not None:
                progress(1)
        return vectors
