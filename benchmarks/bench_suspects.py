"""Whether wrong labels are found: python -m benchmarks.bench_suspects [FOLDER] [--cleanlab PYTHON]."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import Bench
from benchmarks.noisy_labels import NOISE, measure_noisy
from benchmarks.signal_runs import load_sets

SIZES = (500, 2000)
FIGURES = (("AUROC", 0.995, ".4f"), ("precision at the true count", 0.94, ".3f"), ("F1", 0.85, ".3f"))
SHOWN = {
    "ours": "ours",
    "clean_head": "a head that learned other texts, none wrong",
    "self_confidence": "cleanlab",
    "normalized_margin": "cleanlab's margin",
}

BySet = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cleanlab", type=Path, help="a Python that has cleanlab, to compare with it")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = load_sets(options.folder)
    if not sets:
        print(f"suspects: no set in {options.folder}, left out")
        return
    bench = Bench("suspects", "Wrong labels found, on public sets with one label in ten made wrong")
    for size in SIZES:
        found: BySet = {texts.name: [] for texts in sets}
        for seed in range(options.seeds):
            for texts in sets:
                found[texts.name].append(
                    measure_noisy(texts, size=size, seed=seed, cleanlab=options.cleanlab)
                )
            bench.say(f"{size} labels, seed {seed + 1} of {options.seeds} on each of {len(sets)} sets")
        bench.raw[str(size)] = found
        _report(bench, size, found)
    bench.finish()


def _report(bench: Bench, size: int, by_set: BySet) -> None:
    everyone = [one for found in by_set.values() for one in found]
    for number, (what, goal, digits) in enumerate(FIGURES):
        methods = [key for key in SHOWN if all(len(one.get(key, ())) > number for one in everyone)]
        label = f"{size} labels, {100 * NOISE:g} % wrong: {what}"
        means = {key: _means(by_set, key, number) for key in methods}
        for key, values in means.items():
            mean = float(np.mean(list(values.values())))
            shown = ", ".join(f"{name} {value:{digits}}" for name, value in values.items())
            text = f"{mean:{digits}} ({shown})"
            if key == "ours":
                bench.check(f"{label}, ours", text, target=f"≥ {goal:g}", reached=mean >= goal)
            else:
                bench.add(f"{label}, {SHOWN[key]}", text)
        if "self_confidence" in means:
            _compare(bench, label, means["ours"], means["self_confidence"])


def _means(by_set: BySet, method: str, number: int) -> dict[str, float]:
    """A figure of a method on each set, mean over seeds."""
    return {name: float(np.mean([one[method][number] for one in found])) for name, found in by_set.items()}


def _compare(bench: Bench, label: str, ours: dict[str, float], cleanlab: dict[str, float]) -> None:
    better = [name for name, value in ours.items() if value >= cleanlab[name]]
    text, reached = f"{len(better)} of {len(ours)} sets", len(better) == len(ours)
    bench.check(f"{label}, at least cleanlab's", text, target="every set", reached=reached)


if __name__ == "__main__":
    main()
