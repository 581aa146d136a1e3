"""What a head should look at, set by set: python -m benchmarks.bench_representation [FOLDER] [--seeds N]."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.figures import Bench
from model.records import REPRESENTATIONS
from model.simulation.report import paired_difference

SETS = {
    "spamassassin": [],
    "reviews": [],
    "20news": [],
    "r8": [],
    "clinc150": ["--label-field", "domain"],
    "r52": [],
    "banking77": [],
}
BUDGETS = (50, 100, 200, 500)
AUTO = "auto"
ORDERS = ("default", "random")


def main() -> None:
    """Label each set that is there with every representation, and with the one that the labels choose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", default=",".join(SETS))
    options = parser.parse_args()
    shown = " / ".join(map(str, BUDGETS))
    bench = Bench(
        "representation", f"Accuracy on held-out texts with {shown} labels, by what the head looks at"
    )
    for name in options.sets.split(","):
        path = options.folder / f"{name}.jsonl"
        if not path.is_file():
            bench.say(f"{name}: not in {options.folder}, left out")
            continue
        bench.raw[name] = {}
        for representation in (AUTO, *REPRESENTATIONS):
            bench.raw[name][representation] = _simulate(path, representation, options.seeds, SETS[name])
            bench.say(f"{name}, {representation}")
        _summarise(bench, name)
    bench.finish()


def _simulate(path: Path, representation: str, seeds: int, extra: list[str]) -> Any:
    command = [sys.executable, "-m", "backend", "simulate", "labels", str(path), "--json", *extra]
    command += [
        "--strategies",
        "",
        "--batch",
        "50",
        "--seeds",
        str(seeds),
        "--representation",
        representation,
    ]
    command += ["--budgets", ",".join(map(str, BUDGETS))]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout)["strategies"]


def _summarise(bench: Bench, name: str) -> None:
    """Accuracy at each budget, and what the choice gains over the encoder, seed by seed."""
    for order in ORDERS:
        results = {shown: by_order[order] for shown, by_order in bench.raw[name].items()}
        for shown, result in results.items():
            bench.add(f"{name}, {order} order, {shown}", _join(result["accuracy"]))
        gains = [
            [ours - theirs for ours, theirs in zip(*pair, strict=True)]
            for pair in zip(results[AUTO]["accuracy"], results["encoder"]["accuracy"], strict=True)
        ]
        by_seed = [fmean(values) for values in zip(*gains, strict=True)]
        gain = paired_difference(by_seed, [0.0] * len(by_seed))
        chosen = Counter(results[AUTO]["representation"]).most_common()
        bench.check(
            f"{name}, {order} order: chosen − encoder, mean over budgets",
            f"{gain.mean:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
            f"; at {BUDGETS[-1]} labels {', '.join(f'{word} {count}' for word, count in chosen)}",
            target="interval not below 0",
            reached=gain.high >= 0.0,
        )


def _join(accuracy: list[list[float]]) -> str:
    return " / ".join(f"{fmean(values):.3f}" for values in accuracy)


if __name__ == "__main__":
    main()
