"""What the encoder costs beside its bare network, alone and while other threads fetch and read pictures.

python -m benchmarks.bench_encoding
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from backend.store.pictures import Fault
from backend.workflows.intake.read_pictures import read_pictures
from benchmarks.figures import Bench, median
from model.encoders.image import BATCH, ImageEncoder, Lite0Encoder, load_image_encoder
from model.encoders.image_folders import LITE0_FOLDER
from model.encoders.lite0 import DEVIATION, MEAN, features
from model.representations.with_pixels import WithPixels, with_pixels

TOGETHER = 64  # pictures, as the loop encodes them
ROUNDS = 4
WIDTH, HEIGHT = 640, 480


class _Photographs:
    """Stands in for a fetcher: bytes that are there already."""

    def __init__(self) -> None:
        self._files = [_photograph(number) for number in range(TOGETHER)]

    def fetch(self, value: str, *, task_id: int) -> bytes:
        """A JPEG of 640 × 480 pixels."""
        return self._files[task_id % TOGETHER]


def main() -> None:
    """Run the bench."""
    if not LITE0_FOLDER.is_dir():
        print("encoding: no encoder is there, left out")
        return
    bench = Bench("encoding", "What encoding pictures costs beside the bare network")
    _report(bench, load_image_encoder())
    bench.finish()


def _report(bench: Bench, network: ImageEncoder) -> None:
    """The throughput of the encoder ÷ that of the bare network, same batches, same thread, in turns."""
    if not isinstance(network, Lite0Encoder):
        raise RuntimeError("the default is another network")
    encoder, photographs = with_pixels(network), _Photographs()
    pictures = [one for one, _ in _read(photographs, TOGETHER, network.side, lambda _pictures: None)]
    batches = [_prepare(pictures[start : start + BATCH], network.side) for start in range(0, TOGETHER, BATCH)]
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        seconds["bare"].append(_timed(lambda: [_forward(batch, network) for batch in batches]))
        seconds["network"].append(_timed(lambda: network.encode(pictures)))
        seconds["joined"].append(_timed(lambda: encoder.encode(pictures)))
        inside, wall, processor = _in_loop(photographs, encoder, network.side)
        seconds["in the loop"].append(inside)
        seconds["wall of the loop"].append(wall)
        seconds["processor of the loop"].append(processor)
    bench.raw[f"seconds for {TOGETHER} pictures"] = seconds
    bare = median(seconds["bare"])
    bench.add("the bare network, pictures of 640 × 480", f"{TOGETHER / bare:.0f} a second of processor")
    _check(bench, "… our encoder of it ÷ bare, same batches, one thread", _share(seconds, "network"))
    _check(bench, "… with the pixels that are joined to it", _share(seconds, "joined"))
    _check(bench, "… the same while eight threads fetch and read", _share(seconds, "in the loop"))
    whole = {name: TOGETHER / median(seconds[f"{name} of the loop"]) for name in ("processor", "wall")}
    bench.add(
        "… the whole loop: fetching, reading, small pictures, encoding",
        f"{whole['processor']:.0f} a second of processor, {whole['wall']:.0f} a second",
    )


def _share(seconds: dict[str, list[float]], name: str) -> float:
    """Median over the rounds: the machine's load changes from one to the next."""
    return median([bare / mine for bare, mine in zip(seconds["bare"], seconds[name], strict=True)])


def _check(bench: Bench, what: str, share: float) -> None:
    bench.check(what, f"{share:.2f}", target="≥ .9", reached=share >= 0.9)


def _in_loop(photographs: _Photographs, encoder: WithPixels, side: int) -> tuple[float, float, float]:
    """Seconds of encoding, of the clock and of the processor for as many pictures, per `TOGETHER`."""
    rounds, inside = 2, list[float]()
    wall, processor = time.perf_counter(), time.process_time()
    _read(
        photographs,
        rounds * TOGETHER,
        side,
        lambda pictures: inside.append(_timed(lambda: encoder.encode(pictures))),
    )
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return median(inside), wall / rounds, processor / rounds


def _read(
    photographs: _Photographs, count: int, side: int, encode: Callable[[list[Image.Image]], object]
) -> list[tuple[Image.Image, int]]:
    """The pictures as the loop has them, in their order; `encode` is given them `TOGETHER` at a time."""
    found, waiting = [], list[Image.Image]()
    wanted = ((str(number), number) for number in range(count))
    for one in read_pictures(photographs, wanted, side=side):
        if isinstance(one, Fault):
            raise RuntimeError(one.reason)
        found.append((one.image, one.picture.task_id))
        waiting.append(one.image)
        if len(waiting) == TOGETHER:
            encode(waiting)
            waiting = []
    return sorted(found, key=lambda pair: pair[1])


def _timed(work: Callable[[], object]) -> float:
    """Seconds that this thread had the processor."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def _prepare(pictures: list[Image.Image], side: int) -> torch.Tensor:
    pixels = np.stack([np.asarray(one.resize((side, side)), dtype=np.uint8) for one in pictures])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    return (batch - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]


@torch.inference_mode()
def _forward(batch: torch.Tensor, network: Lite0Encoder) -> torch.Tensor:
    return features(batch, network._weights)


def _photograph(number: int) -> bytes:
    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 256, size=(30, 40, 3), dtype=np.uint8))
    kept = io.BytesIO()
    coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(kept, "JPEG", quality=90)
    return kept.getvalue()


if __name__ == "__main__":
    main()
