"""What a loop costs on encoded pictures beside one on texts with the same vectors, by part, in turns.

python -m benchmarks.bench_picture_loop [--tasks N] [--rounds N]
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from backend.workflows import loop_report
from benchmarks.figures import Bench, median
from benchmarks.live_pictures import PictureStage, open_picture_stage
from benchmarks.texts import Text, load_short_texts
from model.encoders import Progress
from model.encoders.lite0 import DIMENSIONS as SEEN
from model.encoders.pixels import DIMENSIONS as DRAWN
from model.encoders.table import ENCODERS, IMAGE_ENCODERS
from model.records import Floats
from tests.workbench import Workbench

WIDTH = SEEN + DRAWN  # as the vectors of pictures are
SPREAD = 1.1  # of items around the middle of their class, beside 1 in every direction
BEFORE, EACH = 300, 10  # labels before the first loop that counts, and between two
SIDE = 16  # pixels of a picture, whose colours are its number
MOST = 1.15
TEXTS, PICTURES = "texts", "pictures"


class DrawnVectors:
    """Vectors (n, d) by number: what both encoders give."""

    def __init__(self, labels: Sequence[str]) -> None:
        rng = np.random.default_rng(0)
        names = sorted(set(labels))
        centres = rng.normal(size=(len(names), WIDTH))
        rows = centres[[names.index(label) for label in labels]]
        drawn = rows + SPREAD * np.sqrt(len(names)) * rng.normal(size=rows.shape)
        self.vectors: Floats = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


class TextVectors:
    """Satisfies `Encoder`: known texts have drawn vectors, all others (names of labels) that of the first."""

    dimensions = WIDTH
    revision = "drawn-texts@1"

    def __init__(self, drawn: DrawnVectors, texts: Sequence[str]) -> None:
        self._vectors, self._rows = drawn.vectors, {text: row for row, text in enumerate(texts)}

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d)."""
        return self._vectors[[self._rows.get(text, 0) for text in texts]]


class PictureVectors:
    """Satisfies `ImageEncoder`: the number in a picture's colours says which vector is its own."""

    dimensions = WIDTH
    revision = "drawn-pictures@1"
    side = SIDE

    def __init__(self, drawn: DrawnVectors) -> None:
        self._vectors = drawn.vectors

    def encode(self, pictures: Sequence[Image.Image], *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d)."""
        return self._vectors[[_number(picture) for picture in pictures]]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = load_short_texts(options.tasks)
    drawn = DrawnVectors([text.label for text in texts])
    ENCODERS["drawn"] = lambda: TextVectors(drawn, [text.content for text in texts])
    IMAGE_ENCODERS["drawn"] = lambda: PictureVectors(drawn)
    loop_report.time = SimpleNamespace(monotonic=time.process_time)  # type: ignore[assignment]
    bench = Bench("picture_loop", f"A loop on {options.tasks:,} encoded pictures and one on as many texts")
    with open_picture_stage(text_encoder="drawn", image_encoder="drawn") as stage:
        projects = {kind: _open(stage, kind, texts) for kind in (TEXTS, PICTURES)}
        answers = {kind: _answers(project, texts) for kind, project in projects.items()}
        bench.say("both connected")
        for kind, project in projects.items():
            _measure(project, answers[kind], BEFORE)
        rounds: dict[str, list[dict[str, float]]] = {kind: [] for kind in projects}
        for number in range(options.rounds):
            for kind in (TEXTS, PICTURES) if number % 2 else (PICTURES, TEXTS):
                rounds[kind].append(_measure(projects[kind], answers[kind], EACH))
                bench.say(f"{kind}, round {number + 1}: {rounds[kind][-1]}")
    bench.raw["seconds of processor by part"] = rounds
    _report(bench, rounds)
    bench.finish()


def _open(stage: PictureStage, kind: str, texts: Sequence[Text]) -> Workbench:
    labels = "".join(f'<Choice value="{label}"/>' for label in sorted({text.label for text in texts}))
    shown = '<Text name="t" value="$text"/>' if kind == TEXTS else '<Image name="t" value="$image"/>'
    config = f'<View>{shown}<Choices name="c" toName="t" required="true">{labels}</Choices></View>'
    if kind == TEXTS:
        return stage.open_project(config, [{"text": text.content} for text in texts], {})
    files = {_address(row): _draw(row) for row in range(len(texts))}
    return stage.open_project(config, [{"image": address} for address in files], files)


def _answers(project: Workbench, texts: Sequence[Text]) -> dict[int, str]:
    """The label of each task: they came in the order of the texts."""
    return {task: text.label for task, text in zip(sorted(project.tasks), texts, strict=True)}


def _measure(project: Workbench, answers: dict[int, str], count: int) -> dict[str, float]:
    """Seconds of processor of the loop after so many answers, in all and by part."""
    for task in project.served(count):
        project.label_studio.annotate(task, answers[task])
    started = time.process_time()
    report = project.loop()
    whole = time.process_time() - started
    if report.outcome != "published":
        raise RuntimeError(f"picture loop: the loop ended with {report.outcome}")
    return report.seconds | {"whole": whole}


def _report(bench: Bench, rounds: dict[str, list[dict[str, float]]]) -> None:
    for part in rounds[TEXTS][0]:
        found = {kind: [one[part] for one in measured] for kind, measured in rounds.items()}
        shown = f"{median(found[PICTURES]):.2f} s; {median(found[TEXTS]):.2f} s"
        what = f"{part}: processor of a loop on pictures; on texts (medians of {len(rounds[TEXTS])})"
        if part != "whole":
            bench.add(what, shown)
            continue
        ratio = median(found[PICTURES]) / median(found[TEXTS])
        bench.check(what, f"{shown}; {ratio:.2f} ×", target=f"≤ {MOST:g} ×", reached=ratio <= MOST)


def _address(row: int) -> str:
    return f"/data/upload/1/{row}.png"


def _draw(row: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (row >> 16, row >> 8 & 255, row & 255)).save(out, "PNG")
    return out.getvalue()


def _number(picture: Image.Image) -> int:
    red, green, blue = picture.getpixel((0, 0))  # type: ignore[misc]
    return int(red) << 16 | int(green) << 8 | int(blue)


if __name__ == "__main__":
    main()
