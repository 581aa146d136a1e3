"""A mild mix of everything for some time: do memory and open files of the processes stay flat?

    .venv/bin/python -m benchmarks.bench_soak 15

Every second a prediction of an embedded task, one of an unseen text and a look at the state; now and then
a page, figures, a search; ten answers a minute, whose webhooks bring loops.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np

from benchmarks.families import count_entries, family, resident_mib
from benchmarks.figures import Bench
from benchmarks.served_stage import ServedStage, open_served_stage
from benchmarks.texts import load_short_texts

MINUTES = 15.0
TASKS = 2_000
# The first minutes fill caches: encoder, versions, pools of threads.
WARM_UP_SHARE = 0.3
ANSWERS_EVERY_S = 6.0
# MiB an hour that a slope may be, and open files an hour.
FLAT_MIB, FLAT_FILES = 20.0, 10.0


@dataclass(slots=True)
class Footprint:
    """Memory and open files of a process and its children, by the minute."""

    minutes: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    threads: list[float] = field(default_factory=list)

    def look(self, pid: int, minute: float) -> None:
        """Adds what a process and its children hold now."""
        ours = family(pid)
        self.minutes.append(minute)
        self.mib.append(sum(resident_mib(one) for one in ours))
        self.files.append(sum(count_entries(one, "fd") for one in ours))
        self.threads.append(sum(count_entries(one, "task") for one in ours))

    def an_hour(self, values: list[float]) -> float:
        """How much a value grows in an hour, by a straight line through all but the first minutes."""
        skipped = int(len(values) * WARM_UP_SHARE)
        slope, _ = np.polyfit(self.minutes[skipped:], values[skipped:], 1)
        return float(slope * 60)


def main() -> None:
    """Run the bench."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    bench = Bench("soak", f"{minutes:g} minutes of a mild mix")
    bench.say(f"connecting {TASKS:,} tasks")
    with open_served_stage(load_short_texts(TASKS)) as stage:
        stage.label_and_wait(10)
        before = len(stage.loops())
        load = Load(stage)
        found = _watch(bench, stage, load, minutes)
        loops = len(stage.loops()) - before
    _summarise(bench, found, load, loops)
    bench.finish()


class Load:
    """Asks, each thing at its pace, in threads; counts the answers by what was asked and their status."""

    def __init__(self, stage: ServedStage) -> None:
        self.answers: Counter[str] = Counter()
        self._stage = stage
        self._stop = threading.Event()
        self._numbers = itertools.count()
        self._texts = list(stage.labels)
        paths = ("", ".json", "/map.json", "/loops.json", "/wanted.csv")
        self._pages = itertools.cycle(
            [f"/projects/{stage.project_id}{path}" for path in paths] + ["/projects"]
        )
        acts: dict[float, list[Callable[[httpx.Client], None]]] = {
            1.0: [self._embedded, self._unseen, self._state],
            3.0: [self._page, self._search],
            ANSWERS_EVERY_S: [self._answer],
        }
        self._threads = [
            threading.Thread(target=self._repeat, args=(act, pause))
            for pause, same in acts.items()
            for act in same
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more is asked; returns when all is answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[httpx.Client], None], pause: float) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(
            base_url=self._stage.backend.url, trust_env=False, timeout=60.0, limits=limits
        ) as client:
            while not self._stop.wait(pause):
                act(client)

    def _count(self, what: str, answer: httpx.Response) -> None:
        self.answers[f"{what} {answer.status_code}"] += 1

    def _predict(self, client: httpx.Client, what: str, number: int, text: str) -> None:
        body = {
            "tasks": [{"id": number, "data": {"text": text}}],
            "project": self._stage.reference,
            "label_config": self._stage.config,
        }
        self._count(what, client.post("/predict", json=body))

    def _embedded(self, client: httpx.Client) -> None:
        self._predict(client, "embedded", 1, self._texts[next(self._numbers) % len(self._texts)])

    def _unseen(self, client: httpx.Client) -> None:
        number = next(self._numbers)
        self._predict(client, "unseen", 10**6 + number, f"Number {number}: {self._texts[number % 1000]}")

    def _state(self, client: httpx.Client) -> None:
        self._count("state", client.get(f"/projects/{self._stage.project_id}/state.json"))

    def _page(self, client: httpx.Client) -> None:
        self._count("page", client.get(next(self._pages)))

    def _search(self, client: httpx.Client) -> None:
        number = next(self._numbers)
        sentence = {"sentence": f"{number} {self._texts[number % 1000]}"}
        path = f"/projects/{self._stage.project_id}/search"
        self._count("search", client.post(path, data=sentence))

    def _answer(self, _client: httpx.Client) -> None:
        self._stage.label(1)
        self.answers["answers of people"] += 1


def _watch(bench: Bench, stage: ServedStage, load: Load, minutes: float) -> dict[str, Footprint]:
    pids = {"web": stage.backend.web.pid, "worker": stage.backend.worker.pid}
    found = {name: Footprint() for name in pids}
    begun = time.monotonic()
    load.start()
    try:
        for number in range(int(minutes * 2) + 1):
            time.sleep(max(0.0, begun + 30 * number - time.monotonic()))
            for name, pid in pids.items():
                found[name].look(pid, (time.monotonic() - begun) / 60)
            told = ", ".join(
                f"{name} {one.mib[-1]:.0f} MiB, {one.files[-1]:.0f} files" for name, one in found.items()
            )
            bench.say(f"minute {number / 2:.1f}: {told}")
    finally:
        load.stop()
    return found


def _summarise(bench: Bench, found: dict[str, Footprint], load: Load, loops: int) -> None:
    total = sum(load.answers.values())
    bench.add("requests and answers of people, loops", f"{total:,}, {loops}")
    faults = sum(count for what, count in load.answers.items() if what[-3:].startswith("5"))
    bench.check("answers of 5xx", str(faults), target="0", reached=not faults)
    for name, one in found.items():
        skipped = int(len(one.mib) * WARM_UP_SHARE)
        bench.add(
            f"{name}: memory after the first {one.minutes[skipped]:.0f} minutes, and at the end",
            f"{one.mib[skipped]:.0f}, {one.mib[-1]:.0f} MiB",
        )
        growth, opened = one.an_hour(one.mib), one.an_hour(one.files)
        bench.check(
            f"{name}: memory grows in an hour by",
            f"{growth:.0f} MiB",
            target=f"≤ {FLAT_MIB:.0f} MiB",
            reached=growth <= FLAT_MIB,
        )
        bench.check(
            f"{name}: open files grow in an hour by",
            f"{opened:.1f} (at the end {one.files[-1]:.0f})",
            target=f"≤ {FLAT_FILES:.0f}",
            reached=opened <= FLAT_FILES,
        )
    bench.raw |= {
        name: {"minutes": one.minutes, "mib": one.mib, "files": one.files, "threads": one.threads}
        for name, one in found.items()
    } | {"answers": load.answers}


if __name__ == "__main__":
    main()
