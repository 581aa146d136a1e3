"""What an admin's priority costs in labels: python -m benchmarks.bench_priority [FOLDER] [--seeds N].

FOLDER holds sets as data_sets writes them. A field that says nothing about the texts is given to tasks at
random. Seeds are paired: the same pool, test items and audit, once without and once with each wish.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.exercises import SETS, read_set
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from model.audit import DEFAULT_SHARE
from model.priority import Priority, Quota
from model.records import Ids
from model.simulation.report import labels_needed
from model.simulation.run import AUTO, Exercise, Plan, full_accuracy, simulate

SET, POOL, BATCH, BUDGET = "banking77", 2000, 25, 275
ENOUGH = 0.90  # of what the whole pool gives
FIELD_SHARE, QUOTA, MULTIPLIER = 0.1, 1 / 3, 2.0
NOTHING, BY_QUOTA, BY_MULTIPLIER = "nothing", "quota", "multiplier"
WISHES = {
    NOTHING: "our order",
    BY_QUOTA: f"a third of the places for a random {FIELD_SHARE:.0%} of the tasks",
    BY_MULTIPLIER: f"scores times {MULTIPLIER:g} for a random half of the tasks",
}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".cache/encoded"), help="where vectors are kept")
    parser.add_argument("--runs", type=Path, help="a file that keeps every run; it goes on from there")
    options = parser.parse_args()
    bench = Bench("priority", f"Labels to {ENOUGH:.0%} of what the whole pool gives, with an admin's wishes")
    kept = JsonLines(options.runs or options.cache / "priority.jsonl")
    done = {(row["wish"], row["seed"]) for row in kept.rows}
    encoded = read_set(SETS[SET], options.folder, options.cache)
    if encoded is None:
        raise SystemExit(f"{options.folder / SET}.jsonl is not there: see benchmarks/README.md")
    for seed in range(options.seeds):
        exercise = encoded.draw(seed, pool_size=POOL)
        left = [wish for wish in WISHES if (wish, seed) not in done]
        target = ENOUGH * full_accuracy(exercise, seed=seed) if left else 0.0
        for wish in left:
            kept.append({"wish": wish, "seed": seed} | _run(exercise, wish, seed, target))
            bench.say(f"seed {seed}: {wish}")
    rows = [row for row in kept.rows if row["seed"] < options.seeds]
    bench.raw = {"seeds": options.seeds, "runs": rows}
    _summarise(bench, rows)
    bench.finish()


def wish_of(ids: Ids, wish: str, seed: int) -> Priority | None:
    """What an admin asks for, by a field that says nothing about the items `ids` (n,)."""
    drawn = np.random.default_rng(seed).permutation(ids)
    if wish == BY_QUOTA:
        return Priority(quotas=(Quota("field", QUOTA, drawn[: round(FIELD_SHARE * len(ids))]),))
    if wish == BY_MULTIPLIER:
        half = drawn[: len(ids) // 2]
        return Priority(half, np.full(len(half), MULTIPLIER))
    return None


def _run(exercise: Exercise, wish: str, seed: int, target: float) -> dict[str, Any]:
    wanted = replace(exercise, priority=wish_of(exercise.pool.ids, wish, seed))
    curve = simulate(wanted, Plan(AUTO, BATCH, BUDGET, DEFAULT_SHARE, seed))
    return {
        "labels": labels_needed(curve, target),
        "target": target,
        "counts": curve.labels,
        "accuracy": curve.accuracy,
    }


def _summarise(bench: Bench, rows: list[dict[str, Any]]) -> None:
    found = {(row["wish"], row["seed"]): row["labels"] for row in rows}
    for wish, words in WISHES.items():
        needed = {seed: labels for (name, seed), labels in found.items() if name == wish}
        reached = [labels for labels in needed.values() if labels is not None]
        if len(reached) < len(needed):
            value = f"more than {BUDGET} in {len(needed) - len(reached)} of {len(needed)} seeds"
        else:
            value = f"{fmean(reached):.0f} ({min(reached):.0f} to {max(reached):.0f})"
        bench.add(f"{SET}, {words}: labels", value)
        plain = {seed: found[NOTHING, seed] for seed in needed}
        if wish != NOTHING and None not in (*needed.values(), *plain.values()):
            more = [needed[seed] / plain[seed] - 1 for seed in needed]
            bench.add(
                f"{SET}, {words}: more labels than our order",
                f"{fmean(more):+.1%} ({min(more):+.1%} to {max(more):+.1%})",
            )


if __name__ == "__main__":
    main()
