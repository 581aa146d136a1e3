"""How well novel classes are found: python -m benchmarks.bench_novelty [FOLDER] [--seeds N]."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Bench
from model.simulation.report import mean_interval


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to play the game on one set; targets None where nothing is promised."""

    name: str
    file: str
    options: tuple[str, ...]
    auroc: float | None = None
    fpr95: float | None = None


SETTINGS = (
    Setting(
        "clinc150 out of scope, 10 a class",
        "clinc150",
        ("--novel-label", "oos", "--labels-per-class", "10"),
        auroc=0.973,
        fpr95=0.13,
    ),
    Setting(
        "clinc150 out of scope, all labels",
        "clinc150",
        ("--novel-label", "oos", "--labels-per-class", "0"),
        auroc=0.984,
        fpr95=0.075,
    ),
    Setting(
        "banking77, 19 classes novel, all labels",
        "banking77",
        ("--hold-out-classes", "19", "--labels-per-class", "0"),
        fpr95=0.38,
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
)
ALPHA = 0.05


def main() -> None:
    """Run `simulate novelty` on each set that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    bench = Bench("novelty", f"Novel classes, false alarms promised at {ALPHA:g}")
    for setting in SETTINGS:
        path = options.folder / f"{setting.file}.jsonl"
        if not path.is_file():
            bench.say(f"{setting.file}: not in {options.folder}, left out")
            continue
        bench.say(setting.name)
        figures = _run(path, setting, seeds=options.seeds)
        bench.raw[setting.name] = figures
        _add(bench, setting, figures)
    bench.finish()


def _run(path: Path, setting: Setting, *, seeds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "backend", "simulate", "novelty", str(path), *setting.options]
    command += ["--alpha", str(ALPHA), "--seeds", str(seeds), "--json"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _add(bench: Bench, setting: Setting, figures: dict[str, Any]) -> None:
    auroc, fpr95 = mean_interval(figures["auroc"]), mean_interval(figures["fpr95"])
    alarms, groups = mean_interval(figures["false_alarm_rate"]), figures["groups"]
    shown = f"{auroc.mean:.3f} ({auroc.low:.3f} to {auroc.high:.3f})"
    if setting.auroc is None:
        bench.add(f"{setting.name}: AUROC", shown)
    else:
        bench.check(
            f"{setting.name}: AUROC",
            shown,
            target=f"≥ {setting.auroc:g}",
            reached=auroc.mean >= setting.auroc,
        )
    shown = f"{fpr95.mean:.3f} ({fpr95.low:.3f} to {fpr95.high:.3f})"
    if setting.fpr95 is None:
        bench.add(f"{setting.name}: FPR95", shown)
    else:
        bench.check(
            f"{setting.name}: FPR95",
            shown,
            target=f"≤ {setting.fpr95:g}",
            reached=fpr95.mean <= setting.fpr95,
        )
    bench.check(
        f"{setting.name}: false alarms",
        f"{alarms.mean:.3f} ({alarms.low:.3f} to {alarms.high:.3f})",
        target="0.04 to 0.06",
        reached=abs(alarms.mean - ALPHA) <= 0.01,
    )
    bench.add(
        f"{setting.name}: recall; novel classes found; adjusted Rand index",
        f"{_mean(figures['recall'])}; {_mean(groups['found'])}; {_mean(groups['ari'])}",
    )


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.2f}" if known else "–"


if __name__ == "__main__":
    main()
