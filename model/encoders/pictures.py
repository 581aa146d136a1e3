"""Pictures from bytes, as people see them: turned upright, first frame, flat on white, three colours."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from model.encoders.heif import HeifPicture, is_heif

MOST_PIXELS = 100_000_000
# What is read of a picture whose end is missing is what a browser shows of it.
ImageFile.LOAD_TRUNCATED_IMAGES = True
# One block for each picture: many blocks of 16 MiB would stay with the thread that read a large one.
Image.core.set_block_size(512 * 2**20)  # type: ignore[attr-defined]  # documented, though not exported

_SVG = re.compile(rb"^\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]", re.DOTALL)
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "ICO", "JPEG2000")
_ORIENTATION = 0x0112  # EXIF
_TURNED = range(5, 9)  # orientations that lay a picture on its side
# What holds it, and is written anew where a picture is turned: for nothing, and not where it is damaged.
_SAID_BESIDE = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")

# Pictures with more pixels are unpacked one at a time: eight of the largest at once would be gigabytes.
_LARGE = 12_000_000
_ONE_LARGE = threading.Lock()
# What is made of a large picture is made of this many pixels at a time.
_AT_A_TIME = 4_000_000
# Longer than this many times its height, a picture that is read smaller is pressed along its length.
_LONGEST = 8


class UnreadablePicture(ValueError):
    """Why bytes are no picture that is read, in words that follow "cannot be read: "."""


def read_picture(data: bytes, *, smallest_side: int = 0, most_pixels: int = MOST_PIXELS) -> Image.Image:
    """A picture in RGB, told by its content whatever its name.

    Where `smallest_side` is given, a JPEG may be read at half, quarter or eighth size, never with a side
    below it, and all are made smaller by whole steps, to no less than twice that: what is returned is then
    some megabytes at most. Raises UnreadablePicture for what is none, for formats that are not read (by
    name), and for more than `most_pixels`. Safe to be called by several threads.
    """
    with _told_in_words(data, most_pixels):
        if is_heif(data):
            return _read_heif(data, smallest_side, most_pixels)
        opened = Image.open(io.BytesIO(data), formats=_FORMATS)
        _require_few(opened.width * opened.height, most_pixels)
        if smallest_side:
            opened.draft("RGB", (smallest_side, smallest_side))
        with _room_for(opened.width * opened.height):
            opened.load()
            _turn_upright(opened)
            return _reduce(_flatten(opened), smallest_side)


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as people see them, told by the head alone; raises UnreadablePicture."""
    with _told_in_words(data, MOST_PIXELS):
        if is_heif(data):
            return HeifPicture(data).size
        opened = Image.open(io.BytesIO(data), formats=_FORMATS)
        width, height = opened.size
        return (height, width) if _orientation(opened) in _TURNED else (width, height)


@contextmanager
def _told_in_words(data: bytes, most_pixels: int) -> Iterator[None]:
    """Refuses by name what is not read, and says of all that readers raise that it is broken."""
    _refuse_by_name(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadablePicture:
        raise
    except Image.DecompressionBombError:
        raise _too_many(most_pixels) from None
    except UnidentifiedImageError:
        raise UnreadablePicture("it is no picture of a format that is read") from None
    except Exception as error:  # readers of formats raise whatever they like on hostile bytes
        raise UnreadablePicture("it is broken") from error


def _refuse_by_name(data: bytes) -> None:
    if not data:
        raise UnreadablePicture("it is empty")
    if _SVG.match(data[:4096]):
        raise UnreadablePicture("it is an SVG, which is not read")


def _require_few(pixels: int, most_pixels: int) -> None:
    if pixels > most_pixels:
        raise _too_many(most_pixels)


def _too_many(most_pixels: int) -> UnreadablePicture:
    return UnreadablePicture(f"it has more than {most_pixels:,} pixels")


@contextmanager
def _room_for(pixels: int) -> Iterator[None]:
    if pixels <= _LARGE:
        yield
        return
    with _ONE_LARGE:
        yield


def _read_heif(data: bytes, smallest_side: int, most_pixels: int) -> Image.Image:
    found = HeifPicture(data)
    _require_few(found.stored_pixels, most_pixels)
    with _room_for(found.stored_pixels):
        return _reduce(_flatten(found.unpack()), smallest_side)


def _turn_upright(picture: Image.Image) -> None:
    """In place, so that no second picture of that size is held."""
    if _orientation(picture) == 1:
        return
    for name in _SAID_BESIDE:
        picture.info.pop(name, None)
    ImageOps.exif_transpose(picture, in_place=True)


def _orientation(picture: Image.Image) -> int:
    """As its camera says; 1, upright, where nothing is said or what is said cannot be read."""
    try:
        said = picture.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 (whatever is wrong beside the pixels, people see them)
        return 1
    return said if isinstance(said, int) else 1


def _reduce(picture: Image.Image, smallest_side: int) -> Image.Image:
    """A picture of its own, smaller where it is more than twice as large as is looked at."""
    if not smallest_side:
        return picture.copy()
    step = max(min(picture.size) // (2 * smallest_side), 1)
    longest = 2 * smallest_side * _LONGEST
    steps = (max(step, picture.width // longest), max(step, picture.height // longest))
    return picture.copy() if steps == (1, 1) else picture.reduce(steps)


def _flatten(picture: Image.Image) -> Image.Image:
    """Three colours of eight bits; what is transparent shows white, as on a page."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        return _from_deep(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    flat = Image.new("RGB", picture.size)
    for top, bottom in _bands(picture.size):
        seen = picture.crop((0, top, picture.width, bottom)).convert("RGBA")
        page = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        flat.paste(Image.alpha_composite(page, seen).convert("RGB"), (0, top))
    return flat


def _from_deep(picture: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits or floats: scaled to their own range where they leave that of 16 bits."""
    raw = np.asarray(picture)
    bands = list(_bands(picture.size))
    lowest, highest = 0.0, 65535.0
    if not picture.mode.startswith("I;16"):
        ends = [(part.min(), part.max()) for part in (_finite(raw[top:bottom]) for top, bottom in bands)]
        lowest, highest = min(low for low, _ in ends), max(high for _, high in ends)
    if picture.mode == "I" and lowest >= 0 and highest <= 65535:
        lowest, highest = 0.0, 65535.0
    greys = np.empty(raw.shape, dtype=np.uint8)
    for top, bottom in bands:
        scaled = (_finite(raw[top:bottom]) - lowest) / max(highest - lowest, 1e-12) * 255.0
        greys[top:bottom] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return Image.fromarray(greys).convert("RGB")


def _finite(values: NDArray[np.generic]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    return found


def _bands(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First and last row (that one excluded) of the parts of a picture that are worked on together."""
    width, height = size
    rows = max(_AT_A_TIME // max(width, 1), 1)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)
