"""Networks as encoders: in this process, or in a process of their own, so that this one needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from model.encoders import Encoder

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder


@dataclass(frozen=True, slots=True)
class TextNetwork:
    """Which network reads texts, on what device, with how many threads, in how many pieces at most."""

    name: str
    device: str
    threads: int
    pieces: int


@dataclass(frozen=True, slots=True)
class ImageNetwork:
    """Which network sees pictures, on what device, with how many threads."""

    name: str
    device: str
    threads: int


class Networks(Protocol):
    """Who loads networks. Raises OSError or ValueError with the cure where one cannot be loaded."""

    def text(self, network: TextNetwork) -> Encoder:
        """An encoder of texts."""
        ...

    def images(self, network: ImageNetwork) -> ImageEncoder:
        """An encoder of pictures; it names pictures where its network does."""
        ...
