"""What /predict takes: of embedded tasks, of texts that nobody has seen, of many at once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from benchmarks.figures import Bench, median, percentile
from benchmarks.served_stage import ServedStage
from benchmarks.web_load import request_bytes, send, send_for
from model.encoders.text import TextEncoder, load_text_encoder

EMBEDDED, UNSEEN, WARM_UP = 300, 120, 10
AT_ONCE, BLOCKS, BLOCK_S = 30, 4, 4.0
EMBEDDED_LIMIT_MS, RATIO_LIMIT, THROUGHPUT = 5.0, 1.2, 0.8
_NUMBERS = itertools.count()


def measure_predictions(bench: Bench, stage: ServedStage) -> None:
    """The three, one after the other; nothing else should run."""
    encoder = load_text_encoder(threads=1)
    _embedded(bench, stage)
    bench.say("/predict of embedded tasks")
    _unseen(bench, stage, encoder)
    bench.say("/predict of unseen texts")
    _at_once(bench, stage, encoder)
    bench.say(f"/predict of {AT_ONCE} at once")


def unseen_requests(stage: ServedStage) -> Callable[[], bytes]:
    """Makes requests for predictions, each of a text that was never sent before; for any thread."""
    make = unseen_texts(stage)
    return lambda: predict_bytes(stage, 10**6, make())


def unseen_texts(stage: ServedStage) -> Callable[[], str]:
    """Makes texts as long as the tasks, none twice in a run; for any thread."""
    known = list(stage.labels)

    def make() -> str:
        number = next(_NUMBERS)
        return f"{known[number % len(known)]} {number}"

    return make


def predict_bytes(stage: ServedStage, number: int, text: str) -> bytes:
    """A request for the prediction of one task, as Label Studio sends it."""
    body = {
        "tasks": [{"id": number, "data": {"text": text}}],
        "project": stage.reference,
        "label_config": stage.config,
    }
    return request_bytes("POST", "/predict", body)


def _embedded(bench: Bench, stage: ServedStage) -> None:
    messages = [predict_bytes(stage, 1, text) for text in itertools.islice(stage.labels, EMBEDDED + WARM_UP)]
    took = [_milliseconds(stage, message) for message in messages][WARM_UP:]
    bench.raw["embedded_ms"] = took
    note = f" (99th percentile {percentile(took, 99):.1f})"
    bench.at_most(
        "/predict of one embedded task, median", median(took), limit=EMBEDDED_LIMIT_MS, unit="ms", note=note
    )


def _unseen(bench: Bench, stage: ServedStage, encoder: TextEncoder) -> None:
    """Each in turn with the bare encoder, on texts of the same kind."""
    asked: list[float] = []
    bare: list[float] = []
    make = unseen_texts(stage)
    for _ in range(UNSEEN + WARM_UP):
        asked.append(_milliseconds(stage, predict_bytes(stage, 10**6, make())))
        begun = time.perf_counter()
        encoder.encode([make()])
        bare.append(1000 * (time.perf_counter() - begun))
    asked, bare = asked[WARM_UP:], bare[WARM_UP:]
    bench.raw |= {"unseen_ms": asked, "bare_ms": bare}
    note = f" ({median(asked):.1f} and {median(bare):.1f} ms)"
    bench.at_most(
        "/predict of one unseen text ÷ the bare encoder, medians",
        median(asked) / median(bare),
        limit=RATIO_LIMIT,
        unit="×",
        note=note,
    )


def _at_once(bench: Bench, stage: ServedStage, encoder: TextEncoder) -> None:
    """Blocks in turn: thirty who ask one after the other, and the bare encoder on batches of thirty."""
    ask, make = unseen_requests(stage), unseen_texts(stage)
    asked: list[float] = []
    bare: list[float] = []
    refused = 0
    for _ in range(BLOCKS):
        begun = time.perf_counter()
        answers = send_for(BLOCK_S, stage.backend.port, ask, threads=AT_ONCE)
        refused += sum(answer.status != 200 for answer in answers)
        asked.append(sum(answer.status == 200 for answer in answers) / (time.perf_counter() - begun))
        begun, count = time.perf_counter(), 0
        while time.perf_counter() < begun + BLOCK_S:
            encoder.encode([make() for _ in range(AT_ONCE)])
            count += AT_ONCE
        bare.append(count / (time.perf_counter() - begun))
    bench.raw |= {"at_once_a_second": asked, "bare_a_second": bare}
    share = median(asked) / median(bare)
    bench.check(
        f"/predict, {AT_ONCE} at once ÷ the bare encoder on batches of {AT_ONCE}, texts a second "
        f"({median(asked):.0f}, {median(bare):.0f}; {refused} refused)",
        f"{share:.2f}",
        target=f"≥ {THROUGHPUT}",
        reached=share >= THROUGHPUT,
    )


def _milliseconds(stage: ServedStage, message: bytes) -> float:
    answer = send(stage.backend.port, message)
    if answer.status != 200:
        raise RuntimeError(f"a prediction was answered with {answer.status}")
    return 1000 * answer.seconds
