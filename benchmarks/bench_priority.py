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

from benchmarks.bench_unseen_classes import Pool, read_pool
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from model.audit import DEFAULT_SHARE
from model.heads.neighbour_graph import build_neighbour_graph
from model.priority import Priority, Quota
from model.records import Ids
from model.simulation.oracle import Oracle
from model.simulation.report import labels_needed
from model.simulation.run import AUTO, Exercise, Plan, full_accuracy, simulate

SET, HELD_OUT = "clinc150", 300  # of a thousand texts, ten classes
BATCH, BUDGET = 10, 150
ENOUGH = 0.90  # of what the whole pool gives
FIELD_SHARE, QUOTA, MULTIPLIER = 0.2, 1 / 3, 2.0
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
    parser.add_argument("--cache", type=Path, default=Path(".cache/unseen"), help="where vectors are kept")
    parser.add_argument("--runs", type=Path, help="a file that keeps every run; it goes on from there")
    options = parser.parse_args()
    bench = Bench("priority", f"Labels to {ENOUGH:.0%} of what the whole pool gives, with an admin's wishes")
    kept = JsonLines(options.runs or options.cache / "priority.jsonl")
    done = {(row["wish"], row["seed"]) for row in kept.rows}
    found = read_pool(SET, options.folder, options.cache)
    if found is None:
        raise SystemExit(f"{options.folder / SET}.jsonl is not there: see benchmarks/README.md")
    for seed in range(options.seeds):
        left = [wish for wish in WISHES if (wish, seed) not in done]
        if left:
            exercise = draw_exercise(found, seed)
            target = ENOUGH * full_accuracy(exercise, seed=seed)
            for wish in left:
                kept.append({"wish": wish, "seed": seed} | _run(exercise, wish, seed, target))
            bench.say(f"seed {seed}")
    rows = [row for row in kept.rows if row["seed"] < options.seeds]
    bench.raw = {"seeds": options.seeds, "runs": rows}
    _summarise(bench, rows)
    bench.finish()


def draw_exercise(found: Pool, seed: int) -> Exercise:
    """A pool and test items of one seed."""
    rows = np.random.default_rng(seed).permutation(len(found.items))
    test, pool = np.sort(rows[:HELD_OUT]), np.sort(rows[HELD_OUT:])
    items = found.items.take(pool)
    return Exercise(
        pool=items,
        oracle=Oracle(found.answers[pool], found.space),
        test=found.items.take(test),
        test_classes=found.answers[test],
        name_vectors=found.name_vectors,
        neighbour_graph=build_neighbour_graph(items, np.random.default_rng(seed)),
    )


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
    runs = {(row["wish"], row["seed"]): row for row in rows}
    for wish, words in WISHES.items():
        mine = {seed: row for (name, seed), row in runs.items() if name == wish}
        plain = {seed: runs[NOTHING, seed] for seed in mine}
        needed = {seed: row["labels"] for seed, row in mine.items()}
        reached = [labels for labels in needed.values() if labels is not None]
        late = len(needed) - len(reached)
        value = f"{fmean(reached):.0f} ({min(reached):.0f} to {max(reached):.0f})" if reached else ""
        bench.add(f"{words}: labels", value + (f"; {late} seeds need more than {BUDGET}" if late else ""))
        if wish == NOTHING:
            continue
        more = [
            labels / plain[seed]["labels"] - 1
            for seed, labels in needed.items()
            if labels is not None and plain[seed]["labels"] is not None
        ]
        bench.add(f"{words}: more labels than our order, paired", _spread(more, "{:+.1%}"))
        lost = [fmean(plain[seed]["accuracy"]) - fmean(row["accuracy"]) for seed, row in mine.items()]
        bench.add(f"{words}: mean accuracy lost over {BUDGET} labels, paired", _spread(lost, "{:+.4f}"))


def _spread(values: list[float], form: str) -> str:
    """The mean, the lowest and the highest."""
    mean, low, high = (form.format(value) for value in (fmean(values), min(values), max(values)))
    return f"{mean} ({low} to {high}), {len(values)} seeds"


if __name__ == "__main__":
    main()
