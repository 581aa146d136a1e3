"""How long from the tenth new annotation to the reordered queue, and how much a loop writes."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Bench, median
from benchmarks.stage import LABELS_PER_LOOP, BenchStage, Round, open_stage
from benchmarks.texts import load_short_texts

SIZES = (1_000, 10_000)
ROUNDS = 7
QUEUE_LIMIT_S = 10.0
OWN_LIMIT_S = 3.0
MOST_WRITES = 19


def main() -> None:
    """Run the bench."""
    bench = Bench("loop", "From the tenth annotation to the reordered queue")
    bench.say("starting Label Studio and the backend")
    with open_stage() as stage:
        for size in SIZES:
            bench.raw[str(size)] = _measure(bench, stage, size)
    _summarise(bench)
    bench.finish()


def _measure(bench: Bench, stage: BenchStage, size: int) -> dict[str, Any]:
    bench.say(f"{size} tasks: importing, connecting, encoding")
    project = stage.create_project(f"Bench {size}", load_short_texts(size))
    stage.connect(project)
    rounds: list[Round] = []
    swept: list[int] = []
    for number in range(1, ROUNDS + 1):
        done = project.label_and_wait()
        shares = f"{done.queue_served_s:.1f} s, {done.own_s:.1f} s of it ours"
        bench.say(f"{size} tasks, loop {number} of {ROUNDS}: {done.version} after {shares}")
        rounds.append(done)
        # A person needs minutes for ten answers: by then the old predictions are gone. The version before
        # stays for whoever goes back to it, so that the first loop leaves nothing to remove.
        if number > 1:
            swept.append(project.wait_for_sweep(number - 1))
    return {
        "queue_served_s": [done.queue_served_s for done in rounds],
        "own_s": [done.own_s for done in rounds],
        "loop_done_s": [done.loop_done_s for done in rounds],
        "label_studio_s": [done.figures["label_studio_seconds"] for done in rounds],
        "stages_s": [done.figures["seconds"] for done in rounds],
        "writes": [done.figures["writes"] for done in rounds],
        "writes_until_published": [done.figures["until_published"]["writes"] for done in rounds],
        "tasks_read": [done.figures["tasks_read"] for done in rounds],
        "swept": swept,
        "in_order": [done.in_order for done in rounds],
    }


def _summarise(bench: Bench) -> None:
    for size in SIZES:
        raw = bench.raw[str(size)]
        label = f"{size:,} tasks"
        total, own = raw["queue_served_s"], raw["own_s"]
        bench.at_most(
            f"{label}: {LABELS_PER_LOOP}th annotation → reordered queue served, median of {ROUNDS}",
            median(total),
            limit=QUEUE_LIMIT_S,
            unit="s",
            note=f" (max {max(total):.1f})",
        )
        bench.at_most(
            f"{label}: our own part, debounce included",
            median(own),
            limit=OWN_LIMIT_S,
            unit="s",
            note=f" (max {max(own):.1f})",
        )
        after = raw["loop_done_s"]
        bench.add(
            f"{label}: the loop is done, which measures itself and marks tasks after publishing",
            f"{median(after):.2f} s (max {max(after):.1f})",
        )
        stages: dict[str, list[float]] = {}
        for seconds in raw["stages_s"]:
            for name, value in seconds.items():
                stages.setdefault(name, []).append(value)
        shown = ", ".join(f"{name} {median(values):.2f}" for name, values in stages.items())
        bench.add(f"{label}: stages, seconds, Label Studio's answers included", shown)
        bench.check(
            f"{label}: next serves the new window's first",
            f"{sum(raw['in_order'])} of {ROUNDS}",
            target="all",
            reached=all(raw["in_order"]),
        )
    most = max(count for size in SIZES for count in bench.raw[str(size)]["writes_until_published"])
    bench.check(
        "requests that publish a window, lines included, at most",
        str(most),
        target=f"{MOST_WRITES}",
        reached=most <= MOST_WRITES,
    )
    _check_equal(bench, "requests that write, per loop", "writes")
    _check_equal(bench, "old predictions removed afterwards, per loop", "swept", first=2)


def _check_equal(bench: Bench, what: str, key: str, *, first: int = 0) -> None:
    """A count that must not grow with the project, from round `first` on."""
    small, large = (bench.raw[str(size)][key][first:] for size in SIZES)
    sizes = " and ".join(f"{size:,}" for size in SIZES)
    bench.check(
        f"{what}: {sizes} tasks",
        f"{median(small):.0f} and {median(large):.0f}",
        target="equal",
        reached=max(large) <= max(small),
    )


if __name__ == "__main__":
    main()
