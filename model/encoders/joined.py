"""Vectors of items that show pictures, beside a text or alone: one block for the text, one for each picture.

Texts are encoded as items without a picture, so that whatever compares items with texts goes on as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.encoders import Encoder, EncodesNames, Progress
from model.records import Floats

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder


@dataclass(frozen=True, slots=True)
class Layout:
    """Which blocks a vector has: one for the text, if items show any, and one for each picture, by name."""

    has_text: bool
    pictures: tuple[str, ...]


class JoinedEncoder:
    """A text encoder and an image encoder behind one layout; satisfies `Encoder`."""

    def __init__(self, text: Encoder | None, image: ImageEncoder, layout: Layout) -> None:
        """`text` is None where the layout has no text."""
        self.text = text
        self.image = image
        self.layout = layout
        self.revision = joined_revision(text.revision if text else "", image.revision, layout)
        self._naming = _naming(image)
        self._words = text.dimensions if text else 0
        self.dimensions = self._words + len(layout.pictures) * image.dimensions

    @property
    def reads_words(self) -> bool:
        """Whether a text has a vector: beside pictures alone it has one where their encoder knows names."""
        return self.text is not None or self._naming is not None

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Vectors (n, d) of items without a picture, of unit length.

        Where the layout has no text: of pictures that the texts name, and zeros where none are named.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        if self.text is not None:
            vectors[:, : self._words] = self.text.encode(texts, batch_size=batch_size, progress=progress)
        elif self._naming is not None and len(texts):
            blocks = len(self.layout.pictures)
            vectors[:] = np.tile(self._naming.encode_names(texts), blocks) / np.float32(np.sqrt(blocks))
        return vectors

    def join(self, text: Floats | None, pictures: Sequence[Floats]) -> Floats:
        """The unit vector (d,) of one item.

        `text` is the text's unit vector; None where the item has none. `pictures` has the unit vectors
        (k, d) of the pictures of each block of the layout, in its order; of several pages the mean counts,
        no pages are zeros. All blocks that are there weigh alike.
        """
        vector = np.zeros(self.dimensions, dtype=np.float32)
        if text is not None:
            vector[: self._words] = text
        for place, pages in enumerate(pictures):
            start = self._words + place * self.image.dimensions
            if len(pages):
                vector[start : start + self.image.dimensions] = _unit(pages.mean(axis=0, dtype=np.float64))
        return _unit(vector)


def joined_revision(text: str, image: str, layout: Layout) -> str:
    """Name and fingerprint over the revisions of both encoders and the layout."""
    parts = [text, image, str(layout.has_text), *layout.pictures]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
    return f"joined@{digest[:12]}"


def _naming(image: ImageEncoder) -> EncodesNames | None:
    """The encoder itself where it puts names beside pictures."""
    return image if isinstance(image, EncodesNames) else None


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, dtype=np.float32)
