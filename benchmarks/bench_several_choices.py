"""Several choices: labels needed, F1 with all labels, and whether the ranges hold it.

python -m benchmarks.bench_several_choices [FOLDER] [--goemotions FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.several_runs import (
    MOST,
    ORDERS,
    OURS,
    RANDOM,
    SHARE,
    labels_needed,
    plain_scores,
    test_scores,
    train_rows,
)
from benchmarks.several_sets import SeveralSet, load_several
from model.records import Floats
from model.tasks.f1_interval import (
    macro_f1,
    macro_f1_interval,
    micro_f1,
    micro_f1_interval,
    subset_accuracy_interval,
)

BLIND = (30, 100, 300)
PROJECTS = 2000
LEARNED_FROM = 200  # labels behind the answers that blind rows are drawn from
PLAIN_SEEDS = 1
GOALS = {"reuters-topics": 0.55}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/several"))
    parser.add_argument("--goemotions", type=Path, help="its texts as JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path(".cache/several/runs.jsonl"), help="runs are kept")
    options = parser.parse_args()
    sets = load_several(options.folder, goemotions=options.goemotions)
    if not sets:
        print("several choices: no set is there, left out")
        return
    bench = Bench("several_choices", "Several choices: labels needed, F1 with all labels, ranges")
    kept = JsonLines(options.runs)
    for texts in sets:
        _report_ranges(bench, texts)
    for seed in range(options.seeds):
        for texts in sets:
            _run(bench, kept, texts, seed)
    for texts in sets:
        _run_plain(bench, kept, texts)
    _report_full(bench, kept, [texts.name for texts in sets])
    _report_needed(bench, kept, [texts.name for texts in sets], options.seeds)
    bench.finish()


def _run(bench: Bench, kept: JsonLines, texts: SeveralSet, seed: int) -> None:
    """Everything of one set and seed that was not measured before."""
    row = _find(kept, texts.name, seed, "full")
    if row is None:
        pool, test = texts.split(seed)
        ours = test_scores(train_rows(texts, np.sort(pool), seed=seed), texts, test)
        row = {"set": texts.name, "seed": seed, "what": "full", "ours": ours}
        kept.append(row)
    for order in ORDERS:
        if _find(kept, texts.name, seed, order) is None:
            needed, curve = labels_needed(texts, order, seed=seed, goal=SHARE * row["ours"]["micro"])
            curve = [round(value, 3) for value in curve]
            kept.append({"set": texts.name, "seed": seed, "what": order, "needed": needed, "curve": curve})
            bench.say(f"{texts.name}, seed {seed}, {order}: {needed} labels")


def _run_plain(bench: Bench, kept: JsonLines, texts: SeveralSet) -> None:
    """The other library with all labels, on few seeds: it fits one label after the other."""
    for seed in range(PLAIN_SEEDS):
        if _find(kept, texts.name, seed, "plain") is None:
            plain = plain_scores(texts, seed=seed)
            kept.append({"set": texts.name, "seed": seed, "what": "plain", "plain": plain})
            bench.say(f"{texts.name}, seed {seed}: one-vs-rest of scikit-learn measured")


def _find(kept: JsonLines, name: str, seed: int, what: str) -> dict[str, Any] | None:
    found = [row for row in kept.rows if (row["set"], row["seed"], row["what"]) == (name, seed, what)]
    return found[0] if found else None


def _rows(kept: JsonLines, name: str, seeds: int, what: str) -> list[dict[str, Any]]:
    return [row for seed in range(seeds) if (row := _find(kept, name, seed, what)) is not None]


def _report_full(bench: Bench, kept: JsonLines, names: list[str]) -> None:
    for name in names:
        full, plain_rows = (_rows(kept, name, PLAIN_SEEDS, what) for what in ("full", "plain"))
        rows = [one | other for one, other in zip(full, plain_rows, strict=True)]
        for figure, least in (("micro", 1.0), ("macro", 0.98), ("subset", None)):
            ours, plain = (float(np.mean([row[who][figure] for row in rows])) for who in ("ours", "plain"))
            shown = f"{ours:.4f}, one-vs-rest of scikit-learn {plain:.4f} (seeds: {len(rows)})"
            what = f"{name}, all labels: {figure} F1" if figure != "subset" else f"{name}, all labels: subset"
            if least is None:
                bench.add(what, shown)
            else:
                reached = ours >= least * plain
                bench.check(what, shown, target=f"≥ {least:g} × its", reached=reached)
    bench.raw["full"] = [row for name in names for row in _rows(kept, name, PLAIN_SEEDS, "full")]


def _report_needed(bench: Bench, kept: JsonLines, names: list[str], seeds: int) -> None:
    ratios = {}
    for name in names:
        needed = {order: [row["needed"] for row in _rows(kept, name, seeds, order)] for order in ORDERS}
        bench.raw[f"labels needed, {name}"] = needed
        for order, values in needed.items():
            ratio = float(np.exp(np.mean(np.log(np.array(values) / np.array(needed[RANDOM])))))
            never = sum(value >= MOST for value in values)
            what = f"{name}: labels to {100 * SHARE:g} % of the full micro F1, {order}"
            shown = f"{np.mean(values):.0f} ({min(values)} to {max(values)}), {ratio:.2f} × random"
            shown += f", never within {MOST} in {never} of {len(values)}" if never else ""
            if order == OURS:
                ratios[name] = ratio
                goal = GOALS.get(name, 1.0)
                bench.check(what, shown, target=f"≤ {goal:g} × random", reached=ratio <= goal)
            else:
                bench.add(what, shown)
    mean = float(np.exp(np.mean(np.log(list(ratios.values())))))
    bench.at_most("labels by ours / by random, geometric mean of the sets", mean, limit=0.7, unit="")


def _report_ranges(bench: Bench, texts: SeveralSet) -> None:
    """How often a range from blind rows holds the figure of everything that they were drawn from."""
    pool, test = texts.split(0)
    rest = np.concatenate([pool[LEARNED_FROM:], test])
    trained = train_rows(texts, np.sort(pool[:LEARNED_FROM]), seed=0)
    answers, targets = trained.head.believe(texts.items(rest), "bench").answers, texts.targets[rest]
    truths = (
        ("micro F1", micro_f1_interval, micro_f1(answers, targets)),
        ("macro F1", macro_f1_interval, macro_f1(answers, targets)),
        ("subset accuracy", subset_accuracy_interval, float((answers == targets).all(axis=1).mean())),
    )
    for name, interval, truth in truths:
        held = {n: _held(interval, truth, answers, targets, n) for n in BLIND}
        what = f"{texts.name}: ranges of {name} that hold it, of {PROJECTS} draws, " + "/".join(
            map(str, BLIND)
        )
        shown = ", ".join(f"{100 * share:.1f} %" for share, _ in held.values())
        shown += f" (width {', '.join(f'{width:.2f}' for _, width in held.values())}; it is {truth:.3f})"
        if name == "micro F1":
            reached = all(0.93 <= share <= 0.97 for share, _ in held.values())
            bench.check(what, shown, target="93 to 97 %", reached=reached)
        else:
            bench.add(what, shown)
    bench.say(f"{texts.name}: ranges measured")


def _held(interval: Any, truth: float, answers: Floats, targets: Floats, n: int) -> tuple[float, float]:
    rng = np.random.default_rng(n)
    held, width = 0, 0.0
    for _ in range(PROJECTS):
        rows = rng.integers(len(answers), size=n)
        _, low, high = interval(answers[rows], targets[rows])
        held += low <= truth <= high
        width += high - low
    return held / PROJECTS, width / PROJECTS


if __name__ == "__main__":
    main()
