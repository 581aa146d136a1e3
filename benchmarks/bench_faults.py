"""Processes and servers of two machines are killed and frozen at random instants of full loops.

`python -m benchmarks.bench_faults [FAULTS] [--redis] [--seed N] [--more]`: two web processes and two workers
on PostgreSQL, an S3 server and, with `--redis`, Redis; Label Studio is the one in memory, over HTTP. `--more`
adds to the faults of the runs before. Needs `make servers`; ten seconds a fault.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import RESULTS, Bench, median, percentile
from benchmarks.fleet_stage import besieged
from tests.siege import LABELS


def main() -> None:
    """Run the bench."""
    options = _options()
    name = "faults_redis" if options.redis else "faults"
    bench = Bench(name, f"Faults at random instants, jobs in {'Redis' if options.redis else 'PostgreSQL'}")
    # a calm loop before each ten faults measures its length
    texts = 2 * LABELS * options.faults + 200
    with (
        TemporaryDirectory() as folder,
        besieged(Path(folder), texts, seed=options.seed, redis=options.redis) as siege,
    ):
        with siege.watching():
            for number in range(options.faults):
                seen = siege.break_something()
                bench.say(f"{number + 1}: {seen}")
        torn = siege.fleet.torn_versions()
    runs = _earlier(name) if options.more else []
    about = {"seed": options.seed, "torn": torn, "rounds": siege.seen.rounds}
    bench.raw = {"runs": [*runs, about | {"looks": siege.seen.looks, "empty": siege.seen.empty_looks}]}
    _say(bench, bench.raw["runs"])
    bench.finish()


def _say(bench: Bench, runs: list[dict[str, Any]]) -> None:
    rounds = [one for run in runs for one in run["rounds"]]
    looks, empty = (sum(run[name] for run in runs) for name in ("looks", "empty"))
    targets = Counter(f"{one['how']} {one['what'].split()[0]}" for one in rounds)
    bench.add("faults", f"{len(rounds)}: " + ", ".join(f"{count} {what}" for what, count in targets.items()))
    _none(bench, "labels lost", sum(one["lost_labels"] for one in rounds))
    _none(bench, "torn versions", sum(len(run["torn"]) for run in runs))
    _none(bench, f"looks at an empty queue, of {looks}", empty)
    _none(bench, "not converged without a hand", sum(one["converged_s"] is None for one in rounds))
    for how in ("kill", "freeze"):
        took = [one["converged_s"] for one in rounds if one["how"] == how and one["converged_s"] is not None]
        if took:
            value = f"{median(took):.1f} s, {percentile(took, 95):.1f} s, {max(took):.1f} s"
            bench.add(f"from the end of a {how} until all is well: median, 95th percentile, longest", value)


def _none(bench: Bench, what: str, count: int) -> None:
    bench.check(what, str(count), target="0", reached=count == 0)


def _earlier(name: str) -> list[dict[str, Any]]:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["raw"]["runs"]
    return runs


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", type=int, nargs="?", default=200)
    parser.add_argument("--redis", action="store_true", help="jobs in Redis, which is killed and frozen too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--more", action="store_true", help="add to the runs before")
    return parser.parse_args()


if __name__ == "__main__":
    main()
