"""A hundred projects, twenty of them labelled without a pause, one worker: who waits how long.

Label Studio is the one in memory, and the encoder counts words: what is measured is whose turn it is. Of a
second run seven more projects are active: Label Studio fails for five, and takes half a minute for two.
That they do is known when it begins: each had one loop.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx

from backend.app import create_app
from backend.commands.running import THREADS
from backend.context import Context
from backend.errors import NextlabelError
from backend.label_studio.client import LabelStudio
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows import work
from backend.workflows.connection.connect import ConnectOptions, connect
from backend.workflows.loop import run_loop
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from backend.workflows.serving import publish
from benchmarks.figures import Bench, median, percentile
from model.encoders.hashing import HashingEncoder
from tests.fake_label_studio import LEGACY_TOKEN, FakeLabelStudio
from tests.topics import topic_of, write_texts

PROJECTS, ACTIVE, FAILING, SLOW = 100, 20, 5, 2
TASKS_ACTIVE, TASKS_QUIET, WINDOW, LABELS = 200, 20, 20, 10
RUN_S, SLOW_S, POLL_S = 45.0, 10.0, 0.02
URL = "http://backend.bench:9090"
MOST_UNFAIR = 2.0


class SharedLabelStudio(FakeLabelStudio):
    """One that several threads may ask, which fails for some projects and is slow for others."""

    def __init__(self) -> None:
        """Everybody is well."""
        self.lock = threading.RLock()
        self.failing: Collection[int] = ()
        self.slow: Collection[int] = ()
        self.over = threading.Event()
        super().__init__()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if any(path == f"/api/projects/{number}" for number in self.slow):
            self.over.wait(SLOW_S)  # some three times a loop
        if path == "/api/tasks" and int(request.url.params["project"]) in self.failing:
            return httpx.Response(500, json={"detail": "server error"})
        with self.lock:
            answer: httpx.Response = super()._answer(request)
        return answer


@dataclass
class Watched:
    """An active project: when its tenth label came, what served then, and how long each new order took."""

    number: int
    since: float = 0.0
    version: str = ""
    waits_s: list[float] = field(default_factory=list)


def main() -> None:
    """Run the bench."""
    # this Label Studio has no database that must be spared
    publish._SWEEP_PAUSE_S = 0.0
    bench = Bench("many_projects", "A hundred projects, twenty active, one worker")
    with tempfile.TemporaryDirectory() as folder:
        studio = SharedLabelStudio()
        _found(bench, studio, Path(folder))
        well = _run(bench, studio, Path(folder), "all are well")
        studio.failing = range(ACTIVE + 1, ACTIVE + FAILING + 1)
        studio.slow = range(ACTIVE + FAILING + 1, ACTIVE + FAILING + SLOW + 1)
        _find_out(bench, studio, Path(folder))
        beside = _run(bench, studio, Path(folder), "five fail, two are slow")
    _summarise(bench, "all are well", well)
    _summarise(bench, f"beside {FAILING} that fail and {SLOW} that take half a minute", beside)
    bench.finish()


def _open(studio: SharedLabelStudio, folder: Path) -> Context:
    settings = Settings(
        label_studio_url=studio.url,
        label_studio_api_key=LEGACY_TOKEN,
        backend_url=URL,
        webhook_secret="a-secret-for-webhooks",
        data_dir=folder,
        queue_window=WINDOW,
        _env_file=None,
    )
    remote = partial(LabelStudio, studio.url, LEGACY_TOKEN, transport=studio.transport)
    context = replace(build_context(settings, load_encoder=partial(HashingEncoder, 384)), label_studio=remote)
    # the parts were bound to the context that asks a real one
    context.jobs.bind(run=partial(work.run_pending, context), tick=partial(work.tick, context))
    studio.serve(URL, create_app(context).test_client())
    return context


def _found(bench: Bench, studio: SharedLabelStudio, folder: Path) -> None:
    """All projects, connected: each has its first order."""
    context = _open(studio, folder)
    for number in range(1, PROJECTS + 1):
        tasks = TASKS_ACTIVE if number <= ACTIVE + FAILING + SLOW else TASKS_QUIET
        studio.add_project(texts=write_texts(tasks, seed=number), project_id=number)
        connect(context, number, ConnectOptions(overrides={}), progress=Silent())
        if number in (ACTIVE, PROJECTS):
            bench.raw[f"rss_mib_after_{number}"] = _rss_mib()
            bench.say(f"{number} projects are connected, {_rss_mib():.0f} MiB")
    context.close()


def _find_out(bench: Bench, studio: SharedLabelStudio, folder: Path) -> None:
    """One loop of each project that fails or is slow, all at once."""
    context = _open(studio, folder)
    numbers = [*studio.failing, *studio.slow]
    threads = [threading.Thread(target=_try_loop, args=(context, number)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    context.close()
    bench.say("failing and slow ones had a loop each")


def _try_loop(context: Context, number: int) -> None:
    workspace = open_workspace(context, number)
    with suppress(NextlabelError), lease(workspace):
        run_loop(workspace, reason="bench", progress=Silent())


def _run(bench: Bench, studio: SharedLabelStudio, folder: Path, what: str) -> list[Watched]:
    """People label for a while, and the worker works; the active projects of which none is amiss."""
    bench.say(f"{what}: labelling for {RUN_S:.0f} s")
    context = _open(studio, folder)
    watched = [Watched(number) for number in range(1, ACTIVE + 1)]
    amiss = [Watched(number) for number in (*studio.failing, *studio.slow)]
    studio.over.clear()
    for one in [*amiss, *watched]:
        _label(studio, one)
    people = threading.Thread(target=_label_on, args=(studio, watched, amiss))
    people.start()
    context.jobs.consume(workers=THREADS, stopping=context.stopping)
    people.join()
    parked = [row.label_studio_id for row in context.projects.connected() if row.failures >= 3]
    context.close()
    bench.raw[what] = {
        "waits_s": {one.number: one.waits_s for one in watched},
        "parked": parked,
        "rss_mib": _rss_mib(),
    }
    bench.say(f"{what}: {sum(len(one.waits_s) for one in watched)} new orders, parked: {parked}")
    return watched


def _label_on(studio: SharedLabelStudio, watched: list[Watched], amiss: list[Watched]) -> None:
    """Ten labels more in each project once the last are learned; then the worker is told to end."""
    started = time.monotonic()
    ends_at = started + RUN_S
    for one in [*amiss, *watched]:
        one.since = started
    while time.monotonic() < ends_at:
        for one in [*amiss, *watched]:
            if studio.projects[one.number]["model_version"] != one.version:
                one.waits_s.append(time.monotonic() - one.since)
                _label(studio, one)
        time.sleep(POLL_S)
    for one in watched:  # who waits still
        one.waits_s.append(time.monotonic() - one.since)
    studio.over.set()
    os.kill(os.getpid(), signal.SIGTERM)


def _label(studio: SharedLabelStudio, one: Watched) -> None:
    with studio.lock:
        one.version = studio.projects[one.number]["model_version"]
        waiting = [
            task["id"]
            for task in studio.tasks.values()
            if task["project"] == one.number and not task["is_labeled"]
        ]
    for task_id in waiting[:LABELS]:
        with studio.lock:
            studio.annotate(task_id, topic_of(studio.tasks[task_id]["data"]["text"]))
    one.since = time.monotonic()


def _summarise(bench: Bench, what: str, watched: list[Watched]) -> None:
    waits = [wait for one in watched for wait in one.waits_s]
    turns = [len(one.waits_s) - 1 for one in watched]
    bench.add(
        f"{what}: tenth label → new order, median (95 % within, longest), last waits included",
        f"{median(waits):.1f} s ({percentile(waits, 95):.1f} s, {max(waits):.1f} s)",
    )
    bench.check(
        f"{what}: new orders of an active project in {RUN_S:.0f} s, fewest and most",
        f"{min(turns)} and {max(turns)}",
        target=f"most ≤ {MOST_UNFAIR:g} × fewest",
        reached=max(turns) <= MOST_UNFAIR * max(min(turns), 0.5),
    )


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
