"""How soon a large project has its first order, and what a second encoding worker brings.

python -m benchmarks.bench_encoding_jobs
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.workflows.serving import publish
from benchmarks.figures import Bench
from benchmarks.live_pictures import PictureStage, open_picture_stage
from benchmarks.texts import load_short_texts
from demo.dataset import LABELS
from demo.project import write_label_config
from tests.workbench import Workbench

SIZES = (2_000, 10_000, 50_000)
# What Label Studio 1.23 gave on this machine when nothing else ran: 50,000 tasks in 67 s.
TASKS_A_SECOND = 746.0
FIRST_ORDER_S = 30.0
TEXTS_EACH = 1_500  # of a worker
LOAD_S = 25.0  # until a process has its network
ROOT = Path(__file__).resolve().parents[1]

# A process that encodes so many texts of the bench, from a place on; prints its seconds of processor.
WORKER = """
import sys, time
from benchmarks.bench_encoding_jobs import write_texts
from model.encoders.text import load_text_encoder
encoder = load_text_encoder(threads=1)
start, count = int(sys.argv[1]), int(sys.argv[2])
texts = write_texts(start + count)[start:]
encoder.encode(texts[:64])
sys.stdin.readline()
begun = time.process_time()
for place in range(0, count, 512):
    encoder.encode(texts[place:place + 512])
print(time.process_time() - begun)
"""


def write_texts(count: int) -> list[str]:
    """Different short texts; beyond the pieces that there are, these come again with a number."""
    pieces = [text.content for text in load_short_texts(30_000)]
    return [
        pieces[place % len(pieces)] + (f" {place}" if place >= len(pieces) else "") for place in range(count)
    ]


def main() -> None:
    """Run the bench."""
    bench = Bench("encoding_jobs", "The first order of a large project, and two encoding workers beside one")
    for size in SIZES:
        with open_picture_stage() as stage:
            _first_order(bench, stage, size)
    _workers(bench)
    bench.finish()


def _first_order(bench: Bench, stage: PictureStage, size: int) -> None:
    """Seconds from `connect` to the moment at which the first version serves."""
    stage.context.encoders.named(None).get()  # a worker has it before anybody connects a project
    project_id = stage.label_studio.add_project(label_config=write_label_config(list(LABELS.values())))
    stage.label_studio.add_tasks(project_id, [{"text": text} for text in write_texts(size)])
    work = Workbench(stage.context, stage.label_studio, project_id)
    moments: list[tuple[float, float]] = []
    activate = publish.activate

    def note(*args: Any, **how: Any) -> None:
        activate(*args, **how)
        moments.append((time.monotonic(), time.process_time()))

    publish.activate = note
    begun = time.monotonic(), time.process_time()
    try:
        report = work.connect().loop
    finally:
        publish.activate = activate
    served, found = moments[0], report.record
    label_studio = found.until_published.label_studio_seconds if found.until_published else 0.0
    own = served[0] - begun[0] - label_studio
    reading = found.tasks_read / TASKS_A_SECOND
    bench.raw[f"{size} texts"] = {
        "own seconds": own,
        "seconds of processor": served[1] - begun[1],
        "tasks read": found.tasks_read,
        "encoded": found.encoded,
        "without a vector": found.unencoded,
        "stages": report.seconds,
    }
    bench.say(f"{size} texts: {bench.raw[f'{size} texts']}")
    bench.at_most(
        f"First order of {size:,} texts, Label Studio's {found.tasks_read:,} tasks at its own rate",
        round(own + reading, 1),
        limit=FIRST_ORDER_S,
        unit="s",
        note=f" ({found.encoded:,} have vectors; {served[1] - begun[1]:.0f} s of processor)",
    )


def _workers(bench: Bench) -> None:
    """Texts a second of processor of two processes at once ÷ those of one, times two."""
    alone = _seconds_each(1)
    both = _seconds_each(2)
    again = _seconds_each(1)
    bench.raw["seconds of processor"] = {"one": [*alone, *again], "two": both}
    one, two = sum([*alone, *again]) / 2, sum(both) / 2
    bench.add("Texts a second of processor, one encoding worker", f"{TEXTS_EACH / one:.0f}")
    bench.check(
        "Two encoding workers ÷ one, each a core of its own (by seconds of processor)",
        f"{2 * one / two:.2f}",
        target="≥ 1.8",
        reached=2 * one / two >= 1.8,
    )


def _seconds_each(workers: int) -> list[float]:
    """Seconds of processor of so many processes that encode at once."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(place * TEXTS_EACH), str(TEXTS_EACH)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(workers)
    ]
    time.sleep(LOAD_S)
    return [float(told.split()[-1]) for told in _at_once(children)]


def _at_once(children: Sequence[subprocess.Popen[str]]) -> list[str]:
    for child in children:
        if child.stdin is not None:
            child.stdin.write("\n")
            child.stdin.flush()
    return [child.communicate()[0] for child in children]


if __name__ == "__main__":
    main()
