"""A cheap representation of pictures by their pixels, for worlds that a general network knows little of.

A picture is pressed into a square. Four blocks are made of it, each of unit length, and joined: its greys
(16 × 16), its edges by direction (Dalal and Triggs, 2005: 8 × 8 cells of 8 × 8 pixels, nine directions),
where its colours are (8 × 8), and how much of each colour there is (4 × 4 × 4). A picture's vector depends
on nothing but its pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.encoders import Progress
from model.records import Floats

GREYS: Final = 16
COLOURS: Final = 8
LEVELS: Final = 4  # of each of red, green and blue
CELLS: Final = 8
CELL: Final = 8
DIRECTIONS: Final = 9
DIMENSIONS: Final = GREYS**2 + CELLS**2 * DIRECTIONS + 2 * COLOURS**2 + LEVELS**3
REVISION: Final = "pixels@1"

# Shares of the squared length: greys, edges, places of colours, amounts of colours.
SHARES: Final = (0.3, 0.5, 0.1, 0.1)
# Of the squared length of joined features: benchmarks/results/images.md.
SHARE_OF_PIXELS: Final = 0.3

_CLIPPED = 0.2  # of a cell's unit length, as the authors do
_SMALLEST = 1e-3  # below this length a block says nothing: a flat picture has no edges

_Values = NDArray[np.float64]


class PixelsEncoder:
    """The pixels alone, for pictures that no network knows; satisfies `ImageEncoder`."""

    revision = REVISION
    dimensions = DIMENSIONS
    side = CELLS * CELL

    def encode(self, pictures: Sequence[Image.Image], *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, 1024)."""
        vectors = encode_pixels(pictures)
        if progress is not None:
            progress(len(pictures))
        return vectors


def encode_pixels(pictures: Sequence[Image.Image]) -> Floats:
    """Unit vectors (n, 1024) of pictures in RGB, in their order; no pictures give (0, 1024).

    A picture of one grey all over has no greys that differ, no edges and no colours: only the amounts of its
    colours are left.
    """
    vectors = np.zeros((len(pictures), DIMENSIONS), dtype=np.float32)
    for row, picture in enumerate(pictures):
        vectors[row] = _encode(picture)
    return vectors


def join_pixels(vectors: Floats, pixels: Floats) -> Floats:
    """Features (n, d + 1024) of unit length, of vectors of an encoder (n, d) and of pixels (n, 1024).

    Both have unit length as well. The cosine of two pictures is the mean of both cosines, weighted. Raises
    ValueError for different n.
    """
    if len(vectors) != len(pixels):
        raise ValueError(f"join_pixels: {len(vectors)} vectors and pixels of {len(pixels)} pictures")
    seen, drawn = np.float32(np.sqrt(1.0 - SHARE_OF_PIXELS)), np.float32(np.sqrt(SHARE_OF_PIXELS))
    return np.concatenate([seen * vectors, drawn * pixels], axis=1)


def _encode(picture: Image.Image) -> _Values:
    square = picture.resize((CELLS * CELL, CELLS * CELL), Image.Resampling.BICUBIC, reducing_gap=3.0)
    blocks = (_greys(square), _edges(square), _places(square), _amounts(square))
    found: _Values = np.concatenate(
        [np.sqrt(share) * _unit(block) for share, block in zip(SHARES, blocks, strict=True)]
    )
    found /= np.linalg.norm(found)
    return found


def _greys(square: Image.Image) -> _Values:
    grey = _pixels(square.convert("L"), GREYS)
    centred: _Values = grey - grey.mean()
    return centred.ravel()


def _places(square: Image.Image) -> _Values:
    """How blue and how red each place is, grey being nothing."""
    colours: _Values = _pixels(square.convert("YCbCr"), COLOURS)[:, :, 1:] - 128.0 / 255.0
    return colours.ravel()


def _amounts(square: Image.Image) -> _Values:
    """Square roots of the shares of 64 colours, so that a rare one counts too."""
    levels = np.asarray(square, dtype=np.int64) * LEVELS // 256
    codes = (levels[:, :, 0] * LEVELS + levels[:, :, 1]) * LEVELS + levels[:, :, 2]
    counts = np.bincount(codes.ravel(), minlength=LEVELS**3)
    return np.sqrt(counts / codes.size)


def _edges(square: Image.Image) -> _Values:
    """Strength of the edges of each cell by direction, beside that of the cells around it."""
    grey = np.asarray(square.convert("L"), dtype=np.float64) / 255.0
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    place = np.arctan2(down, right) % np.pi / np.pi * DIRECTIONS
    lower = np.floor(place).astype(np.int64)
    upper_share = place - lower
    rows, columns = np.indices(grey.shape) // CELL
    cell = rows * CELLS + columns
    votes = np.zeros(CELLS**2 * DIRECTIONS)
    for direction, share in ((lower, 1.0 - upper_share), (lower + 1, upper_share)):
        codes = cell * DIRECTIONS + direction % DIRECTIONS
        votes += np.bincount(codes.ravel(), (strength * share).ravel(), minlength=len(votes))
    return _levelled(votes.reshape(CELLS, CELLS, DIRECTIONS)).ravel()


def _levelled(votes: _Values) -> _Values:
    """Each cell by the length of the nine around it, so that faint places count as clear ones do."""
    energy = np.pad((votes**2).sum(axis=2), 1)
    around = sum(
        energy[row : row + CELLS, column : column + CELLS] for row in range(3) for column in range(3)
    )
    return np.minimum(votes / np.sqrt(around + 0.1)[:, :, None], _CLIPPED)


def _pixels(picture: Image.Image, side: int) -> _Values:
    small = picture.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255.0


def _unit(block: _Values) -> _Values:
    length = float(np.linalg.norm(block))
    return block / length if length > _SMALLEST else np.zeros_like(block)
