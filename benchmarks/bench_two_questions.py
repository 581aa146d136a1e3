"""Two questions in one project: labels until both are learned, beside random and the first question's order.

python -m benchmarks.bench_two_questions [FOLDER] [--clinc150 FILE] [--goemotions FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.two_questions_runs import FIRST, MOST, ORDERS, OURS, RANDOM, SHARE, full_scores, labels_needed
from benchmarks.two_questions_sets import TwoQuestions, load_two_questions


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/several"))
    parser.add_argument("--clinc150", type=Path, help="its texts as JSON lines")
    parser.add_argument("--goemotions", type=Path, help="its texts as JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path(".cache/several/two.jsonl"), help="runs are kept")
    options = parser.parse_args()
    sets = list(load_two_questions(options.folder, clinc150=options.clinc150, goemotions=options.goemotions))
    if not sets:
        print("two questions: no set is there, left out")
        return
    bench, kept = Bench("two_questions", "Two questions in one project"), JsonLines(options.runs)
    for seed in range(options.seeds):
        for texts in sets:
            _run(bench, kept, texts, seed)
    _report(bench, kept, [texts.name for texts in sets], options.seeds)
    bench.finish()


def _run(bench: Bench, kept: JsonLines, texts: TwoQuestions, seed: int) -> None:
    """Every order of one set and seed that was not measured before."""
    missing = [order for order in ORDERS if not _needed(kept, texts.name, order, [seed])]
    if not missing:
        return
    full = full_scores(texts, seed=seed)
    for order in missing:
        needed, curve = labels_needed(texts, order, seed=seed, goals=[SHARE * score for score in full])
        rounded = [[round(score, 3) for score in scores] for scores in curve]
        row = {"set": texts.name, "seed": seed, "order": order, "needed": needed, "full": full}
        kept.append(row | {"curve": rounded})
        bench.say(f"{texts.name}, seed {seed}, {order}: {needed} labels")


def _needed(kept: JsonLines, name: str, order: str, seeds: list[int]) -> list[int]:
    return [
        int(row["needed"])
        for row in kept.rows
        if row["set"] == name and row["order"] == order and row["seed"] in seeds
    ]


def _report(bench: Bench, kept: JsonLines, names: list[str], seeds: int) -> None:
    ratios: dict[str, list[float]] = {RANDOM: [], FIRST: []}
    for name in names:
        needed = {order: _needed(kept, name, order, list(range(seeds))) for order in ORDERS}
        bench.raw[name] = needed
        for order, values in needed.items():
            never = sum(value >= MOST for value in values)
            shown = f"{np.mean(values):.0f} ({min(values)} to {max(values)})"
            shown += f", never within {MOST} in {never} of {len(values)}" if never else ""
            bench.add(f"{name}: labels until both reach {100 * SHARE:g} %, {order}", shown)
        for other, found in ratios.items():
            found.append(float(np.exp(np.mean(np.log(np.array(needed[OURS]) / np.array(needed[other]))))))
            bench.add(f"{name}: ours / {other}", f"{found[-1]:.2f}")
    for other, limit in ((RANDOM, 0.65), (FIRST, 0.9)):
        mean = float(np.exp(np.mean(np.log(ratios[other]))))
        bench.at_most(f"labels by ours / by {other}, geometric mean of the sets", mean, limit=limit, unit="")


if __name__ == "__main__":
    main()
