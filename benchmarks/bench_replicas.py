"""How soon another machine goes on with the loop of a frozen one, and serves what one publishes.

Two web processes and two workers on PostgreSQL, which holds the jobs too, and an S3 server; Label Studio is
the one in memory, over HTTP. Needs `make servers`; seven minutes on a busy machine.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.figures import Bench, median
from benchmarks.fleet_stage import besieged
from demo.waiting import wait_for
from tests.siege import LABELS, Fleet

PUBLICATIONS, TAKEOVERS = 10, 4
POLL_S = 0.005
WAIT_S = 120.0


def main() -> None:
    """Run the bench."""
    bench = Bench("replicas", "Two machines")
    with TemporaryDirectory() as folder, besieged(Path(folder), 600, seed=0, redis=False) as siege:
        fleet = siege.fleet
        served = [_served_after(fleet) for _ in range(PUBLICATIONS)]
        bench.say(f"served after {served}")
        frozen = [_taken_over_after(fleet) for _ in range(TAKEOVERS)]
        bench.say(f"taken over after {frozen}")
    bench.raw = {"served_s": served, "taken_over_s": frozen}
    slowest = max(served)
    bench.at_most(
        f"version published → all answer with it, {PUBLICATIONS} times, longest", slowest, limit=1, unit="s"
    )
    bench.add("its median", f"{median(served):.2f} s")
    bench.at_most(
        f"worker frozen in its loop → another has it, {TAKEOVERS} times, longest",
        max(frozen),
        limit=30,
        unit="s",
    )
    bench.add("its median ", f"{median(frozen):.1f} s")
    bench.finish()


def _served_after(fleet: Fleet) -> float:
    """Seconds from the row that switches the version until each web process has predicted with it."""
    _calm(fleet)
    before = fleet.version()
    fleet.label(LABELS)
    while (version := fleet.version()) == before:
        time.sleep(POLL_S)
    began = time.monotonic()
    message = _message(fleet)
    for host in fleet.hosts:
        answer = httpx.post(f"{host.url}/predict", json=message, timeout=30.0, trust_env=False)
        if answer.json()["results"][0]["model_version"] != version:
            raise RuntimeError(f"{host.name} answers with another version")
    return time.monotonic() - began


def _message(fleet: Fleet) -> dict[str, Any]:
    with fleet.inside.people():
        waiting = (number for number, task in fleet.inside.tasks.items() if not task["annotations"])
        project = fleet.inside.projects[fleet.project]
        return {
            "tasks": [fleet.inside._simple_task(next(waiting))],
            "project": fleet.inside._reference(project),
            "label_config": project["label_config"],
        }


def _taken_over_after(fleet: Fleet) -> float:
    """Seconds from the instant at which a worker stands still, about to publish, until another goes on."""
    _calm(fleet)
    frozen: list[Any] = []

    def freeze_once(request: httpx.Request) -> None:
        if request.url.path.endswith("/import/predictions") and not frozen:
            frozen.append(fleet.holder())
            frozen[0].worker.freeze()

    before = fleet.version()
    fleet.inside.before_answering.append(freeze_once)
    fleet.label(LABELS)
    wait_for(lambda: bool(frozen), "a worker publishes", timeout_s=WAIT_S)
    began = time.monotonic()
    (host,) = frozen
    wait_for(
        lambda: fleet.holder() not in (host, None) or fleet.version() != before, "another", timeout_s=WAIT_S
    )
    took = time.monotonic() - began
    fleet.inside.before_answering.remove(freeze_once)
    host.worker.thaw()
    return took


def _calm(fleet: Fleet) -> None:
    wait_for(lambda: not fleet.fault(), "all is done", timeout_s=WAIT_S)


if __name__ == "__main__":
    main()
