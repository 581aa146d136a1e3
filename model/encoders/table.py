"""The encoders that are chosen by name, and the table of all; each is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from model.encoders import Encoder
from model.encoders.hashing import HashingEncoder
from model.encoders.pixels import PixelsEncoder

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder

ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "hashing": HashingEncoder,
}

IMAGE_ENCODERS: Final[dict[str, Callable[[], ImageEncoder]]] = {
    "pixels": PixelsEncoder,
}
