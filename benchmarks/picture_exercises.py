"""Public sets of pictures as exercises for orders: encoded once, then a pool and test items by seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.image_sets import ImageSet, load_image_sets
from model.encoders.image_folders import find_image_folder
from model.encoders.pixels import DIMENSIONS, REVISION, SHARE_OF_PIXELS
from model.heads.neighbour_graph import build_neighbour_graph
from model.records import Embeddings, Floats, LabelSpace
from model.simulation.oracle import Oracle
from model.simulation.run import Exercise, Features

MOST, POOL, FEWEST_TO_TEST = 2000, 1000, 500
READ = 10_000  # pictures of a set that are read: which of them are taken is drawn below
FEWEST_OF_A_CLASS = 20
SMALLEST = 1e-6  # of the largest length: an axis that is shorter is rounding


@dataclass(frozen=True, slots=True)
class PictureTask:
    """How a set is asked: labels between trainings, labels in all, and how many of one class it may hold."""

    name: str
    batch: int
    budget: int
    most_of_a_class: int = MOST


# Clip art has 1,378 stars among 3,055 pictures: as in earlier measurements a class has at most 64.
TASKS = {
    task.name: task
    for task in (
        PictureTask("clip art", 25, 400, 64),
        PictureTask("emoji", 20, 260),
        PictureTask("digits", 20, 160),
        PictureTask("cifar10", 20, 340),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPictures:
    """Vectors (n, d) of pictures, network and pixels joined, and the class (n,) of each."""

    name: str
    vectors: Floats
    classes: NDArray[np.intp]
    revision: str

    @property
    def number_of_classes(self) -> int:
        """Classes that have pictures."""
        return int(self.classes.max()) + 1

    @property
    def space(self) -> LabelSpace:
        """A name for each of these classes, which says nothing of what they show."""
        return LabelSpace(tuple(f"class {number:02d}" for number in range(self.number_of_classes)))

    def views(self) -> dict[str, Floats]:
        """Unit vectors of what the network says alone, of the pixels alone, and of both joined."""
        seen, drawn = self.vectors[:, :-DIMENSIONS], self.vectors[:, -DIMENSIONS:]
        return {
            "encoder": seen / np.float32(np.sqrt(1.0 - SHARE_OF_PIXELS)),
            "pixels": drawn / np.float32(np.sqrt(SHARE_OF_PIXELS)),
            "joined": self.vectors,
        }

    def split(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of the pool and rows of the test items, both ascending."""
        drawn = np.random.default_rng(seed).permutation(len(self.classes))
        size = min(POOL, len(drawn) - FEWEST_TO_TEST)
        return np.sort(drawn[:size]), np.sort(drawn[size:])

    def draw(self, seed: int) -> Exercise:
        """The exercise of one seed; before the first label there is the head that knows nothing.

        The live loop has no names of classes beside pictures: it starts from a head of zeros, and trains
        without names. `others` holds what the trained head sees, which is the same without names. So every
        order starts there, margin too, and a curve begins with what that head gets right. `starts_untaught`
        does so for the loop's own choice alone, and its curve begins with a guess.
        """
        rows, test_rows = self.split(seed)
        axes = _axes(self.vectors[rows])
        everything = Embeddings(np.arange(1, len(self.classes) + 1), self.vectors @ axes, self.revision)
        pool, test = everything.take(rows), everything.take(test_rows)
        graph = build_neighbour_graph(pool, np.random.default_rng(seed))
        return Exercise(
            pool=pool,
            oracle=Oracle(self.classes[rows], self.space),
            test=test,
            test_classes=self.classes[test_rows],
            name_vectors=np.zeros((self.number_of_classes, axes.shape[1]), dtype=np.float32),
            others={"joined": Features(pool, test, None, graph)},
            only="joined",
        )


def _axes(pool: Floats) -> Floats:
    """Axes (d, r) that span the vectors of a pool: along them everything is as it was, and quicker.

    Whatever learns from the pool by products of vectors has its weights in that span, so that what is
    beside it in a test item counts for nothing.
    """
    _, lengths, axes = np.linalg.svd(pool.astype(np.float64), full_matrices=False)
    kept: Floats = np.ascontiguousarray(axes[lengths > SMALLEST * lengths[0]].T, dtype=np.float32)
    return kept


def read_sets(folder: Path, *, cifar10: Path | None) -> dict[str, EncodedPictures]:
    """Every set that can be had; vectors and classes are kept under `folder`, the packages are read once.

    None while vectors are missing and `cifar10` does not say where that set is.
    """
    revision = f"{find_image_folder().revision}+{REVISION}"
    kept = {name: folder / "exercises" / f"{name}-{revision}.npz".replace(" ", "-") for name in TASKS}
    if not all(path.is_file() for path in kept.values()):
        if cifar10 is None:
            return {}
        _encode_missing(folder, kept, cifar10)
    found = {}
    for name, path in kept.items():
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                found[name] = EncodedPictures(name, arrays["vectors"], arrays["classes"], revision)
    return found


def _encode_missing(folder: Path, kept: Mapping[str, Path], cifar10: Path | None) -> None:
    from model.encoders.image import load_image_encoder  # its libraries take long to import
    from model.representations.with_pixels import with_pixels

    encoder = with_pixels(load_image_encoder())
    for name, taken in taken_pictures(folder, cifar10=cifar10).items():
        if not kept[name].is_file():
            kept[name].parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept[name], vectors=encoder.encode(taken.pictures), classes=taken.classes)


def taken_pictures(folder: Path, *, cifar10: Path | None) -> dict[str, ImageSet]:
    """The pictures that the vectors are of, in their order."""
    found = load_image_sets(folder / "packages", cifar10=cifar10, most=READ)
    return {one.name: _take(one, TASKS[one.name].most_of_a_class) for one in found}


def _take(pictures: ImageSet, most_of_a_class: int) -> ImageSet:
    """The first of each class, of classes that have enough; the pictures come in an order by chance."""
    places: list[int] = []
    kept = 0
    classes = np.full(len(pictures.classes), -1, dtype=np.intp)
    for number in range(int(pictures.classes.max()) + 1):
        rows = np.flatnonzero(pictures.classes == number)[:most_of_a_class]
        if len(rows) >= FEWEST_OF_A_CLASS:
            classes[rows] = kept
            places += rows.tolist()
            kept += 1
    rows = np.sort(places)[:MOST]
    return ImageSet(pictures.name, [pictures.pictures[row] for row in rows], classes[rows])
