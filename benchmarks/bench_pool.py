"""What a loop costs by itself at 10,000, 100,000 and 1,000,000 tasks: its seconds, its memory, its writes.

Label Studio's part is faked at no cost, texts and vectors are made up; head, order, version and findings are
those of every loop. Each size runs in a process of its own, whose memory beyond mapped files is watched.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Bench, median

LABELS_PER_LOOP = 10
AT_FIRST = 60
ROUNDS = 3
# Seconds until the new order is served, and GiB of memory, by size.
LIMITS = {10_000: (3.0, 0.7), 100_000: (5.0, 1.2), 1_000_000: (15.0, 3.0)}
_DEBOUNCE_S = 0.5
_PROCESSOR = ("served_processor_s", "processor_s")
_LOOK_EVERY_S = 0.02


def main() -> None:
    """Run the bench, or one size of it in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of tasks")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="loops of each size")
    parser.add_argument("--one", type=int, help="measure one size and print JSON")
    parser.add_argument("--profile", type=Path, help="with --one: where the last loop's profile goes")
    asked = parser.parse_args()
    if asked.one:
        sys.stdout.write(json.dumps(measure(asked.one, rounds=asked.rounds, profile=asked.profile)) + "\n")
        return
    bench = Bench("pool", "A loop by itself, by the size of the pool")
    for size in map(int, asked.sizes.split(",")):
        bench.say(f"{size:,} tasks")
        command = [sys.executable, "-m", "benchmarks.bench_pool", "--one", str(size)]
        command += ["--rounds", str(asked.rounds)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        bench.raw[str(size)] = json.loads(done.stdout.splitlines()[-1])
    _summarise(bench)
    bench.finish()


def measure(size: int, *, rounds: int = ROUNDS, profile: Path | None = None) -> dict[str, Any]:
    """Rounds of ten labels and a loop on a pool of a size; all that was measured."""
    from backend.parts import build_context
    from backend.settings import Settings
    from benchmarks.pool_site import PoolSite, add_pool

    with tempfile.TemporaryDirectory(prefix="nextlabel-pool-") as folder:
        settings = Settings(
            label_studio_url="http://127.0.0.1:1",
            label_studio_api_key="none",
            data_dir=Path(folder, "data"),
            torch_threads=1,
        )
        site = PoolSite(size)
        context = build_context(settings)
        object.__setattr__(context, "label_studio", lambda: site)
        started = time.monotonic()
        workspace = add_pool(context, site)
        filled_s = time.monotonic() - started
        with MemoryWatch() as memory:
            site.answer(range(1, AT_FIRST + 1))
            _settle(workspace, site)
            measured = [_round(workspace, site, None) for _ in range(rounds - 1)]
            measured.append(_round(workspace, site, profile))
        context.close()
    return {"filled_s": filled_s, "peak_gib": memory.peak / 2**30, "rounds": measured}


def _settle(workspace: Any, site: Any) -> None:
    """The first loop, which takes in all that was never looked at: not measured."""
    from backend.label_studio.queue_settings import read_queue_settings
    from backend.workflows.intake.question import settle_question
    from backend.workflows.intake.sync import reading_digest

    details = site.project(1)
    config = settle_question(site, 1, details["label_config"], workspace.preference)
    workspace.change(
        reading=reading_digest(workspace, details["label_config"], config),
        queue_settings=read_queue_settings(details),
        synced_until="2026-01-01T00:00:00.000000Z",
        read_whole_at=time.time(),
        question=config.from_name,
    )
    _run(workspace, None)


def _round(workspace: Any, site: Any, profile: Path | None) -> dict[str, Any]:
    from backend.workflows.intake.published import window_left

    workspace.refresh()
    site.answer(window_left(workspace)[:LABELS_PER_LOOP])
    site.writes = 0
    started, used = time.monotonic(), time.process_time()
    report = _run(workspace, profile)
    return {
        "outcome": report.outcome,
        "served_s": site.served_at - started,
        "served_processor_s": site.served_processor_s - used,
        "done_s": time.monotonic() - started,
        "processor_s": time.process_time() - used,
        "stages_s": report.seconds,
        "writes": site.writes,
        "representation": report.record.representation,
        "failed": report.record.failed,
    }


def _run(workspace: Any, profile: Path | None) -> Any:
    import cProfile

    from backend.workflows.loop import run_loop
    from backend.workflows.project.lease import lease
    from backend.workflows.project.progress import Silent

    watch = cProfile.Profile(time.process_time)  # others may use the machine too
    with lease(workspace):
        if profile is not None:
            watch.enable()
        report = run_loop(workspace, reason="bench", progress=Silent())
        watch.disable()
    if profile is not None:
        watch.dump_stats(profile)
    return report


class MemoryWatch:
    """Memory of this process beyond mapped files while it is entered: `peak` in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            mine = [line for line in status.splitlines() if line.startswith("RssAnon:")]
            self.peak = max(self.peak, 1024 * int(mine[0].split()[1]))

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


def _summarise(bench: Bench) -> None:
    for size, raw in ((int(size), raw) for size, raw in bench.raw.items()):
        rounds, (seconds, gib) = raw["rounds"], LIMITS[size]
        served = [one["served_s"] + _DEBOUNCE_S for one in rounds]
        done = [one["done_s"] + _DEBOUNCE_S for one in rounds]
        name = f"{size:,} tasks"
        bench.at_most(
            f"{name}: tenth label → new order served, our part, debounce included, median of {len(rounds)}",
            median(served),
            limit=seconds,
            unit="s",
            note=f" (max {max(served):.1f})",
        )
        bench.at_most(f"{name}: the loop is done", median(done), limit=3 * seconds, unit="s")
        bench.at_most(f"{name}: peak memory beyond mapped files", raw["peak_gib"], limit=gib, unit="GiB")
        names = dict.fromkeys(stage for one in rounds for stage in one["stages_s"])
        stages = (
            f"{stage} {median([one['stages_s'].get(stage, 0.0) for one in rounds]):.2f}" for stage in names
        )
        bench.add(f"{name}: stages, seconds", ", ".join(stages))
        processor = [f"{median([one[part] for one in rounds]):.1f}" for part in _PROCESSOR]
        bench.add(f"{name}: processor seconds until served, until done", " and ".join(processor))
        bench.add(f"{name}: requests that write", " ".join(str(one["writes"]) for one in rounds))


if __name__ == "__main__":
    main()
