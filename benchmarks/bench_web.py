"""The web process under load: webhooks beside an empty view on the same server, /health and /predict.

Load and servers share the cores, and the machine may be busy: only ratios within one run say something. All
is asked over HTTP. Label Studio is in memory here, in the process that sends the load.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.figures import Bench, median, percentile
from benchmarks.served_stage import SECRET, ServedStage, open_served_stage
from benchmarks.texts import load_short_texts
from benchmarks.web_load import Answer, cpu_seconds, request_bytes, send, send_for, send_paced
from benchmarks.web_predictions import measure_predictions, unseen_requests
from benchmarks.web_processes import measure_two_processes
from demo.waiting import wait_for

EMPTY = 9801
TASKS = 2_000
BLOCKS, BLOCK_S, THREADS = 8, 2.0, 16
PACED_S = 60.0
AT_ONCE = 30
HEALTH_S = 20.0
LABELS = 10
WORKER_S = 300.0


def main() -> None:
    """Run the bench."""
    bench = Bench("web", "The web process under load")
    bench.say(f"connecting {TASKS:,} tasks")
    texts = load_short_texts(TASKS)
    with open_served_stage(texts, TORCH_THREADS="1") as stage:
        stage.label_and_wait(LABELS)
        stage.backend.worker.stop()
        with _empty_view() as empty:
            rate = _webhooks(bench, stage, empty)
        stage.backend.worker.start()
        # what the webhooks left is answered before the minute begins
        wait_for(lambda: not stage.status()["pending_hints"], "no worker came", timeout_s=WORKER_S)
        _settle(stage)
        _half_load(bench, stage, rate / 2)
        _settle(stage)
        _health(bench, stage)
        _settle(stage)
        stage.backend.worker.stop()
        measure_predictions(bench, stage)
        measure_two_processes(bench, stage)
    bench.finish()


def _webhooks(bench: Bench, stage: ServedStage, empty: int) -> float:
    """Blocks in turn, so that both meet the same neighbours; returns our requests a second."""
    ours = stage.backend.port
    messages = {EMPTY: _event("/webhook"), ours: _event(f"/webhook?project={stage.reference}")}
    pids = {EMPTY: empty, ours: stage.backend.web.pid}
    rates: dict[int, list[float]] = {EMPTY: [], ours: []}
    costs: dict[int, list[float]] = {EMPTY: [], ours: []}
    for block in range(-1, BLOCKS):
        for port in (EMPTY, ours) if block % 2 else (ours, EMPTY):
            before = cpu_seconds(pids[port])
            answers = send_for(BLOCK_S, port, _always(messages[port]), threads=THREADS)
            _require(answers, 201)
            if block >= 0:
                rates[port].append(len(answers) / BLOCK_S)
                costs[port].append((cpu_seconds(pids[port]) - before) / len(answers))
        bench.say(f"webhooks: block {block + 1} of {BLOCKS}")
    bench.raw |= {"empty_a_second": rates[EMPTY], "webhooks_a_second": rates[ours]}
    bench.raw |= {"empty_cpu_s": costs[EMPTY], "webhook_cpu_s": costs[ours]}
    rate, bare = median(rates[ours]), median(rates[EMPTY])
    bench.add("requests a second, empty view and webhook", f"{bare:.0f}, {rate:.0f}")
    share = rate / bare
    bench.check(
        "webhooks, of what the empty view answers", f"{share:.2f}", target="≥ 0.5", reached=share >= 0.5
    )
    cpu = [1000 * median(costs[port]) for port in (EMPTY, ours)]
    bench.add("processor time of a request, empty view and webhook", f"{cpu[0]:.2f} ms, {cpu[1]:.2f} ms")
    return rate


def _half_load(bench: Bench, stage: ServedStage, rate: float) -> None:
    """A minute, in which ten answers bring a loop."""
    message = _event(f"/webhook?project={stage.reference}")
    before = len(stage.loops())
    stage.label(LABELS)
    with _watching(stage) as watched:
        answers = send_paced(PACED_S, stage.backend.port, message, rate=rate, threads=2 * THREADS)
    _require(answers, 201)
    wait_for(lambda: not stage.status()["pending_hints"], "the webhooks had no loop", timeout_s=WORKER_S)
    _settle(stage)
    late = [answer.seconds * 1000 for answer in answers]
    bench.raw["half_load_ms"] = late
    bench.say("webhooks at half load")
    note = f", a loop beside them for {100 * sum(watched) / len(watched):.0f} % of the time"
    bench.at_most(
        f"webhooks at half load for a minute ({rate:.0f} a second{note}), 99th percentile",
        percentile(late, 99),
        limit=100,
        unit="ms",
    )
    loops = len(stage.loops()) - before
    what = f"loops that learned from {LABELS} answers and {len(answers):,} more webhooks"
    bench.check(what, str(loops), target="1", reached=loops == 1)


def _health(bench: Bench, stage: ServedStage) -> None:
    """Sent ten times a second while thirty ask for predictions of unseen texts and loops run."""
    port, unseen = stage.backend.port, unseen_requests(stage)
    predicted: list[Answer] = []
    ends = threading.Event()

    def predict() -> None:
        predicted.extend(send_for(HEALTH_S, port, unseen, threads=AT_ONCE))

    def answer() -> None:
        while not ends.is_set():
            stage.label(1)
            ends.wait(0.3)

    beside = [threading.Thread(target=predict), threading.Thread(target=answer)]
    for thread in beside:
        thread.start()
    with _watching(stage) as watched:
        answers = send_paced(HEALTH_S, port, request_bytes("GET", "/health"), rate=10, threads=AT_ONCE)
    ends.set()
    for thread in beside:
        thread.join()
    _require(answers, 200)
    took = [answer.seconds * 1000 for answer in answers]
    bench.raw |= {"health_ms": took, "predict_s": [answer.seconds for answer in predicted]}
    refused = sum(answer.status == 503 for answer in predicted)
    rate = f"{len(predicted) / HEALTH_S:.0f}, {refused} refused"
    bench.add(f"predictions a second meanwhile, {AT_ONCE} at once", rate)
    running = 100 * sum(watched) / len(watched)
    bench.at_most(
        f"/health beside {AT_ONCE} predictions at once (a loop beside them for {running:.0f} % of the time), "
        "99th percentile",
        percentile(took, 99),
        limit=250,
        unit="ms",
    )
    bench.add("its median", f"{median(took):.0f} ms")
    bench.say("/health beside predictions")


@contextmanager
def _watching(stage: ServedStage) -> Iterator[list[bool]]:
    """Whether a loop runs, looked at once a second until the block ends."""
    seen, ends = [bool(stage.state()["is_running"])], threading.Event()

    def look() -> None:
        while not ends.wait(1.0):
            seen.append(bool(stage.state()["is_running"]))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ends.set()
        thread.join()


def _settle(stage: ServedStage) -> None:
    """Waits until no loop has run for three seconds."""
    still = 0
    while still < 3:
        time.sleep(1.0)
        still = 0 if stage.state()["is_running"] else still + 1


@contextmanager
def _empty_view() -> Iterator[int]:
    """The process that serves it, with the options of `serve`."""
    command = [sys.executable, "-c", f"from benchmarks.empty_view import serve; serve({EMPTY})"]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until(lambda: send(EMPTY, _event("/webhook")).status == 201)
            yield process.pid
        finally:
            process.terminate()


def _event(path: str) -> bytes:
    return request_bytes("POST", path, {"action": "ANNOTATION_CREATED"}, **{"X-Nextlabel-Secret": SECRET})


def _always(message: bytes) -> Callable[[], bytes]:
    return lambda: message


def _require(answers: list[Answer], status: int) -> None:
    others = {answer.status for answer in answers} - {status}
    if others or not answers:
        raise RuntimeError(f"{len(answers)} answers, among them some of status {others}")


def _wait_until(is_there: Callable[[], bool]) -> None:
    for _ in range(600):
        try:
            if is_there():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError("a server did not come up within two minutes")


if __name__ == "__main__":
    main()
