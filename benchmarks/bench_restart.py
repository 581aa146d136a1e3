"""From the start of the web process to its first answers, with a store that is full already.

    .venv/bin/python -m benchmarks.bench_restart 100000

The store is made by the loop itself, with vectors that are drawn and not encoded: who serves reads them as
others. The web process is the real one, with the real encoder.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backend.app import create_app
from backend.label_studio.client import LabelStudio
from backend.parts import build_context
from backend.settings import Settings
from benchmarks.families import processor_seconds
from benchmarks.figures import Bench, median
from benchmarks.live_pictures import SilentJobs
from benchmarks.web_load import request_bytes, send
from demo.processes import BackendProcesses
from model.encoders import Progress
from model.encoders.text import load_text_encoder
from model.records import Floats
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.workbench import Workbench

TASKS, ROUNDS, LABELS = 100_000, 5, 10
LIMIT_S = 5.0
BACKEND_URL = "http://127.0.0.1:9"
CLASSES = ("billing", "delivery", "returns")


@dataclass(slots=True)
class Drawn:
    """Stands in for an encoder: unit vectors that only depend on the text."""

    revision: str
    dimensions: int

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Vectors (n, d) in the order of the texts."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            number = text.split()[0]
            vectors[row] = _drawn(int(number) if number.isdigit() else 0, self.dimensions)
        if progress is not None:
            progress(len(texts))
        return vectors


def _drawn(number: int, dimensions: int) -> Floats:
    """A unit vector (d,) near that of its class."""
    vector = np.random.default_rng(number).standard_normal(dimensions)
    vector[number % len(CLASSES)] += 20.0
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _text(number: int) -> str:
    return (
        f"{number} {CLASSES[number % len(CLASSES)]}: who looks after order {number * 7919}, and until when?"
    )


class LargeLabelStudio(FakeLabelStudio):
    """The one in memory, quick with many tasks: it finds the predictions of a task by an index."""

    def __init__(self) -> None:
        super().__init__()
        self._by_task: dict[int, list[dict[str, Any]]] = {}
        self._indexed = 0

    def _predictions_of(self, task_id: int) -> list[dict[str, Any]]:
        if self._indexed != len(self.predictions):
            self._by_task = {}
            for row in self.predictions.values():
                self._by_task.setdefault(row["task"], []).append(row)
            self._indexed = len(self.predictions)
        return self._by_task.get(task_id, [])


def main() -> None:
    """Run the bench."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    bench = Bench("restart", f"Restart of the web process with {count:,} tasks")
    with tempfile.TemporaryDirectory(prefix="nextlabel-bench-") as folder:
        made = time.perf_counter()
        message = _make_store(Path(folder, "data"), count)
        bench.add("making the store, without encoding", f"{time.perf_counter() - made:.0f} s")
        bench.say("the store is there")
        rows = [_restart(Path(folder), message) for _ in range(ROUNDS)]
    for place, what in enumerate(("/health", "/predict of an embedded task", "/readyz says ready")):
        took, worked = [row[place][0] for row in rows], [row[place][1] for row in rows]
        bench.raw[what] = {"seconds": took, "processor_s": worked}
        note = f" ({median(worked):.1f} s of processor)"
        bench.at_most(f"start → {what}, median of {ROUNDS}", median(took), limit=LIMIT_S, unit="s", note=note)
    bench.finish()


def _make_store(data: Path, count: int) -> bytes:
    """Tasks, vectors and a trained version in a folder; returns a request for a prediction."""
    real = load_text_encoder()
    label_studio = LargeLabelStudio()
    settings = Settings(
        _env_file=None,
        data_dir=data,
        label_studio_url=FakeLabelStudio.url,
        label_studio_api_key=LEGACY_TOKEN,
        backend_url=BACKEND_URL,
        webhook_secret="bench",
    )
    call = partial(LabelStudio, FakeLabelStudio.url, LEGACY_TOKEN, transport=label_studio.transport)
    drawn = Drawn(real.revision, real.dimensions)
    context = replace(
        build_context(settings, load_encoder=lambda: drawn), label_studio=call, jobs=SilentJobs()
    )
    label_studio.serve(BACKEND_URL, create_app(context).test_client())
    project = label_studio.add_project(labels=CLASSES, texts=[_text(number) for number in range(count)])
    bench = Workbench(context, label_studio, project)
    bench.connect()
    for _ in range(LABELS):
        task = label_studio.serve_next(project)
        label_studio.annotate(task["id"], CLASSES[int(task["data"]["text"].split()[0]) % len(CLASSES)])
    bench.loop()
    body = {
        "tasks": [{"id": 1, "data": {"text": _text(count // 2)}}],
        "project": label_studio._reference(label_studio.projects[project]),
        "label_config": label_studio.projects[project]["label_config"],
    }
    return request_bytes("POST", "/predict", body)


def _restart(folder: Path, message: bytes) -> tuple[tuple[float, float], ...]:
    """Seconds, and of processor, from the start of the process to answers of 200 to three questions."""
    backend = BackendProcesses(folder, label_studio_url="http://127.0.0.1:1", api_key=LEGACY_TOKEN)
    questions = (request_bytes("GET", "/health"), message, request_bytes("GET", "/readyz"))
    begun = time.perf_counter()
    backend.web.start()
    try:
        return tuple(
            (_first_answer(backend.port, question, begun), processor_seconds(backend.web.pid))
            for question in questions
        )
    finally:
        backend.stop()


def _first_answer(port: int, question: bytes, begun: float) -> float:
    while time.perf_counter() - begun < 120:
        with contextlib.suppress(OSError, ValueError):
            if send(port, question).status == 200:
                return time.perf_counter() - begun
        time.sleep(0.02)
    raise TimeoutError("the web process did not answer within two minutes")


if __name__ == "__main__":
    main()
