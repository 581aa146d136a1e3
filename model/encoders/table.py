"""The encoders that are chosen by name, and the table of all; each is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from model.encoders import Encoder
from model.encoders.hashing import HashingEncoder

ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "hashing": HashingEncoder,
}
