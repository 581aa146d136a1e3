"""What a second web process on the same data brings, on tasks that are encoded already."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.figures import Bench, median
from benchmarks.served_stage import ServedStage
from benchmarks.web_load import cpu_seconds, send_for
from benchmarks.web_predictions import predict_bytes
from demo.child_process import answers, find_free_port
from demo.processes import BackendProcesses
from demo.waiting import wait_for

BLOCKS, BLOCK_S, THREADS = 5, 3.0, 6
TARGET = 1.7


def measure_two_processes(bench: Bench, stage: ServedStage) -> None:
    """Requests that each answers in a second of its own processor time: two together, and one alone.

    Who sends the load takes the same cores, so that requests by the clock would say nothing.
    """
    messages = itertools.cycle(
        [predict_bytes(stage, 1, text) for text in itertools.islice(stage.labels, 200)]
    )
    lock = threading.Lock()

    def make() -> bytes:
        with lock:
            return next(messages)

    alone: list[float] = []
    together: list[float] = []
    first = stage.backend
    with _second(stage) as second:
        for block in range(-1, BLOCKS):
            one = _per_cpu_second([first], make)
            two = _per_cpu_second([first, second], make)
            if block >= 0:
                alone.append(one)
                together.append(two)
    bench.raw |= {"one_process": alone, "two_processes": together}
    share = median(together) / median(alone)
    bench.check(
        "two web processes ÷ one, embedded tasks a second of processor "
        f"({median(together):.0f}, {median(alone):.0f})",
        f"{share:.2f}",
        target=f"≥ {TARGET}",
        reached=share >= TARGET,
    )
    bench.say("two web processes")


def _per_cpu_second(processes: list[BackendProcesses], make: Callable[[], bytes]) -> float:
    """The sum, over processes that are asked at the same time, of the requests a second of each one's own."""
    found: list[float] = []
    statuses: set[int] = set()

    def ask(process: BackendProcesses) -> None:
        before = cpu_seconds(process.web.pid)
        given = send_for(BLOCK_S, process.port, make, threads=THREADS)
        statuses.update(answer.status for answer in given)
        found.append(len(given) / (cpu_seconds(process.web.pid) - before))

    threads = [threading.Thread(target=ask, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if statuses != {200}:
        raise RuntimeError(f"predictions were answered with {statuses}")
    return sum(found)


@contextmanager
def _second(stage: ServedStage) -> Iterator[BackendProcesses]:
    """Another web process on the same folder."""
    first = stage.backend
    same = {name: first.environment[name] for name in first.environment if name != "PORT"}
    second = BackendProcesses(
        first.folder,
        label_studio_url=first.environment["LABEL_STUDIO_URL"],
        api_key=first.environment["LABEL_STUDIO_API_KEY"],
        port=find_free_port(),
        settings=same,
    )
    second.start_web()
    try:
        wait_for(lambda: answers(f"{second.url}/readyz"), "the second web process is not ready")
        yield second
    finally:
        second.stop()
