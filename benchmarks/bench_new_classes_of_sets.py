"""Whether items that no label covers are found where people tick several.

python -m benchmarks.bench_new_classes_of_sets [FOLDER] [--goemotions FILE] [--seeds N] [--repeated]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.several_sets import SeveralSet, load_several
from model.novelty.detector import detect
from model.novelty.one_class_each import one_class_each
from model.novelty.selection import auroc
from model.records import Embeddings, Labels, LabelSpace

ALPHA = 0.05
ANSWERS, POOL, HELD_OUT = 400, 1000, 3
AUDITED = 8  # every so manyth answer was asked blind
OURS, REPEATED = "an item by its rarest label", "an item once for each label"


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/several"))
    parser.add_argument("--goemotions", type=Path, help="its texts as JSON lines")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--runs", type=Path, default=Path(".cache/several/new-classes.jsonl"), help="runs are kept"
    )
    parser.add_argument("--repeated", action="store_true", help="compare with an item once for each label")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = load_several(options.folder, goemotions=options.goemotions)
    if not sets:
        print("new classes of sets: no set is there, left out")
        return
    bench = Bench(
        "new_classes_of_sets", f"Items that no label covers, {HELD_OUT} labels held out, {ANSWERS} answers"
    )
    kept, ways = JsonLines(options.runs), (OURS, REPEATED) if options.repeated else (OURS,)
    for seed in range(options.seeds):
        for texts in sets:
            for way in ways:
                row = _find(kept, texts.name, seed, way)
                if row is None:
                    row = {"set": texts.name, "seed": seed, "way": way} | measure(texts, way, seed=seed)
                    kept.append(row)
                    bench.say(f"{row}")
    for texts in sets:
        for way in ways:
            rows = [_find(kept, texts.name, seed, way) for seed in range(options.seeds)]
            _report(bench, texts.name, way, [row for row in rows if row is not None])
    bench.finish()


def measure(texts: SeveralSet, way: str, *, seed: int) -> dict[str, float]:
    """AUROC, false alarms and recall on a pool; its novel items have held-out labels alone."""
    rng = np.random.default_rng([3, seed])
    order = rng.permutation(len(texts.vectors))
    held_out = rng.choice(len(texts.space), HELD_OUT, replace=False)
    kept = np.setdiff1d(np.arange(len(texts.space)), held_out)
    targets = texts.targets[order][:, kept]
    novel = ~(targets > 0).any(axis=1)
    rows = np.flatnonzero(~novel)[:ANSWERS]
    pool = np.setdiff1d(np.arange(len(order)), rows)[:POOL]
    labels = Labels(rows, targets[rows], LabelSpace(tuple(texts.space.names[column] for column in kept)))
    labelled = Embeddings(rows, texts.vectors[order[rows]], "bench")
    audit = np.arange(len(rows)) % AUDITED == 0
    if way == REPEATED:
        item, column = np.nonzero(labels.targets)
        numbers = np.arange(len(item))
        one_hot = np.eye(len(kept), dtype=np.float32)[column]
        labelled = Embeddings(numbers, labelled.vectors[item], "bench")
        labels, audit = Labels(numbers, one_hot, labels.space), audit[item]
    started = time.perf_counter()
    found = detect(
        labelled,
        one_class_each(labels),
        Embeddings(pool, texts.vectors[order[pool]], "bench"),
        audit=audit,
        alpha=ALPHA,
        rng=np.random.default_rng(seed),
        name_vectors=texts.names[kept],
    )
    is_novel = novel[pool]
    return {
        "auroc": auroc(found.scores, is_novel),
        "false alarms": float(found.flagged[~is_novel].mean()),
        "recall": float(found.flagged[is_novel].mean()),
        "novel": float(is_novel.sum()),
        "seconds": time.perf_counter() - started,
    }


def _find(kept: JsonLines, name: str, seed: int, way: str) -> dict[str, Any] | None:
    found = [row for row in kept.rows if (row["set"], row["seed"], row["way"]) == (name, seed, way)]
    return found[0] if found else None


def _report(bench: Bench, name: str, way: str, rows: list[dict[str, Any]]) -> None:
    bench.raw[f"{name}, {way}"] = rows
    about = f"{name}, {way} (seeds: {len(rows)})"
    alarms = [row["false alarms"] for row in rows]
    mean = float(np.mean(alarms))
    bench.check(
        f"{about}: false alarms",
        f"{_span(alarms)}",
        target="0.04 to 0.06",
        reached=abs(mean - ALPHA) <= 0.01,
    )
    bench.add(f"{about}: AUROC", _span([row["auroc"] for row in rows]))
    bench.add(f"{about}: novel items flagged", _span([row["recall"] for row in rows]))


def _span(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
