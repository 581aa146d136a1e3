"""An image encoder whose vectors hold the pixels of a picture beside what a network sees in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.encoders import Progress
from model.encoders.image import EncodesNames, ImageEncoder, Pictures
from model.encoders.pixels import (
    DIMENSIONS,
    REVISION,
    SHARE_OF_PIXELS,
    encode_pixels,
    join_pixels,
)
from model.records import Floats


class WithPixels:
    """Any image encoder, its vectors joined with those of pixels: docs/decisions/0040."""

    def __init__(self, encoder: ImageEncoder) -> None:
        """Takes the encoder as it is."""
        self._encoder = encoder
        self.revision = f"{encoder.revision}+{REVISION}"
        self.dimensions = encoder.dimensions + DIMENSIONS
        self.side = encoder.side

    def encode(self, pictures: Pictures, *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d + 1024)."""
        vectors = self._encoder.encode(pictures, progress=progress)
        return join_pixels(vectors, encode_pixels(pictures))


class NamesWithPixels(WithPixels):
    """The same of an encoder that puts names beside pictures."""

    def __init__(self, encoder: ImageEncoder, names: EncodesNames) -> None:
        """`names` is the encoder itself."""
        super().__init__(encoder)
        self._names = names

    def encode_names(self, names: Sequence[str]) -> Floats:
        """Vectors (n, d + 1024) that are compared by the network alone: pixels know no names.

        They are longer than 1, so that their product with a picture is the cosine that the network gives.
        """
        vectors = self._names.encode_names(names) / np.float32(np.sqrt(1.0 - SHARE_OF_PIXELS))
        return np.concatenate([vectors, np.zeros((len(names), DIMENSIONS), dtype=np.float32)], axis=1)


def with_pixels(encoder: ImageEncoder) -> WithPixels:
    """The encoder with pixels; it names pictures where the encoder does."""
    return NamesWithPixels(encoder, encoder) if isinstance(encoder, EncodesNames) else WithPixels(encoder)
