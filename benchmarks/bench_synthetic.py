"""How well synthetic items are judged: python -m benchmarks.bench_synthetic [FOLDER] [--seeds N]."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.faults import EXACT_TWIN, NEAR_TWIN
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.synthetic_rivals import RANK_MEAN
from benchmarks.synthetic_runs import (
    OURS,
    measure_interval,
    measure_noise,
    measure_null,
    measure_seconds,
    measure_verdicts,
)
from benchmarks.synthetic_sets import SOURCES, UNSEEN, Encoder, Material, load_material
from model.simulation.report import mean_interval, paired_difference

SHARES = (0.5, 0.2, 0.05)
LIFTS = 200  # runs, and as many of the null generator
LIFT_SETS = ("clinc150-domains", "20news")
NULL_VERDICTS = 10  # runs of the null generator whose items are judged as well
SIZES = (5000, 10000, 20000)
RIVALS = ("Data-OOB", "KNN-Shapley", "AUM", "confident learning", "self-confidence", RANK_MEAN)

Found = dict[str, Any]


def main() -> None:
    """Run the bench; runs that the ledger holds already are not repeated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--vectors", type=Path, help="where vectors are kept; beside the sets by default")
    parser.add_argument("--runs", type=Path, help="the ledger; beside the sets by default")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--peers", type=Path, help="a Python that has pyDVL and cleanlab, asked on seed 0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    vectors = options.vectors or options.folder / "vectors"
    found = [load_material(source, options.folder, vectors) for source in SOURCES]
    materials = [material for material in found if material is not None]
    if not materials:
        print(f"synthetic: no set in {options.folder}, left out")
        return
    bench = Bench("synthetic", "Verdicts on synthetic items, faults of known truth planted in public sets")
    ledger = Ledger(options.runs or options.folder / "synthetic.jsonl")
    _run_lifts(bench, ledger, materials)
    for size in SIZES:
        ledger.do(["seconds", "clinc150-domains", size, 0], _seconds(materials, size))
    bench.say("timed")
    for seed in range(options.seeds):
        _run_verdicts(bench, ledger, materials, vectors, seed=seed, peers=options.peers)
    _report_verdicts(bench, ledger)
    _report_kept(bench, ledger)
    _report_twins(bench, ledger)
    _report_lifts(bench, ledger)
    _report_noise(bench, ledger)
    _report_seconds(bench, ledger)
    bench.raw = {"runs": [{"run": json.loads(key), **run} for key, run in ledger.runs.items()]}
    bench.finish()


class Ledger:
    """All runs, in a file of JSON lines that grows; a run's key is a list: question, set, setting, seed."""

    def __init__(self, path: Path) -> None:
        self._lines = JsonLines(path)
        self.runs: dict[str, Found] = {
            json.dumps(row["key"]): {name: value for name, value in row.items() if name != "key"}
            for row in self._lines.rows
        }

    def do(self, key: list[Any], work: Callable[[], Found | None]) -> None:
        """Do a run unless it is there; None where it cannot be done."""
        if json.dumps(key) in self.runs or (run := work()) is None:
            return
        self.runs[json.dumps(key)] = run
        self._lines.append({"key": key} | run)

    def of(self, question: str, *, name: str | None = None, setting: Any = None) -> list[Found]:
        """The runs of a question, of one set or all, in one setting or any."""
        return [
            run
            for key, run in self.runs.items()
            if (parts := json.loads(key))[0] == question
            and name in (None, parts[1])
            and setting in (None, parts[2])
        ]

    def names(self, question: str) -> list[str]:
        """The sets that a question was asked of."""
        return list(dict.fromkeys(parts[1] for key in self.runs if (parts := json.loads(key))[0] == question))


def _run_lifts(bench: Bench, ledger: Ledger, materials: list[Material]) -> None:
    asked = [material for material in materials if material.source.name in LIFT_SETS]
    for seed in range(LIFTS):
        for number, material in enumerate(asked):
            if seed % len(asked) != number:
                continue
            name = material.source.name
            ledger.do(["lift", name, 0, seed], lambda m=material, s=seed: measure_interval(m, seed=s))
            judged = seed < NULL_VERDICTS
            ledger.do(
                ["null", name, 0, seed],
                lambda m=material, s=seed, j=judged: measure_null(m, seed=s, with_verdicts=j),
            )
        if seed % 50 == 49:
            bench.say(f"{seed + 1} of {LIFTS} lifts")


def _run_verdicts(
    bench: Bench,
    ledger: Ledger,
    materials: list[Material],
    vectors: Path,
    *,
    seed: int,
    peers: Path | None,
) -> None:
    for material in materials:
        name = material.source.name
        encoder = Encoder(vectors / f"made-up-{name}.npz")
        for share in SHARES:
            ledger.do(
                ["verdicts", name, share, seed],
                lambda m=material, e=encoder, f=share: measure_verdicts(
                    m, e, faulty=f, seed=seed, peers=peers if seed == 0 and f == SHARES[0] else None
                ),
            )
        ledger.do(["noise", name, 0, seed], lambda m=material: measure_noise(m, seed=seed))
        bench.say(f"{name}, seed {seed}")


def _seconds(materials: list[Material], size: int) -> Callable[[], Found | None]:
    def work() -> Found | None:
        for material in materials:
            if len(material.pool) + len(material.test) >= size * 0.9:
                return measure_seconds(material, made=size)
        return None

    return work


def _report_verdicts(bench: Bench, ledger: Ledger) -> None:
    for name in ledger.names("verdicts"):
        for share in SHARES:
            runs = ledger.of("verdicts", name=name, setting=share)
            where = f"{_name(name)}, {share:.0%} faulty, {len(runs)} seeds"
            auroc = mean_interval([run["auroc"][OURS] for run in runs])
            at_count = mean_interval([run["at_count"][OURS] for run in runs])
            bench.check(f"{where}: AUROC", _show(auroc), target="≥ 0.99", reached=auroc.mean >= 0.99)
            bench.check(
                f"{where}: precision at the true count",
                _show(at_count),
                target="≥ 0.93",
                reached=at_count.mean >= 0.93,
            )
            right, called, there = np.sum([run["called"] for run in runs], axis=0)
            precision, recall = right / max(called, 1), right / there
            bench.check(
                f"{where}: called harmful, precision / recall",
                f"{precision:.3f} / {recall:.3f}",
                target="≥ 0.95 / ≥ 0.85",
                reached=bool(precision >= 0.95 and recall >= 0.85),
            )
    for share in SHARES:
        _report_rivals(bench, ledger.of("verdicts", setting=share), share)


def _report_rivals(bench: Bench, runs: list[Found], share: float) -> None:
    for rival in RIVALS:
        ours, theirs = ([run["auroc"][name] for run in runs] for name in (OURS, rival))
        ahead = paired_difference(ours, theirs)
        count = paired_difference(*([run["at_count"][name] for run in runs] for name in (OURS, rival)))
        bench.check(
            f"{share:.0%} faulty, AUROC of {rival} and ours ahead; at the true count ahead",
            f"{np.mean(theirs):.3f}; {_signed(ahead)}; {_signed(count)}",
            target="interval above 0",
            reached=ahead.low > 0 and count.low > 0,
        )


def _report_kept(bench: Bench, ledger: Ledger) -> None:
    for share in SHARES:
        runs = [run["accuracy"] for run in ledger.of("verdicts", setting=share)]
        for name in (OURS, "ours, called helpful alone", "ours, all but harmful", *RIVALS):
            kept = _share_of_oracle(runs, name)
            below = sum(run[name] < run["everything"] for run in runs)
            what = f"{share:.0%} faulty, kept by {name}: share of the oracle's gain; below keeping all"
            shown = f"{kept:.0%}; {below} of {len(runs)}"
            if name == OURS:
                bench.check(what, shown, target="≥ 97%; 0", reached=kept >= 0.97 and not below)
            else:
                bench.add(what, shown)


def _share_of_oracle(runs: list[Found], name: str) -> float:
    gain = sum(run["oracle"] - run["everything"] for run in runs)
    return float(sum(run[name] - run["everything"] for run in runs) / gain)


def _report_twins(bench: Bench, ledger: Ledger) -> None:
    for kind, aim in ((EXACT_TWIN, 0.97), (NEAR_TWIN, 0.90)):
        for name in ledger.names("verdicts"):
            counts = [run["twins"][kind] for run in ledger.of("verdicts", name=name)]
            found, called, there = np.sum(counts, axis=0)
            f1 = 2.0 * found / (called + there)
            bench.check(
                f"{_name(name)}, {kind}: F1 (precision, recall)",
                f"{f1:.3f} ({found / max(called, 1):.3f}, {found / there:.3f})",
                target=f"≥ {aim:.2f}",
                reached=bool(f1 >= aim),
            )


def _report_lifts(bench: Bench, ledger: Ledger) -> None:
    runs = ledger.of("lift")
    covered = np.mean([run["low"] <= run["true"] <= run["high"] for run in runs])
    bench.check(
        f"the lift's 95 % interval holds the lift on the test, {len(runs)} runs",
        f"{covered:.3f}; {np.mean([run['high'] - run['low'] for run in runs]):.3f} wide",
        target="≥ 0.93",
        reached=bool(covered >= 0.93),
    )
    nulls = ledger.of("null")
    helpful = np.mean([run["low"] > 0 for run in nulls])
    harmful = np.mean([run["high"] < 0 for run in nulls])
    bench.check(
        f"real items resampled, {len(nulls)} runs: called helpful; harmful",
        f"{helpful:.3f}; {harmful:.3f}",
        target="≤ 0.05",
        reached=bool(helpful <= 0.05),
    )
    judged = [run["called_helpful"] for run in nulls if "called_helpful" in run]
    bench.check(
        f"real items resampled, {len(judged)} runs: share of the items called helpful",
        f"{np.mean(judged):.3f}",
        target="≤ 0.05",
        reached=bool(np.mean(judged) <= 0.05),
    )


def _report_noise(bench: Bench, ledger: Ledger) -> None:
    for name in ledger.names("noise"):
        runs = [run["f1"] for run in ledger.of("noise", name=name)]
        f1 = mean_interval([run["ours, own threshold"] for run in runs])
        bench.check(
            f"{_name(name)}, 1,000 items, 10 % wrong labels, {len(runs)} seeds: F1 at our own threshold",
            _show(f1),
            target="≥ 0.85",
            reached=f1.mean >= 0.85,
        )
        rivals = {rival: np.mean([run[rival] for run in runs]) for rival in RIVALS}
        best = max(rivals, key=lambda rival: rivals[rival])
        bench.add(f"{_name(name)}, the best rival by two means", f"{rivals[best]:.3f} ({best})")


def _report_seconds(bench: Bench, ledger: Ledger) -> None:
    found = {size: runs[0] for size in SIZES if (runs := ledger.of("seconds", setting=size))}
    for size, run in found.items():
        what = f"{size:,} items judged by 500 real ones, of one thread"
        note = f" of CPU ({run['wall_s']:.0f} s by the clock)"
        if size == 10000:
            bench.at_most(what, run["cpu_s"], limit=60, unit="s", note=note)
        else:
            bench.add(what, f"{run['cpu_s']:.1f} s{note}")
    if len(found) == len(SIZES):
        ratios = [found[SIZES[n + 1]]["cpu_s"] / found[SIZES[n]]["cpu_s"] for n in (0, 1)]
        bench.check(
            "twice the items, times the seconds",
            ", ".join(f"{ratio:.2f}" for ratio in ratios),
            target="≤ 2.2",
            reached=max(ratios) <= 2.2,
        )


def _name(name: str) -> str:
    return f"{name} (not tuned on)" if name in UNSEEN else name


def _show(interval: Any) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _signed(interval: Any) -> str:
    return f"{interval.mean:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


if __name__ == "__main__":
    main()
