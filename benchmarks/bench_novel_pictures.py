"""How well classes of pictures that have no label are found, beside published scores on the same vectors.

python -m benchmarks.bench_novel_pictures [FOLDER] [--cifar10 FILE] [--seeds N] [--fewer]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.novelty_rivals import rival_scores
from benchmarks.picture_exercises import EncodedPictures, read_sets
from model.audit import audit_quota
from model.encoders.image_folders import LITE0_FOLDER
from model.novelty.detector import detect
from model.novelty.selection import auroc
from model.records import Embeddings, Labels, LabelSpace

ALPHA, NEAR = 0.05, 0.01
JUDGED = 0.3  # of a set; the labels are drawn from the rest, and a few of them, blind, from here
BEHIND = 0.005  # that the chosen sum may be below the best published score


@dataclass(frozen=True, slots=True)
class Setting:
    """How many classes of a set play the novel ones, and how many labels each other class has."""

    of: str
    novel: int
    labels: int

    @property
    def name(self) -> str:
        """As tables say it."""
        return f"{self.of}, {self.novel} classes novel, {self.labels} a class"


SETTINGS = (
    Setting("clip art", 5, 20),
    Setting("emoji", 2, 50),
    Setting("digits", 2, 50),
    Setting("cifar10", 2, 50),
)
FEWER = (
    Setting("clip art", 5, 10),
    Setting("emoji", 2, 20),
    Setting("digits", 2, 20),
    Setting("cifar10", 2, 20),
)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("--cifar10", type=Path, help="a tar file with its pictures and rows.jsonl")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--runs", type=Path, default=Path(".cache/images/novel-runs.jsonl"), help="runs are kept"
    )
    parser.add_argument("--fewer", action="store_true", help="with fewer labels of a class, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = read_sets(options.folder, cifar10=options.cifar10) if LITE0_FOLDER.is_dir() else {}
    if not sets:
        print("novel pictures: no set or no encoder is there, left out")
        return
    bench = Bench("novel_pictures", f"Novel classes of pictures, false alarms promised at {ALPHA:g}")
    chosen = SETTINGS + (FEWER if options.fewer else ())
    settings = [setting for setting in chosen if setting.of in sets]
    ledger = JsonLines(options.runs)
    for seed, setting in product(range(options.seeds), settings):
        if not _kept(ledger, setting, seed):
            row = measure(sets[setting.of], setting, seed)
            ledger.append({"setting": setting.name, "seed": seed} | row)
            bench.say(f"{setting.name}, seed {seed}")
    for setting in settings:
        _report(
            bench, setting, [row for seed in range(options.seeds) for row in _kept(ledger, setting, seed)]
        )
    bench.finish()


def measure(pictures: EncodedPictures, setting: Setting, seed: int) -> dict[str, Any]:
    """AUROC of ours and of each published score, false alarms and novel items flagged, in one draw."""
    rng = np.random.default_rng(seed)
    count = pictures.number_of_classes
    novel = rng.permutation(count)[: setting.novel]
    judged = rng.permutation(len(pictures.classes)) < round(JUDGED * len(pictures.classes))
    learned, audit = _draw_labels(pictures.classes, novel, judged, setting.labels, rng)
    asked = np.setdiff1d(np.flatnonzero(judged), learned)
    known = np.setdiff1d(np.arange(count), novel)
    names = [str(column) for column in pictures.classes[learned].tolist()]
    labels = Labels.from_names(learned, names, LabelSpace(tuple(map(str, known.tolist()))))
    started = time.process_time()
    found = detect(
        Embeddings(learned, pictures.vectors[learned], "pictures"),
        labels,
        Embeddings(asked, pictures.vectors[asked], "pictures"),
        audit=audit,
        alpha=ALPHA,
        rng=rng,
        compare=True,
    )
    seconds = time.process_time() - started
    is_novel = np.isin(pictures.classes[asked], novel)
    rivals = rival_scores(pictures.vectors[learned], pictures.classes[learned], pictures.vectors[asked])
    return {
        "auroc": auroc(found.scores, is_novel),
        "false_alarms": float(found.flagged[~is_novel].mean()),
        "recall": float(found.flagged[is_novel].mean()),
        "singles": {name: auroc(scores, is_novel) for name, scores in found.singles.items()},
        "rivals": {name: auroc(scores.astype(np.float32), is_novel) for name, scores in rivals.items()},
        "weights": found.weights,
        "source": found.source,
        "labels": len(learned),
        "audit": int(audit.sum()),
        "seconds": seconds,
    }


def _draw_labels(
    classes: NDArray[np.intp],
    novel: NDArray[np.intp],
    judged: NDArray[np.bool_],
    each: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows with a label, ascending, and which of them were asked blind.

    Of novel items nobody can say what they are, so those of the audit stay without a label.
    """
    chosen: list[int] = []
    for column in np.setdiff1d(np.unique(classes), novel).tolist():
        chosen += rng.permutation(np.flatnonzero((classes == column) & ~judged))[:each].tolist()
    audited = rng.permutation(np.flatnonzero(judged))[: audit_quota(len(chosen))]
    audited = audited[~np.isin(classes[audited], novel)]
    learned = np.sort(np.concatenate([np.array(chosen, dtype=np.intp), audited]))
    return learned, np.isin(learned, audited)


def _kept(ledger: JsonLines, setting: Setting, seed: int) -> list[dict[str, Any]]:
    return [row for row in ledger.rows if (row["setting"], row["seed"]) == (setting.name, seed)]


def _report(bench: Bench, setting: Setting, rows: Sequence[dict[str, Any]]) -> None:
    bench.raw[setting.name] = list(rows)
    alarms = [row["false_alarms"] for row in rows]
    ours, name, best = _mean([row["auroc"] for row in rows]), *_best(rows, "rivals")
    bench.check(
        f"{setting.name}: AUROC; of the best published score ({name}); how far ours is ahead",
        f"{ours:.3f}; {best:.3f}; {ours - best:+.3f}",
        target=f"≥ −{BEHIND:g}",
        reached=ours >= best - BEHIND,
    )
    bench.check(
        f"{setting.name}: false alarms (lowest and highest seed)",
        f"{_mean(alarms):.3f} ({min(alarms):.3f} to {max(alarms):.3f})",
        target="0.04 to 0.06",
        reached=abs(_mean(alarms) - ALPHA) <= NEAR,
    )
    single, alone = _best(rows, "singles")
    bench.add(
        f"{setting.name}: novel pictures flagged; AUROC of our best score alone; seconds of processor; seeds",
        f"{_mean([row['recall'] for row in rows]):.2f}; {alone:.3f} ({single}); "
        f"{_mean([row['seconds'] for row in rows]):.1f}; {len(rows)}",
    )


def _best(rows: Sequence[dict[str, Any]], what: str) -> tuple[str, float]:
    """The score that the truth would have picked, by its mean over seeds."""
    means = {name: _mean([row[what][name] for row in rows]) for name in rows[0][what]}
    best = max(means, key=lambda name: means[name])
    return best, means[best]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


if __name__ == "__main__":
    main()
