"""What a head should look at, set by set: python -m benchmarks.bench_representation [FOLDER] [--seeds N]."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from backend.context import Context
from backend.parts import build_context
from backend.settings import Settings
from backend.simulation.labels import EncodedTexts, encode_rows
from backend.simulation.rows import read_labelled_texts
from backend.workflows.project.progress import Silent
from benchmarks.figures import Bench
from model.encoders.text import load_text_encoder
from model.records import REPRESENTATIONS
from model.simulation.report import accuracy_at, paired_difference
from model.simulation.run import AUTO, Plan, simulate

# The field that holds the label, by set.
SETS = {
    "spamassassin": "label",
    "reviews": "label",
    "20news": "label",
    "r8": "label",
    "clinc150": "domain",
    "r52": "label",
    "banking77": "label",
}
BUDGETS = (50, 100, 200, 500)
BATCH = 50
ENCODER = "encoder"


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
    context = build_context(Settings(), load_encoder=partial(load_text_encoder, threads=1))
    for name in options.sets.split(","):
        path = options.folder / f"{name}.jsonl"
        if not path.is_file():
            bench.say(f"{name}: not in {options.folder}, left out")
            continue
        bench.raw[name] = _measure(bench, context, path, options.seeds)
        _summarise(bench, name)
    bench.finish()


def _measure(bench: Bench, context: Context, path: Path, seeds: int) -> dict[str, Any]:
    """Accuracy by budget and what was looked at, for each representation and seed."""
    rows = read_labelled_texts(path, label_field=SETS[path.stem])
    encoded = encode_rows(context, rows, with_names=True, progress=Silent())
    texts = EncodedTexts(rows, *encoded, only=None)
    found: dict[str, Any] = {AUTO: [], **{name: [] for name in REPRESENTATIONS}}
    for seed in range(seeds):
        exercise = texts.exercise(seed=seed, noise=0.0)
        plan = Plan(AUTO, BATCH, max(BUDGETS), context.settings.audit_share, seed)
        for only in (None, *REPRESENTATIONS):
            curve = simulate(replace(exercise, only=only), plan)
            accuracy = accuracy_at(curve, BUDGETS)
            looked_at = dict(zip(curve.labels, curve.representation, strict=True))
            found[only or AUTO].append({"accuracy": accuracy, "looked_at": looked_at})
        last = {name: f"{runs[-1]['accuracy'][-1]:.3f}" for name, runs in found.items()}
        bench.say(f"{path.stem}, seed {seed + 1} of {seeds}: {last}")
    return found


def _summarise(bench: Bench, name: str) -> None:
    """Accuracy at each budget, and what the choice gains over the encoder, seed by seed."""
    results = bench.raw[name]
    for shown, runs in results.items():
        means = [fmean(values) for values in zip(*(run["accuracy"] for run in runs), strict=True)]
        bench.add(f"{name}, {shown}", " / ".join(f"{value:.3f}" for value in means))
    chosen = Counter(run["looked_at"][budget] for run in results[AUTO] for budget in BUDGETS)
    gain = paired_difference(*([fmean(run["accuracy"]) for run in results[way]] for way in (AUTO, ENCODER)))
    bench.check(
        f"{name}, {AUTO} − {ENCODER}, mean over budgets",
        f"{gain.mean:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f}); chose "
        + ", ".join(f"{word} {count}×" for word, count in chosen.most_common()),
        target="interval not below 0",
        reached=gain.high >= 0.0,
    )


if __name__ == "__main__":
    main()
