"""Do flipped and cropped views of labelled pictures teach? Accuracy with and without them, by labels.

python -m benchmarks.bench_picture_views [FOLDER] [--cifar10 FILE] [--draws N]

Where views are chosen, one has the label and the fold of its picture, so that held-out pictures are never
seen in another view. The accuracies are those of our head with the views as auxiliary data, whose own folds
know nothing of pictures: what it chooses by them (weights, temperature) favours views that differ little.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.figures import Bench
from benchmarks.image_sets import ImageSet
from benchmarks.picture_exercises import EncodedPictures, read_sets, taken_pictures
from model.encoders.image import load_image_encoder
from model.heads.fitting import fit_head
from model.heads.neighbour_graph import build_neighbour_graph
from model.heads.single_label import softmax
from model.heads.training_set import AuxiliaryData, assign_folds
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.representations.with_pixels import with_pixels
from model.simulation.report import mean_interval
from model.training import train

POOL, LABELS = 450, (20, 100, 300)  # pictures that labels are drawn from; all others are for testing
CROP = 0.8  # of each side, at a place by chance
STRENGTH = 30.0  # of the logistic head: the inverse of its penalty
WAYS = {"none": (), "flips": ("flip",), "crops": ("crop",), "both": ("flip", "crop")}
NEEDED = 0.5  # standard errors by which views must lower the loss of held-out pictures to be taken
LEAST = -0.005  # accuracy that chosen views may cost at most


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Labelled rows (n,) of a set, the fold (n,) of each, and vectors (450, d) of each kind of view."""

    pictures: EncodedPictures
    rows: NDArray[np.intp]
    folds: NDArray[np.intp]
    views: Mapping[str, Floats]

    def rows_and_views(self, way: str, rows: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
        """Vectors and classes of some rows, first their own, then those of each kind of view."""
        parts = [self.pictures.vectors[rows], *(self.views[kind][rows] for kind in WAYS[way])]
        return np.concatenate(parts), np.tile(self.pictures.classes[rows], len(parts))


def main() -> None:
    """Measure every set, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("--cifar10", type=Path, help="a tar file with its pictures and rows.jsonl")
    parser.add_argument("--draws", type=int, default=3, help="which pictures are labelled")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench("picture_views", "Pictures: what flipped and cropped views of labelled pictures teach")
    sets = read_sets(options.folder, cifar10=options.cifar10)
    if not sets:
        bench.say("left out: no vectors are kept, and --cifar10 does not say where that set is")
        return
    views = _read_views(options.folder, sets, options.cifar10)
    for name, pictures in sets.items():
        for count in LABELS:
            _report(bench, pictures, views[name], count, options.draws)
        bench.say(f"{name}: measured")
    bench.finish()


def _report(
    bench: Bench, pictures: EncodedPictures, views: Mapping[str, Floats], count: int, draws: int
) -> None:
    """Accuracy without views, and what each way to add them gains; then that of the way which is chosen."""
    found = [_measure(pictures, views, count, seed) for seed in range(draws)]
    bench.raw[f"{pictures.name}, {count} labels"] = found
    plain = np.array([one["none"] for one in found])
    gains = {way: np.array([one[way] for one in found]) - plain for way in (*WAYS, "chosen")}
    shown = ", ".join(f"{way} {100 * gains[way].mean():+.1f}" for way in WAYS if way != "none")
    bench.add(
        f"{pictures.name}, {count} labels: accuracy without views; points gained",
        f"{plain.mean():.3f}; {shown}",
    )
    chosen = mean_interval(gains["chosen"].tolist())
    names = ", ".join(str(one["way"]) for one in found)
    bench.check(
        f"{pictures.name}, {count} labels: gained by what held-out pictures choose ({names})",
        f"{100 * chosen.mean:+.1f} ({100 * chosen.low:+.1f} to {100 * chosen.high:+.1f})",
        target="never below −.5",
        reached=chosen.mean >= LEAST,
    )


def _measure(
    pictures: EncodedPictures, views: Mapping[str, Floats], count: int, seed: int
) -> dict[str, float | str]:
    """Accuracy with each way to add views, on pictures that labels are not drawn from, and the way chosen."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(POOL)[:count]
    draw = Draw(pictures, rows, assign_folds(pictures.classes[rows], rng), views)
    losses = {way: _held_out_losses(draw, way) for way in WAYS}
    way = "none"
    for other in WAYS:
        gains = losses[way] - losses[other]
        if gains.mean() > NEEDED * gains.std() / np.sqrt(count):
            way = other
    found: dict[str, float | str] = {other: _accuracy(draw, other, seed) for other in WAYS}
    return found | {"chosen": found[way], "way": way}


def _held_out_losses(draw: Draw, way: str) -> NDArray[np.float64]:
    """Log loss (n,) of each labelled picture by a plain head that saw no view of it."""
    losses = np.zeros(len(draw.rows))
    space = draw.pictures.space
    for fold in range(int(draw.folds.max()) + 1):
        held_out = draw.folds == fold
        vectors, classes = draw.rows_and_views(way, draw.rows[~held_out])
        head = fit_head(*_as_labelled(vectors, classes, space), inverse_regularisation=STRENGTH)
        chances = softmax(head.logits(draw.pictures.vectors[draw.rows[held_out]]))
        truth = draw.pictures.classes[draw.rows[held_out]]
        losses[held_out] = -np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-6))
    return losses


def _accuracy(draw: Draw, way: str, seed: int) -> float:
    """Of our head, which learns from pictures without a label too; views weigh as labels do."""
    pictures, space = draw.pictures, draw.pictures.space
    rows = np.sort(draw.rows)
    pool = Embeddings(np.arange(1, POOL + 1), pictures.vectors[:POOL], pictures.revision)
    labels = _labels(rows + 1, pictures.classes[rows], space)
    vectors, classes = draw.rows_and_views(way, rows)
    more, of_more = vectors[len(rows) :], classes[len(rows) :]
    ids = np.arange(POOL + 1, POOL + 1 + len(more))
    auxiliary = AuxiliaryData(
        Embeddings(ids, more, pictures.revision),
        _labels(ids, of_more, space),
        np.ones(len(more), dtype=np.float32),
    )
    trained = train(
        pool.take(rows),
        labels,
        name_vectors=None,
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng(seed),
        neighbour_graph=build_neighbour_graph(pool, np.random.default_rng(seed)),
        auxiliary=auxiliary if len(more) else None,
    )
    favourite = trained.head.logits(pictures.vectors[POOL:]).argmax(axis=1)
    return float((favourite == pictures.classes[POOL:]).mean())


def _read_views(
    folder: Path, sets: Mapping[str, EncodedPictures], cifar10: Path | None
) -> dict[str, dict[str, Floats]]:
    """Vectors of both views of the first pictures of each set; they are kept under `folder`."""
    kept = {
        name: folder / "exercises" / f"{name}-views-{one.revision}.npz".replace(" ", "-")
        for name, one in sets.items()
    }
    if not all(path.is_file() for path in kept.values()):
        encoder = with_pixels(load_image_encoder())
        for name, taken in taken_pictures(folder, cifar10=cifar10).items():
            if not kept[name].is_file():
                flips, crops = _flips(taken), _crops(taken)
                np.savez(kept[name], flip=encoder.encode(flips), crop=encoder.encode(crops))
    found = {}
    for name, path in kept.items():
        with np.load(path, allow_pickle=False) as arrays:
            found[name] = {kind: arrays[kind] for kind in ("flip", "crop")}
    return found


def _flips(taken: ImageSet) -> list[Image.Image]:
    return [ImageOps.mirror(picture) for picture in taken.pictures[:POOL]]


def _crops(taken: ImageSet) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    crops = []
    for picture in taken.pictures[:POOL]:
        width, height = max(round(CROP * picture.width), 1), max(round(CROP * picture.height), 1)
        left = int(rng.integers(picture.width - width + 1))
        top = int(rng.integers(picture.height - height + 1))
        crops.append(picture.crop((left, top, left + width, top + height)))
    return crops


def _as_labelled(vectors: Floats, classes: NDArray[np.intp], space: LabelSpace) -> tuple[Embeddings, Labels]:
    ids = np.arange(1, len(vectors) + 1)
    return Embeddings(ids, vectors, ""), _labels(ids, classes, space)


def _labels(ids: NDArray[np.int64], classes: NDArray[np.intp], space: LabelSpace) -> Labels:
    return Labels(ids, np.eye(len(space), dtype=np.float32)[classes], space)


if __name__ == "__main__":
    main()
