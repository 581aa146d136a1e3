"""Whether wrong ticks and forgotten ones are found in answers of several choices.

python -m benchmarks.bench_wrong_labels_of_sets [FOLDER] [--goemotions FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from benchmarks.figures import Bench
from benchmarks.several_runs import LEARNER
from benchmarks.several_sets import SeveralSet, load_several
from model.records import Floats, Labels
from model.signals.suspect_ticks import chance_of_error

ANSWERS = 800
SHARES = (0.05, 0.10)  # of answers with a mistake
FORGOTTEN, MISTAKEN, MOVED = range(3)
PLAIN = "|belief − tick|"

Row = dict[str, float]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/several"))
    parser.add_argument("--goemotions", type=Path, help="its texts as JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = load_several(options.folder, goemotions=options.goemotions)
    if not sets:
        print("wrong labels of sets: no set is there, left out")
        return
    bench = Bench("wrong_labels_of_sets", f"Wrong and forgotten ticks found among {ANSWERS:,} answers")
    for texts in sets:
        for share in (0.0, *SHARES):
            rows = [measure(texts, share=share, seed=seed) for seed in range(options.seeds)]
            bench.raw[f"{texts.name}, {share:g}"] = rows
            _report(bench, texts.name, share, rows)
            bench.say(f"{texts.name}, {100 * share:g} % wrong")
    bench.finish()


def measure(texts: SeveralSet, *, share: float, seed: int) -> Row:
    """AUROC over all boxes, precision at the true count, and what is flagged; without mistakes the flags."""
    rng = np.random.default_rng([5, seed, round(1000 * share)])
    rows = np.sort(texts.split(seed)[0][:ANSWERS])
    items, true = texts.items(rows), texts.targets[rows]
    given = make_mistakes(true, share=share, rng=rng)
    trained = LEARNER.train(
        items,
        Labels(items.ids, given, texts.space),
        names=texts.names,
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng(seed),
    )
    beliefs = trained.out_of_fold.values.astype(np.float64)
    doubt, wrong = chance_of_error(beliefs, given > 0), given != true
    flagged = doubt > 0.5
    found: Row = {"flagged": float(flagged.sum()), "wrong": float(wrong.sum()), "boxes": float(wrong.size)}
    if not wrong.any():
        return found
    right = float((flagged & wrong).sum())
    found |= {
        "precision": right / max(flagged.sum(), 1),
        "recall": right / wrong.sum(),
        "f1": 2.0 * right / (flagged.sum() + wrong.sum()),
    }
    for name, scores in (("ours", doubt), ("plain", np.abs(beliefs - given))):
        first = np.argsort(-scores.ravel(), kind="stable")[: wrong.sum()]
        found[f"{name} auroc"] = float(roc_auc_score(wrong.ravel(), scores.ravel()))
        found[f"{name} at count"] = float(wrong.ravel()[first].mean())
    return found


def make_mistakes(true: Floats, *, share: float, rng: np.random.Generator) -> Floats:
    """Answers (n, c) of which a share has one mistake: a tick forgotten, one too many, or one moved.

    All three are as likely; the only tick of an answer is moved, not forgotten. Which label is ticked by
    mistake is drawn evenly.
    """
    given = true.copy()
    for row in np.flatnonzero(rng.random(len(true)) < share):
        ticked, empty = np.flatnonzero(true[row] > 0), np.flatnonzero(true[row] == 0)
        mistake = int(rng.integers(3))
        if mistake == FORGOTTEN and len(ticked) == 1:
            mistake = MOVED
        if mistake in (FORGOTTEN, MOVED):
            given[row, rng.choice(ticked)] = 0.0
        if mistake in (MISTAKEN, MOVED):
            given[row, rng.choice(empty)] = 1.0
    return given


def _report(bench: Bench, name: str, share: float, rows: list[Row]) -> None:
    if not share:
        flagged = [row["flagged"] for row in rows]
        bench.add(f"{name}, as published: boxes flagged of {rows[0]['boxes']:,.0f}", _span(flagged, ".0f"))
        return
    about = f"{name}, {100 * share:g} % of answers with a mistake"
    for what, digits in (("auroc", ".4f"), ("at count", ".3f")):
        ours, plain = (np.array([row[f"{who} {what}"] for row in rows]) for who in ("ours", "plain"))
        title = "AUROC" if what == "auroc" else "precision at the true count"
        shown = f"{_span(ours.tolist(), digits)}, {PLAIN} {_span(plain.tolist(), digits)}"
        reached = bool(ours.mean() >= plain.mean())
        bench.check(f"{about}: {title}", shown, target=f"at least {PLAIN}", reached=reached)
    shown = ", ".join(
        f"{word} {_span([row[word] for row in rows], '.2f')}" for word in ("precision", "recall", "f1")
    )
    bench.add(f"{about}: what is flagged", shown)


def _span(values: list[float], digits: str) -> str:
    return f"{np.mean(values):{digits}} ({min(values):{digits}} to {max(values):{digits}})"


if __name__ == "__main__":
    main()
