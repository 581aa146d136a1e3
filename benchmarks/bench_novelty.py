"""How well novel classes are found: `-m benchmarks.bench_novelty [FOLDER] [--seeds N] [--runs FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.open_intent import add_open_intents
from model.novelty.detector import detect
from model.novelty.grouping import group_items
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.simulation.report import Interval, mean_interval


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to play the game on one set; targets None where nothing is promised."""

    name: str
    file: str
    options: tuple[str, ...]
    auroc: float | None = None
    fpr95: float | None = None
    found: int | None = None
    ari: float | None = None


SETTINGS = (
    Setting(
        "clinc150 out of scope, 10 a class",
        "clinc150",
        ("--novel-label", "oos", "--labels-per-class", "10"),
        auroc=0.973,
        fpr95=0.13,
    ),
    Setting(
        "banking77, 19 classes novel, all labels",
        "banking77",
        ("--hold-out-classes", "19", "--labels-per-class", "0"),
        fpr95=0.38,
        found=17,
        ari=0.75,
    ),
    Setting(
        "20news, 3 groups novel, 20 a class",
        "20news",
        ("--hold-out-classes", "3", "--labels-per-class", "20"),
        auroc=0.76,
    ),
    Setting(
        "r52, 5 classes novel, 10 a class", "r52", ("--hold-out-classes", "5", "--labels-per-class", "10")
    ),
    Setting(
        "clinc150 out of scope, all labels",
        "clinc150",
        ("--novel-label", "oos", "--labels-per-class", "0"),
        auroc=0.984,
        fpr95=0.075,
    ),
)
ALPHA = 0.05
_MOST_BEHIND = 0.01  # that the chosen sum may be below the best single score
MANY, MANY_LABELS, MANY_CLASSES, MANY_NOVEL, DIMENSIONS = 100_000, 2000, 50, 5, 384


def main() -> None:
    """Run `simulate novelty` on each set that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--open-seeds", type=int, default=3, help="of the open-intent protocol")
    parser.add_argument(
        "--runs", type=Path, default=Path(".cache/novelty-runs.jsonl"), help="settings measured are kept"
    )
    options = parser.parse_args()
    ledger = JsonLines(options.runs)
    known = {name: figures for row in ledger.rows for name, figures in row.items()}
    bench = Bench("novelty", f"Novel classes, false alarms promised at {ALPHA:g}")
    for setting in SETTINGS:
        path = options.folder / f"{setting.file}.jsonl"
        if not path.is_file():
            bench.say(f"{setting.file}: not in {options.folder}, left out")
            continue
        bench.say(setting.name)
        if setting.name not in known:
            known[setting.name] = _run(path, setting, seeds=options.seeds)
            ledger.append({setting.name: known[setting.name]})
        figures = known[setting.name]
        bench.raw[setting.name] = figures
        _add(bench, setting, figures)
    add_open_intents(bench, options.folder, ledger, seeds=options.open_seeds)
    bench.say(f"{MANY:,} items")
    _time_many(bench)
    bench.finish()


def _time_many(bench: Bench) -> None:
    """Scores, flags and groups drawn items; a twentieth of them are of classes without a label."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(MANY_CLASSES + MANY_NOVEL, DIMENSIONS))
    known, classes = rng.integers(MANY_CLASSES, size=MANY_LABELS), rng.integers(MANY_CLASSES, size=MANY)
    novel = rng.random(MANY) < 0.05
    classes[novel] = MANY_CLASSES + rng.integers(MANY_NOVEL, size=int(novel.sum()))
    labelled = Embeddings(np.arange(MANY_LABELS), _draw_around(centres[known], rng), "drawn@1")
    pool = Embeddings(np.arange(MANY) + MANY_LABELS, _draw_around(centres[classes], rng), "drawn@1")
    space = LabelSpace(tuple(f"class {number}" for number in range(MANY_CLASSES)))
    labels = Labels(labelled.ids, np.eye(MANY_CLASSES, dtype=np.float32)[known], space)
    audit = np.arange(MANY_LABELS) % 12 == 0
    started, worked = time.perf_counter(), time.process_time()
    found = detect(labelled, labels, pool, audit=audit, alpha=ALPHA, rng=rng)
    groups = group_items(pool.take(found.flagged), labelled, labels, seed=0)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    note = f" ({work:.0f} s of processor; {int(found.flagged.sum())} flagged, {len(groups)} groups)"
    bench.at_most(f"{MANY:,} items scored, flagged and grouped", seconds, limit=60, unit="s", note=note)


def _draw_around(centres: Floats, rng: np.random.Generator) -> Floats:
    vectors = centres + 1.1 * rng.normal(size=centres.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _run(path: Path, setting: Setting, *, seeds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "backend", "simulate", "novelty", str(path), *setting.options]
    command += ["--alpha", str(ALPHA), "--seeds", str(seeds), "--json"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _add(bench: Bench, setting: Setting, figures: dict[str, Any]) -> None:
    _add_detection(bench, setting, figures)
    if setting.found is not None and setting.ari is not None:
        _add_groups(bench, setting, figures["groups"])


def _add_detection(bench: Bench, setting: Setting, figures: dict[str, Any]) -> None:
    _at_least(bench, f"{setting.name}: AUROC", figures["auroc"], setting.auroc)
    fpr95 = mean_interval(figures["fpr95"])
    if setting.fpr95 is None:
        bench.add(f"{setting.name}: FPR95", _show(fpr95))
    else:
        bench.check(
            f"{setting.name}: FPR95",
            _show(fpr95),
            target=f"≤ {setting.fpr95:g}",
            reached=fpr95.mean <= setting.fpr95,
        )
    alarms = mean_interval(figures["false_alarm_rate"])
    bench.check(
        f"{setting.name}: false alarms",
        _show(alarms),
        target="0.04 to 0.06",
        reached=abs(alarms.mean - ALPHA) <= 0.01,
    )
    bench.add(f"{setting.name}: novel items flagged", _mean(figures["recall"]))
    _add_choice(bench, setting, figures)


def _add_choice(bench: Bench, setting: Setting, figures: dict[str, Any]) -> None:
    """The chosen sum beside the single score that the truth would have picked, by their means over seeds."""
    means = {
        name: float(np.mean([seed[name] for seed in figures["singles"]])) for name in figures["singles"][0]
    }
    best = max(means, key=lambda name: means[name])
    gap = means[best] - float(np.mean(figures["auroc"]))
    bench.check(
        f"{setting.name}: AUROC of the best single score ({best}), and how far the chosen is below",
        f"{means[best]:.3f}; {gap:+.3f}",
        target="≤ 0.01 below",
        reached=gap <= _MOST_BEHIND,
    )


def _add_groups(bench: Bench, setting: Setting, groups: dict[str, Any]) -> None:
    what = f"{setting.name}: novel classes that lead one of as many first groups"
    _at_least(bench, what, groups["found"], setting.found, form=".1f")
    _at_least(bench, f"{setting.name}: adjusted Rand index", groups["ari"], setting.ari)
    sure, front, read = (
        float(np.median(groups["to_confirm"])),
        _known(groups["in_front"]),
        _known(groups["read_first"]),
    )
    bench.check(
        f"{setting.name}: tasks read to be sure of a class (median)",
        f"{sure:g}",
        target="≤ 3",
        reached=sure <= 3,
    )
    bench.check(
        f"{setting.name}: classes of 1 % or more with a task in the first 2 % of the queue",
        f"{np.mean(front):.3f} (all in {sum(value >= 1.0 for value in front)} of {len(front)} seeds)",
        target="1",
        reached=min(front) >= 1.0,
    )
    bench.add(f"{setting.name}: … met in as many tasks, read group by group", f"{np.mean(read):.2f}")


def _at_least(
    bench: Bench, what: str, values: list[float], least: float | None, *, form: str = ".3f"
) -> None:
    """The mean over seeds; it must not be below `least` if there is one."""
    found = mean_interval(values)
    if least is None:
        bench.add(what, _show(found, form))
    else:
        bench.check(what, _show(found, form), target=f"≥ {least:g}", reached=found.mean >= least)


def _show(found: Interval, form: str = ".3f") -> str:
    return f"{found.mean:{form}} ({found.low:{form}} to {found.high:{form}})"


def _mean(values: list[float | None]) -> str:
    known = _known(values)
    return f"{sum(known) / len(known):.2f}" if known else "–"


def _known(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


if __name__ == "__main__":
    main()
