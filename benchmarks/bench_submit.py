"""What a submit costs an annotator with our backend connected, beside an equal project without a backend."""

from __future__ import annotations

from benchmarks.figures import Bench, median, percentile
from benchmarks.stage import open_stage
from benchmarks.texts import load_short_texts

TASKS = 600
PAIRS = 80
WARM_UP = 3
LIMIT = 1.2


def main() -> None:
    """Run the bench."""
    bench = Bench("submit", "What a submit costs with the backend connected")
    bench.say("starting Label Studio and the backend")
    ours: list[float] = []
    none: list[float] = []
    with open_stage() as stage:
        texts = load_short_texts(TASKS)
        bench.say(f"two projects of {TASKS} tasks, one of them connected")
        with_backend = stage.create_project("With backend", texts)
        without = stage.create_project("Without backend", texts)
        stage.connect(with_backend)
        for number in range(-WARM_UP, PAIRS):
            # ABBA, so that neither always follows the other; loops run in between, as in real life.
            pair = [(with_backend, ours), (without, none)]
            for project, seconds in pair if number % 2 else reversed(pair):
                taken = project.submit_next()
                if number >= 0:
                    seconds.append(taken)
            if number >= 0 and (number + 1) % 20 == 0:
                bench.say(f"{number + 1} of {PAIRS} pairs")
    bench.raw = {"with_backend_s": ours, "without_s": none}
    ratios = [a / b for a, b in zip(ours, none, strict=True)]
    bench.add("submit without a backend, median and 90th percentile", _milliseconds(none))
    bench.add("submit with ours connected (its loops run meanwhile)", _milliseconds(ours))
    bench.at_most(
        f"ratio of the medians, {PAIRS} interleaved pairs", median(ours) / median(none), limit=LIMIT, unit="×"
    )
    bench.at_most("median of the pairs' ratios", median(ratios), limit=LIMIT, unit="×")
    bench.finish()


def _milliseconds(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.0f} ms, {percentile(seconds, 90) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
