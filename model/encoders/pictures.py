"""Pictures from bytes, as people see them: turned upright, first frame, flat on white, three colours."""

from __future__ import annotations

import io
import re
import warnings

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

MOST_PIXELS = 100_000_000
# What is read of a picture whose end is missing is what a browser shows of it.
ImageFile.LOAD_TRUNCATED_IMAGES = True

_SVG = re.compile(rb"^\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]", re.DOTALL)
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "ICO", "JPEG2000")
_HEIF = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


class UnreadablePicture(ValueError):
    """Why bytes are no picture that is read, in words that follow "cannot be read: "."""


def read_picture(data: bytes, *, smallest_side: int = 0, most_pixels: int = MOST_PIXELS) -> Image.Image:
    """A picture in RGB, told by its content whatever its name.

    Where `smallest_side` is given, a JPEG may be read at half, quarter or eighth size, never with a side
    below it. Raises UnreadablePicture for what is none, for formats that are not read (by name), and for
    more than `most_pixels`.
    """
    _refuse_by_name(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
            if opened.width * opened.height > most_pixels:
                raise _too_many(most_pixels)
            if smallest_side:
                opened.draft("RGB", (smallest_side, smallest_side))
            opened.load()
            return _flatten(ImageOps.exif_transpose(opened))
    except UnreadablePicture:
        raise
    except Image.DecompressionBombError:
        raise _too_many(most_pixels) from None
    except UnidentifiedImageError:
        raise UnreadablePicture("it is no picture of a format that is read") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise UnreadablePicture("it is broken") from None
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError, ZeroDivisionError):
        # what readers of formats raise on hostile bytes
        raise UnreadablePicture("it is broken") from None


def _refuse_by_name(data: bytes) -> None:
    if not data:
        raise UnreadablePicture("it is empty")
    if _SVG.match(data[:4096]):
        raise UnreadablePicture("it is an SVG, which is not read")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF:
        raise UnreadablePicture("it is a HEIC picture, which is not read")


def _too_many(most_pixels: int) -> UnreadablePicture:
    return UnreadablePicture(f"it has more than {most_pixels:,} pixels")


def _flatten(picture: Image.Image) -> Image.Image:
    """Three colours of eight bits; what is transparent shows white, as on a page."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        return _from_deep(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        page = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        return Image.alpha_composite(page, seen).convert("RGB")
    return picture.convert("RGB")


def _from_deep(picture: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits or floats: scaled to their own range where they leave that of 16 bits."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0.0, neginf=0.0)
    lowest, highest = (0.0, 65535.0) if picture.mode.startswith("I;16") else (values.min(), values.max())
    if picture.mode == "I" and lowest >= 0 and highest <= 65535:
        lowest, highest = 0.0, 65535.0
    scaled = (values - lowest) / max(highest - lowest, 1e-12) * 255.0
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)).convert("RGB")
