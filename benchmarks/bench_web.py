"""The web process under load: webhooks beside an empty view on the same server, /health beside predictions.

Load and servers share the cores, and the machine may be busy: only ratios within one run say something.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from benchmarks.figures import Bench, median, percentile
from benchmarks.web_load import Answer, cpu_seconds, request_bytes, send, send_for, send_paced

EMPTY, OURS = 9801, 9802
SECRET = "a-secret"
PROJECT = "7.1700000000"
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
    '<Choice value="billing"/><Choice value="delivery"/></Choices></View>'
)
BLOCKS, BLOCK_S, THREADS = 8, 2.0, 16
PACED_S = 30.0
AT_ONCE = 30
HEALTH_S = 20.0


def main() -> None:
    """Run the bench."""
    bench = Bench("web", "The web process under load")
    with TemporaryDirectory() as folder, _servers(folder) as pids:
        rate = _webhooks(bench, pids)
        _half_load(bench, rate / 2)
        _health(bench)
    bench.finish()


def _webhooks(bench: Bench, pids: dict[int, int]) -> float:
    """Blocks in turn, so that both meet the same neighbours; returns our requests a second."""
    messages = {EMPTY: _event("/webhook"), OURS: _event(f"/webhook?project={PROJECT}")}
    rates: dict[int, list[float]] = {EMPTY: [], OURS: []}
    costs: dict[int, list[float]] = {EMPTY: [], OURS: []}
    for block in range(-1, BLOCKS):
        for port in (EMPTY, OURS) if block % 2 else (OURS, EMPTY):
            before = cpu_seconds(pids[port])
            answers = send_for(BLOCK_S, port, _always(messages[port]), threads=THREADS)
            _require(answers, 201)
            if block >= 0:
                rates[port].append(len(answers) / BLOCK_S)
                costs[port].append((cpu_seconds(pids[port]) - before) / len(answers))
        bench.say(f"webhooks: block {block + 1} of {BLOCKS}")
    bench.raw |= {"empty_a_second": rates[EMPTY], "webhooks_a_second": rates[OURS], "cpu_s": costs}
    ours, empty = median(rates[OURS]), median(rates[EMPTY])
    bench.add("requests a second, empty view and webhook", f"{empty:.0f}, {ours:.0f}")
    share = ours / empty
    bench.check(
        "webhooks, of what the empty view answers", f"{share:.2f}", target="≥ 0.5", reached=share >= 0.5
    )
    cpu = [1000 * median(costs[port]) for port in (EMPTY, OURS)]
    bench.add("processor time of a request, empty view and webhook", f"{cpu[0]:.2f} ms, {cpu[1]:.2f} ms")
    return ours


def _half_load(bench: Bench, rate: float) -> None:
    message = _event(f"/webhook?project={PROJECT}")
    answers = send_paced(PACED_S, OURS, message, rate=rate, threads=2 * THREADS)
    _require(answers, 201)
    late = [answer.seconds * 1000 for answer in answers]
    bench.raw["half_load_ms"] = late
    bench.say("webhooks at half load")
    bench.at_most(
        f"webhooks at half load ({rate:.0f} a second), 99th percentile",
        percentile(late, 99),
        limit=100,
        unit="ms",
    )


def _health(bench: Bench) -> None:
    """Sent ten times a second while thirty ask for predictions of texts that nobody has seen."""
    numbers = itertools.count()

    def unseen() -> bytes:
        text = f"Where is parcel {next(numbers)}, and who signed for it?"
        return request_bytes(
            "POST", "/predict", {"tasks": [{"data": {"text": text}}], "label_config": CONFIG}
        )

    health = request_bytes("GET", "/health")
    predicted: list[Answer] = []

    def predict() -> None:
        predicted.extend(send_for(HEALTH_S, OURS, unseen, threads=AT_ONCE))

    beside = threading.Thread(target=predict)
    beside.start()
    answers = send_paced(HEALTH_S, OURS, health, rate=10, threads=AT_ONCE)
    beside.join()
    _require(answers, 200)
    took = [answer.seconds * 1000 for answer in answers]
    bench.raw |= {"health_ms": took, "predict_s": [answer.seconds for answer in predicted]}
    refused = sum(answer.status == 503 for answer in predicted)
    bench.add(
        f"predictions a second, {AT_ONCE} at once", f"{len(predicted) / HEALTH_S:.0f}, {refused} refused"
    )
    bench.at_most(
        f"/health beside {AT_ONCE} predictions at once, 99th percentile",
        percentile(took, 99),
        limit=250,
        unit="ms",
    )
    bench.add("its median", f"{median(took):.0f} ms")


@contextmanager
def _servers(folder: str) -> Iterator[dict[int, int]]:
    """Both, by port; the empty one with the options of `serve`."""
    environment = os.environ | {
        **{"DATA_DIR": folder, "WEBHOOK_SECRET": SECRET, "LABEL_STUDIO_URL": "http://127.0.0.1:1"},
        **{"OMP_NUM_THREADS": "1", "HOST": "127.0.0.1", "PORT": str(OURS)},
    }
    commands = {
        EMPTY: ["-c", f"from benchmarks.empty_view import serve; serve({EMPTY})"],
        OURS: ["-m", "backend", "serve"],
    }
    processes = {
        port: subprocess.Popen([sys.executable, *command], env=environment, stderr=subprocess.DEVNULL)
        for port, command in commands.items()
    }
    try:
        _wait_until(lambda: send(EMPTY, _event("/webhook")).status == 201)
        _wait_until(lambda: send(OURS, request_bytes("GET", "/readyz")).status == 200)
        send(OURS, request_bytes("POST", "/setup", {"project": PROJECT}))
        yield {port: process.pid for port, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()


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
