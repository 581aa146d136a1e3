"""Pictures with faults that are known: twins, garbled ones and strangers, made of pictures of public sets."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

SOUND, WRONG_LABEL, OFF_TOPIC, EXACT_TWIN = "sound", "wrong label", "off-topic", "exact twin"
RESIZED, RECOMPRESSED, SHIFTED, BRIGHTER = "resized", "recompressed", "shifted", "brighter"
NOISE, BLUR, HALF_BLACK, TILES = "noise", "blur", "half black", "tiles shuffled"
NEAR_TWINS: Final = (RESIZED, RECOMPRESSED, SHIFTED, BRIGHTER)
GARBLED: Final = (NOISE, BLUR, HALF_BLACK, TILES)
HARMFUL: Final = (WRONG_LABEL, OFF_TOPIC, *GARBLED)
REDUNDANT: Final = (EXACT_TWIN, *NEAR_TWINS)
_TILES = 4


def make_near_twin(picture: Image.Image, way: str, rng: np.random.Generator) -> Image.Image:
    """Nearly the same picture, as a careless program gives it out again."""
    if way == RESIZED:
        scale = float(rng.uniform(0.5, 0.9))
        sides = max(8, round(scale * picture.width)), max(8, round(scale * picture.height))
        return picture.resize(sides, Image.Resampling.BICUBIC)
    if way == RECOMPRESSED:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=int(rng.integers(40, 70)))
        return Image.open(io.BytesIO(out.getvalue())).convert("RGB")
    if way == SHIFTED:
        across, down = (0.02 * side * int(rng.choice([-1, 1])) for side in picture.size)
        corner = picture.getpixel((0, 0))
        shift = (1, 0, across, 0, 1, down)
        return picture.transform(
            picture.size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR, fillcolor=corner
        )
    return ImageEnhance.Brightness(picture).enhance(float(rng.uniform(1.08, 1.2)))


def garble(picture: Image.Image, way: str, rng: np.random.Generator) -> Image.Image:
    """A picture that nobody could use."""
    if way == BLUR:
        return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.05, 0.12)) * max(picture.size)))
    pixels = np.asarray(picture, dtype=np.float32).copy()
    if way == NOISE:
        pixels += rng.normal(0.0, rng.uniform(50.0, 110.0), pixels.shape).astype(np.float32)
    elif way == HALF_BLACK:
        half = pixels.shape[1] // 2
        pixels[:, :half] = 0.0
    else:
        pixels = _shuffle_tiles(pixels, rng)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _shuffle_tiles(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = (side // _TILES for side in pixels.shape[:2])
    found = pixels[: height * _TILES, : width * _TILES].copy()
    order = rng.permutation(_TILES * _TILES)
    for place, other in enumerate(order.tolist()):
        row, column = divmod(place, _TILES)
        from_row, from_column = divmod(other, _TILES)
        found[row * height : (row + 1) * height, column * width : (column + 1) * width] = pixels[
            from_row * height : (from_row + 1) * height, from_column * width : (from_column + 1) * width
        ]
    return found
