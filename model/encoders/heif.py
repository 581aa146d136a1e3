"""HEIC pictures, as telephones write them, read by libheif (package pi-heif).

Read here and not as a plugin of Pillow: that gives a black picture where the file is cut off or broken.
"""

from __future__ import annotations

import re

import pi_heif
from PIL import Image

# Kinds of ISO/IEC 23008-12 with pictures of HEVC; the last two say only that it holds pictures.
_HEVC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_ANY = (b"mif1", b"msf1")
_AVIF = b"avi"  # avif, avis
# Width and height of a stored picture, of which it may show a part; one that lies is refused by libheif.
_STORED = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)


def is_heif(data: bytes) -> bool:
    """Whether bytes call themselves a HEIC picture; AVIF has the same frame and is none."""
    if data[4:8] != b"ftyp":
        return False
    if data[8:12] in _HEVC:
        return True
    kinds = data[16 : min(int.from_bytes(data[:4], "big"), 200)]
    return data[8:12] in _ANY and _AVIF not in kinds


class HeifPicture:
    """A HEIC picture whose head was read; raises ValueError for one that is broken.

    `stored_pixels` is what has to be unpacked, of the largest picture in it.
    """

    def __init__(self, data: bytes) -> None:
        self.stored_pixels = max(
            (
                int.from_bytes(width, "big") * int.from_bytes(height, "big")
                for width, height in _STORED.findall(data)
            ),
            default=0,
        )
        try:
            self._file = pi_heif.open_heif(data)
        except (RuntimeError, EOFError, SyntaxError) as error:
            raise ValueError(str(error)) from error

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, turned as its camera says."""
        width, height = self._file.size
        return int(width), int(height)

    def unpack(self) -> Image.Image:
        """The picture, upright, in 8 bits where it has colours; raises ValueError where it is broken."""
        try:
            picture: Image.Image = self._file.to_pillow()
        except (RuntimeError, EOFError, SyntaxError) as error:
            raise ValueError(str(error)) from error
        return picture
