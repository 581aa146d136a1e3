"""Everything a bench needs running: a Label Studio, the backend with its worker, and projects on them."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.texts import Text
from demo.dataset import LABELS
from demo.label_studio_server import LabelStudioServer
from demo.processes import BackendProcesses
from demo.project import LabelingProject, write_label_config
from demo.waiting import wait_for

LABELS_PER_LOOP = 10
LOOP_TIMEOUT_S = 180.0
SWEEP_TIMEOUT_S = 300.0
POLL_INTERVAL_S = 0.05


@dataclass(slots=True)
class Round:
    """Ten annotations and the loop that answered them; seconds count from the tenth answer.

    The queue is served before the loop is done: it measures itself, marks tasks and draws the map afterwards.
    """

    version: str
    queue_served_s: float
    loop_done_s: float
    in_order: bool
    figures: Mapping[str, Any]

    @property
    def own_s(self) -> float:
        """The part until the queue is served that is not Label Studio's: waiting, starting and computing."""
        return self.queue_served_s - float(self.figures["until_published"]["label_studio_seconds"])


@dataclass(slots=True)
class BenchProject:
    """A project, its true answers, and what the backend says of it."""

    project: LabelingProject
    backend: BackendProcesses
    texts: Mapping[int, Text]
    given: int = 0
    _labelled: set[int] = field(default_factory=set)

    @property
    def id(self) -> int:
        """The number of the project in Label Studio."""
        return self.project.id

    def read_status(self, client: httpx.Client) -> dict[str, Any]:
        """What `status --json` prints, over HTTP."""
        answer = client.get(f"{self.backend.url}/projects/{self.id}.json")
        answer.raise_for_status()
        status: dict[str, Any] = answer.json()
        return status

    def submit_next(self) -> float:
        """Answer the task served next; returns the seconds that the submit alone took."""
        task_id = int(self.project.serve_next()["id"])
        started = time.perf_counter()
        self.project.annotate(task_id, self.texts[task_id].label)
        seconds = time.perf_counter() - started
        self._labelled.add(task_id)
        return seconds

    def label_and_wait(self, *, during: Callable[[], object] | None = None) -> Round:
        """Ten annotations, then the wait for a new version; `during` starts with the tenth answer."""
        old = self.project.fetch_version()
        for _ in range(LABELS_PER_LOOP):
            self.submit_next()
        started = time.monotonic()
        if during is not None:
            during()
        version = self._wait_for_version_after(old)
        served = int(self.project.serve_next()["id"])
        queue_served_s = time.monotonic() - started
        loop = self._wait_for_loop(old)
        loop_done_s = time.monotonic() - started
        order = self.project.fetch_published_order(version)
        first = next(task_id for task_id in order if task_id not in self._labelled)
        in_order = version == loop["version"] and served == first
        return Round(version, queue_served_s, loop_done_s, in_order, loop["figures"])

    def wait_for_sweep(self, rounds: int) -> int:
        """Wait for the worker's removal number `rounds` of old predictions; returns how many it removed."""
        line = re.compile(rf"swept project={self.id} predictions=(\d+)")

        def look() -> int | None:
            found = line.findall(self.backend.worker.log_path.read_text(errors="replace"))
            return int(found[rounds - 1]) + 1 if len(found) >= rounds else None

        return wait_for(look, "the old predictions were not removed", timeout_s=SWEEP_TIMEOUT_S) - 1

    def _wait_for_version_after(self, old: str | None) -> str:
        """The version that Label Studio serves once it is another one."""

        def look() -> str | None:
            version = self.project.fetch_version()
            return version if version != old else None

        return str(wait_for(look, "no new version came", timeout_s=LOOP_TIMEOUT_S))

    def _wait_for_loop(self, old: str | None) -> dict[str, Any]:
        deadline = time.monotonic() + LOOP_TIMEOUT_S
        with httpx.Client(trust_env=False, timeout=30.0) as client:
            while time.monotonic() < deadline:
                loop = self.read_status(client)["last_loop"]
                if loop and loop["finished_at"] and loop["outcome"] == "published" and loop["version"] != old:
                    return dict(loop)
                time.sleep(POLL_INTERVAL_S)
        raise TimeoutError(f"no loop within {LOOP_TIMEOUT_S:.0f} s.\n{self.backend.worker.describe_log()}")


@dataclass(slots=True)
class BenchStage:
    """One Label Studio and one backend; every project of a bench lives on them."""

    label_studio: LabelStudioServer
    client: httpx.Client
    backend: BackendProcesses

    def create_project(self, title: str, texts: Sequence[Text]) -> BenchProject:
        """A project with one task per text and the demonstration's labels; not connected yet."""
        project = LabelingProject.create(
            self.client,
            title=title,
            label_config=write_label_config(list(LABELS.values())),
            tasks=[{"text": text.content} for text in texts],
        )
        known = {text.content: text for text in texts}
        by_id = {int(task["id"]): known[task["data"]["text"]] for task in project.fetch_tasks()}
        return BenchProject(project, self.backend, by_id)

    def connect(self, project: BenchProject) -> None:
        """`python -m backend connect`; raises RuntimeError with its words when it fails."""
        done = self.backend.command_line("connect", str(project.id), timeout_s=1800.0)
        if done.returncode != 0:
            raise RuntimeError(f"connect ended with {done.returncode}: {done.stdout}{done.stderr}")


@contextmanager
def open_stage() -> Iterator[BenchStage]:
    """Start everything; whatever happens, everything is stopped on the way out."""
    with (
        tempfile.TemporaryDirectory(prefix="nextlabel-bench-") as folder,
        LabelStudioServer(Path(folder) / "label-studio") as server,
        server.connect() as client,
        BackendProcesses(
            Path(folder) / "backend", label_studio_url=server.url, api_key=server.token
        ) as backend,
    ):
        yield BenchStage(server, client, backend)
