"""What a picture looks like in a few numbers: a perceptual hash, and statistics of its pixels.

All are taken from the small picture that is kept of each, so that whoever has that can work them out again.
So are the statistics of the same picture spoiled: they show what a garbled one of its kind looks like.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from model.records import Floats

REVISION: Final = "looks@1"  # as looks may be kept beside vectors
HASH_SIDE: Final = 16  # frequencies along each side
HASH_BYTES: Final = HASH_SIDE**2 // 8
# What each statistic says of a picture that has less, and more, of it than others.
STATISTICS: Final = (
    ("darker", "brighter"),
    ("of less contrast", "of more contrast"),
    ("less colourful", "more colourful"),
    ("more blurred", "sharper or noisier"),
    ("of fewer greys", "of more greys"),
    ("less black", "more black"),
    ("less white", "more white"),
    ("with fewer edges", "with more edges"),
    ("less of one colour", "more of one colour"),
    ("less even", "more even"),
)
THUMBNAIL_SIDE: Final = 160  # pixels
_QUALITY: Final = 80  # of a thumbnail, as JPEG counts it
_VERSION: Final = 1  # of what is packed
_LONGEST = 96  # pixels of the longer side that statistics are taken of
_NUMBERS: Final = 2 * len(STATISTICS)
_CLIPPED: Final = (3, 252)  # levels below and above which a pixel is black or white
_EDGE: Final = 24.0  # levels a pixel: a step that one sees
_EVEN: Final = 4.0  # levels within which a pixel is what its neighbours are
_PALETTE: Final = 4  # levels of each colour among which the commonest is sought
_NOISE: Final = 60.0  # levels
_BLUR: Final = 0.06  # of the longer side

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A hash of 256 bits (32,), and the statistics (10,) of a picture and of the same one spoiled."""

    bits: NDArray[np.uint8]
    statistics: Floats
    spoiled: Floats

    def pack(self) -> bytes:
        """As bytes that `unpack` reads."""
        numbers = np.concatenate([self.statistics, self.spoiled]).astype("<f4")
        return bytes([_VERSION]) + self.bits.tobytes() + numbers.tobytes()


def unpack(packed: bytes | None) -> Look | None:
    """A look as it was packed; None of what this version did not pack."""
    if packed is None or len(packed) != 1 + HASH_BYTES + 4 * _NUMBERS or packed[0] != _VERSION:
        return None
    numbers = np.frombuffer(packed, dtype="<f4", offset=1 + HASH_BYTES).astype(np.float32)
    bits = np.frombuffer(packed, dtype=np.uint8, count=HASH_BYTES, offset=1)
    return Look(bits, numbers[: len(STATISTICS)], numbers[len(STATISTICS) :])


def look_at(small: bytes) -> Look:
    """The look of a picture, by the small JPEG that is kept of it.

    The hash is that of frequencies (pHash: Zauner, 2010). Colourfulness is after Hasler and Süsstrunk (2003),
    sharpness the variance of the Laplacian (Pech-Pacheco et al., 2000), as a logarithm. Raises OSError for
    what is no picture.
    """
    picture = Image.open(io.BytesIO(small)).convert("RGB")
    bits = np.packbits(imagehash.phash(picture, hash_size=HASH_SIDE).hash.ravel())
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.BILINEAR)
    spoilt = spoil(picture, np.random.default_rng(int.from_bytes(bits[:8].tobytes(), "little")))
    return Look(bits, _describe(picture), _describe(spoilt))


def look_of(picture: Image.Image) -> Look:
    """The look of a picture in RGB, by way of the small JPEG that is kept of it."""
    return look_at(make_thumbnail(picture))


def make_thumbnail(picture: Image.Image) -> bytes:
    """A small JPEG of a picture in RGB: a longest side of 160 pixels."""
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def spoil(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as nobody would show it: noise laid over it, out of focus, or a part of it black."""
    way = int(rng.integers(3))
    strength = float(rng.uniform(0.6, 1.6))
    if way == 0:
        radius = max(2.0, strength * _BLUR * max(picture.size))
        return picture.filter(ImageFilter.GaussianBlur(radius))
    pixels = np.asarray(picture, dtype=np.float32).copy()
    if way == 1:
        pixels += rng.normal(0.0, strength * _NOISE, pixels.shape).astype(np.float32)
    else:
        rows = max(1, round(float(rng.uniform(0.35, 0.65)) * len(pixels)))
        pixels[-rows:] = 0.0
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _describe(picture: Image.Image) -> Floats:
    """The statistics of a picture in RGB, in their order."""
    pixels = np.asarray(picture, dtype=np.float32)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    shares = np.bincount(grey.astype(np.intp).ravel(), minlength=256) / grey.size
    there, steps = shares[shares > 0], _laplacian(grey)
    low, high = _CLIPPED
    found = (
        grey.mean() / 255.0,
        grey.std() / 255.0,
        _colourfulness(red, green, blue),
        np.log1p(steps.var()),
        -(there * np.log2(there)).sum(),
        shares[:low].sum(),
        shares[high + 1 :].sum(),
        _share_of_edges(grey),
        _largest_colour(pixels),
        (np.abs(steps) < _EVEN).mean(),
    )
    return np.array(found, dtype=np.float32)


def _colourfulness(red: Floats, green: Floats, blue: Floats) -> float:
    """How far colours are from grey and from each other, on a scale of levels of light."""
    one, other = red - green, 0.5 * (red + green) - blue
    spread = float(np.hypot(one.std(), other.std()))
    return spread + 0.3 * float(np.hypot(one.mean(), other.mean()))


def _laplacian(grey: Floats) -> Floats:
    """Each pixel against its four neighbours, the edge repeated."""
    padded = np.pad(grey, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    laplacian: Floats = around - 4.0 * grey
    return laplacian


def _share_of_edges(grey: Floats) -> float:
    """Share of the pixels from which a step to the next one, across or down, is seen."""
    across = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    down = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    return float((np.maximum(across, down) > _EDGE).mean())


def _largest_colour(pixels: Floats) -> float:
    """Share of the pixels that have the commonest of 64 colours: what a plain ground is."""
    level = (pixels * (_PALETTE / 256.0)).astype(np.intp)
    colours = (level[..., 0] * _PALETTE + level[..., 1]) * _PALETTE + level[..., 2]
    return float(np.bincount(colours.ravel()).max() / colours.size)
