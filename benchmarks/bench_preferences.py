"""Which of two texts is better: accuracy by labels, and labels needed by the order.

python -m benchmarks.bench_preferences [FOLDER] [--seeds N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.preference_runs import (
    MOST,
    ORDERS,
    OURS,
    RANDOM,
    SHARE,
    beliefs_of_test,
    labels_needed,
    plain_accuracy,
    test_accuracy,
    train_rows,
)
from benchmarks.preference_sets import PairSet, load_pairs

SIZES = (50, 100, 200, 500)
DRAWS = 5  # samples of each size and seed: one alone says little


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/preferences"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    sets = load_pairs(options.folder)
    if not sets:
        print("preferences: no set is there, left out")
        return
    bench = Bench("preferences", "Which of two texts is better: accuracy, and labels needed")
    kept = JsonLines(options.folder / "runs.jsonl")
    for pairs in sets:
        _report_accuracy(bench, pairs, options.seeds)
    for pairs in sets:
        _report_needed(bench, kept, pairs, options.seeds)
    bench.finish()


def _report_accuracy(bench: Bench, pairs: PairSet, seeds: int) -> None:
    ties = 1.0 - pairs.targets[pairs.test].any(axis=1).mean()
    bench.add(f"{pairs.name}: share of ties", f"{ties:.3f}")
    for size in SIZES:
        found = np.array([_measure(pairs, size, seed) for seed in range(seeds * DRAWS)])
        bench.raw[f"{pairs.name}, {size} labels"] = found.round(4).tolist()
        ours, plain, right, confidence = found.mean(axis=0)
        apart = found[:, 0] - found[:, 1]
        half = 1.96 * apart.std(ddof=1) / np.sqrt(len(apart))
        shown = f"{ours:.3f}, scikit-learn's {plain:.3f}, difference {apart.mean():+.3f} ± {half:.3f}"
        what = f"{pairs.name}: accuracy after {size} random labels, without ties"
        bench.check(what, shown, target="not below its range", reached=bool(apart.mean() + half >= 0))
        what = f"{pairs.name}: confidence after {size} labels beside the share that is right, ties among them"
        bench.add(what, f"{confidence:.3f} beside {right:.3f}")
    bench.say(f"{pairs.name}: accuracy measured")


def _measure(pairs: PairSet, size: int, seed: int) -> tuple[float, float, float, float]:
    rows = np.random.default_rng([3, seed]).permutation(pairs.pool)[:size]
    trained = train_rows(pairs, rows, seed=seed)
    believed = beliefs_of_test(trained, pairs)
    right = float((believed.answers == pairs.targets[pairs.test]).all(axis=1).mean())
    confidence = float(believed.confidence.mean())
    return test_accuracy(trained, pairs), plain_accuracy(pairs, rows), right, confidence


def _report_needed(bench: Bench, kept: JsonLines, pairs: PairSet, seeds: int) -> None:
    goal = SHARE * test_accuracy(train_rows(pairs, pairs.pool, seed=0), pairs)
    needed = {order: [_needed(bench, kept, pairs, order, s, goal) for s in range(seeds)] for order in ORDERS}
    bench.raw[f"labels needed, {pairs.name}"] = needed
    for order, values in needed.items():
        ratio = float(np.exp(np.mean(np.log(np.array(values) / np.array(needed[RANDOM])))))
        what = f"{pairs.name}: labels to {100 * SHARE:g} % of the full accuracy ({goal:.3f}), {order}"
        never = sum(value >= MOST for value in values)
        shown = f"{np.mean(values):.0f} ({min(values)} to {max(values)}), {ratio:.2f} × random"
        shown += f", never within {MOST} in {never} of {len(values)}" if never else ""
        if order == OURS:
            bench.check(what, shown, target="≤ 1 × random", reached=ratio <= 1.0)
        else:
            bench.add(what, shown)


def _needed(bench: Bench, kept: JsonLines, pairs: PairSet, order: str, seed: int, goal: float) -> int:
    """Measured once for each set, order and seed."""
    for row in kept.rows:
        if (row["set"], row["order"], row["seed"]) == (pairs.name, order, seed):
            return int(row["needed"])
    needed, curve = labels_needed(pairs, order, seed=seed, goal=goal)
    rounded = [round(value, 3) for value in curve]
    kept.append({"set": pairs.name, "order": order, "seed": seed, "needed": needed, "curve": rounded})
    bench.say(f"{pairs.name}, seed {seed}, {order}: {needed} labels")
    return needed


if __name__ == "__main__":
    main()
