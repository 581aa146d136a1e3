"""Pictures: side of the encoder's input, representations by labels, and what the encoder costs.

python -m benchmarks.bench_images [FOLDER] [--cifar10 FILE] [--most N] [--draws N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from sklearn.linear_model import LogisticRegression

from benchmarks.figures import Bench, median
from benchmarks.image_sets import ImageSet, fingerprint, kept_vectors, load_image_sets
from model.encoders.image import BATCH, Lite0Encoder
from model.encoders.image_folders import LITE0, LITE0_FOLDER, SIDE, ImageEncoderFolder
from model.encoders.lite0 import DEVIATION, MEAN, features
from model.encoders.pixels import encode_pixels, join_pixels
from model.records import Floats

SIDES = (96, 128, 160, 224)
LABELS = (20, 100, 500)
LABELS_OF_SIDES = 500
STRENGTH = 30.0  # of the logistic head: the inverse of its penalty
ROUNDS = 6
NOT_PHOTOGRAPHS = "digits"  # 28 pixels a side: the input's side is not chosen by them


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("--cifar10", type=Path, help="a tar file with its pictures and rows.jsonl")
    parser.add_argument("--most", type=int, default=800, help="pictures of each set")
    parser.add_argument("--draws", type=int, default=4, help="which pictures are labelled")
    options = parser.parse_args()
    sets = load_image_sets(options.folder / "packages", cifar10=options.cifar10, most=options.most)
    if not sets or not LITE0_FOLDER.is_dir():
        print("images: no set or no encoder is there, left out")
        return
    bench = Bench("images", "Pictures: side of the input, representations, cost")
    bench.add(
        "pictures", ", ".join(f"{one.name} {len(one.pictures)} in {_count(one)} classes" for one in sets)
    )
    for side in SIDES:
        _report_speed(bench, side, sets[0].pictures)
    for pictures in sets:
        _report_representations(bench, pictures, options.folder, options.draws)
    for pictures in sets:
        if pictures.name != NOT_PHOTOGRAPHS:
            _report_sides(bench, pictures, options.folder, options.draws)
    bench.finish()


def _report_speed(bench: Bench, side: int, pictures: Sequence[Image.Image]) -> None:
    """Pictures per second of processor, and the encoder beside the bare network, in turns."""
    encoder, some = _encoder(side), list(pictures[:BATCH])
    pixels = np.stack([np.asarray(one.resize((side, side)), dtype=np.uint8) for one in some])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    batch = (batch - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
    seconds: dict[str, list[float]] = {"encoder": [], "network": []}
    for _ in range(ROUNDS):
        started = time.process_time()
        with torch.inference_mode():
            features(batch, encoder._weights)
        between = time.process_time()
        encoder.encode(some)
        seconds["network"].append(between - started)
        seconds["encoder"].append(time.process_time() - between)
    bench.raw[f"seconds of processor for {BATCH}, {side} px"] = seconds
    speed, bare = (BATCH / median(seconds[name]) for name in ("encoder", "network"))
    shown = f"{speed:.0f}; {speed / bare:.2f} × the bare network"
    if side == SIDE:
        bench.check(f"{side} px: pictures a second", shown, target="≥ .9 ×", reached=speed / bare >= 0.9)
    else:
        bench.add(f"{side} px: pictures a second", shown)
    bench.say(f"speed at {side} px: {shown}")


def _report_sides(bench: Bench, pictures: ImageSet, folder: Path, draws: int) -> None:
    """The whole picture pressed into a square at every side, and its middle at the side that is taken."""
    views = {f"{side} px": _vectors(pictures, folder, side, "whole") for side in SIDES}
    if any(one.width != one.height for one in pictures.pictures):
        views[f"middle, {SIDE} px"] = _vectors(pictures, folder, SIDE, "middle")
    found = {
        name: _accuracies(view, pictures.classes, LABELS_OF_SIDES, draws) for name, view in views.items()
    }
    what = f"{pictures.name}: accuracy with {LABELS_OF_SIDES} labels at {' / '.join(found)}"
    bench.raw[what] = found
    bench.add(what, " / ".join(f"{np.mean(values):.3f}" for values in found.values()))
    bench.say(f"{pictures.name}: sides measured")


def _report_representations(bench: Bench, pictures: ImageSet, folder: Path, draws: int) -> None:
    vectors, pixels = _vectors(pictures, folder, SIDE, "whole"), encode_pixels(pictures.pictures)
    views = {"encoder": vectors, "pixels": pixels, "joined": join_pixels(vectors, pixels)}
    for name, view in views.items():
        found = {count: _accuracies(view, pictures.classes, count, draws) for count in LABELS}
        what = f"{pictures.name}, {name}: accuracy with {' / '.join(map(str, LABELS))} labels"
        bench.raw[what] = found
        bench.add(what, " / ".join(f"{np.mean(values):.3f}" for values in found.values()))
    bench.say(f"{pictures.name}: representations measured")


def whole_vectors(pictures: ImageSet, folder: Path, side: int) -> Floats:
    """Vectors (n, d) of whole pictures at a side of the input, made once and kept."""
    return _vectors(pictures, folder, side, "whole")


def _vectors(pictures: ImageSet, folder: Path, side: int, way: str) -> Floats:
    encoder = _encoder(side)
    name = f"{pictures.name}-{fingerprint(pictures)}-{way}-{encoder.revision}".replace(" ", "-")
    some = pictures.pictures if way == "whole" else [_middle(one) for one in pictures.pictures]
    return kept_vectors(folder / "vectors" / f"{name}.npy", lambda: encoder.encode(some))


def _encoder(side: int) -> Lite0Encoder:
    place = ImageEncoderFolder(LITE0_FOLDER, LITE0, is_lite0=True, side=side)
    return Lite0Encoder(place, device="cpu", threads=1)


def _middle(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    side = min(picture.size)
    return ImageOps.fit(picture, (side, side))


def _accuracies(vectors: Floats, classes: NDArray[np.intp], count: int, draws: int) -> list[float]:
    """Accuracy on what is behind the 500 that labels are drawn from, one for each draw."""
    found = []
    for seed in range(draws):
        rows = np.random.default_rng(seed).permutation(len(classes))
        learned, rest = rows[:count], rows[max(LABELS) :]
        head = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectors[learned], classes[learned])
        found.append(float(head.score(vectors[rest], classes[rest])))
    return found


def _count(pictures: ImageSet) -> int:
    return len(np.unique(pictures.classes))


if __name__ == "__main__":
    main()
