"""What a head says of classes without a label: python -m benchmarks.bench_unseen_classes [FOLDER].

FOLDER holds sets as data_sets writes them; what is not there is left out. Labels come at random from one
class, two classes, half of the classes or all of them, and the head is measured on the whole pool. Where
they are of all classes, beside a head that keeps no room for classes without a label.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import model.training
from backend.simulation.rows import read_labelled_texts
from backend.workflows.training.names import readable_name
from benchmarks.data_sets import Row, shorten, thin
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from benchmarks.texts import draw_classes
from model.calibration import calibration_error
from model.encoders.text import load_text_encoder
from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import NeighbourGraph, build_neighbour_graph
from model.heads.single_label import softmax
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.training import train

DEMONSTRATION = "demonstration"
SETS = {  # the field that holds the label
    DEMONSTRATION: "label",
    "clinc150": "domain",
    "20news": "label",
    "r8": "label",
    "reviews": "label",
    "spamassassin": "label",
    "banking77": "label",
    "r52": "label",
}
POOL = 1000
SIZES = (5, 10, 20, 40)
HALF = "half of the classes"
ALL = "all classes"
KINDS = ("one class", "two classes", HALF, ALL)
SIZES_OF_ALL = (20, 40, 100)  # beside a head that keeps no room
NO_ROOM = "a head that keeps no room"
FIGURES = ("accuracy", "calibration error", "confidence of wrong answers")
ENOUGH = 20  # labels from which on the calibration is held to more
LEAST_GAIN, MOST_ERROR, MOST_ERROR_OF_HALF, MOST_CONFIDENCE = -0.01, 0.25, 0.1, 0.6

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Texts (n, d), their true classes (n,) and the names of the classes (c, d)."""

    items: Embeddings
    answers: Rows
    space: LabelSpace
    name_vectors: Floats


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--cache", type=Path, default=Path(".cache/unseen"), help="where vectors are kept")
    parser.add_argument("--runs", type=Path, help="a file that keeps every run; it goes on from there")
    options = parser.parse_args()
    bench = Bench("unseen_classes", "What a head says of the whole pool while classes have no label")
    kept = JsonLines(options.runs or options.cache / "runs.jsonl")
    done = {(row["set"], row["seed"]) for row in kept.rows}
    names = options.sets.split(",")
    for name in names:
        pool = read_pool(name, options.folder, options.cache)
        if pool is None:
            bench.say(f"{name}: not in {options.folder}, left out")
            continue
        for seed in range(options.seeds):
            if (name, seed) not in done:
                kept.append({"set": name, "seed": seed, "runs": list(run_seed(pool, seed))})
        bench.say(name)
    rows = [row for row in kept.rows if row["set"] in names and row["seed"] < options.seeds]
    bench.raw = {"seeds": options.seeds, "runs": rows}
    _summarise(bench, [{"set": row["set"], **run} for row in rows for run in row["runs"]])
    bench.finish()


def read_pool(name: str, folder: Path, cache: Path) -> Pool | None:
    """A thousand texts of a set at most, encoded once; None when there are no texts."""
    kept, path = cache / f"{name}.npz", folder / f"{name}.jsonl"
    if not kept.is_file():
        if name != DEMONSTRATION and not path.is_file():
            return None
        _encode(_read_rows(name, path), kept)
    with np.load(kept, allow_pickle=False) as arrays:
        ids = np.arange(1, len(arrays["y"]) + 1)
        items = Embeddings(ids, arrays["x"], "all-MiniLM-L6-v2")
        space = LabelSpace(tuple(arrays["names"].tolist()))
        return Pool(items, arrays["y"].astype(np.intp), space, arrays["nv"])


def run_seed(pool: Pool, seed: int) -> Iterator[dict[str, Any]]:
    """Figures of the names alone and of the trained head, for every kind and number of labels."""
    graph = build_neighbour_graph(pool.items, np.random.default_rng(seed))
    by_name = cold_start(pool.name_vectors, pool.space).head.probabilities(pool.items, "").values
    for kind, rows in draw_labels(pool.answers, len(pool.space), seed):
        seen = np.unique(pool.answers[rows])
        found = _learn(pool, rows, np.arange(len(pool.space)), graph, seed)
        alone = _learn(pool, rows, seen, graph, seed) if len(seen) > 1 else found[:, seen]
        of_seen = np.isin(pool.answers, seen)
        truth = np.searchsorted(seen, pool.answers[of_seen])
        yield {
            "kind": kind,
            "labels": len(rows),
            "unseen": len(pool.space) - len(seen),
            "names": _measure(by_name, pool.answers),
            "head": _measure(found, pool.answers),
            NO_ROOM: _share(_learn_without_room(pool, rows, graph, seed), pool.answers)
            if kind == ALL
            else None,
            "labelled classes": {
                "names": _share(by_name[of_seen], pool.answers[of_seen]),
                "head": _share(found[of_seen], pool.answers[of_seen]),
                "names, among themselves": _share(by_name[of_seen][:, seen], truth),
                "head, among themselves": _share(found[of_seen][:, seen], truth),
                "a head that knows no others": _share(alone[of_seen], truth),
            },
        }


def draw_labels(answers: Rows, classes: int, seed: int) -> Iterator[tuple[str, Rows]]:
    """Rows to label, drawn at random from some classes in an order drawn by seed; more rows hold fewer."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(classes)
    for kind, count in zip(KINDS, (1, 2, (classes + 1) // 2, classes), strict=True):
        if count == classes and kind != KINDS[-1]:
            continue
        rows = rng.permutation(np.flatnonzero(np.isin(answers, order[:count])))
        for size in sorted({*SIZES, *SIZES_OF_ALL} if kind == ALL else SIZES):
            if size <= len(rows):
                yield kind, np.sort(rows[:size])


def _learn(pool: Pool, rows: Rows, classes: Rows, graph: NeighbourGraph, seed: int) -> Floats:
    """Probabilities (n, c') of a head that knows these classes of the space."""
    space = LabelSpace(tuple(pool.space.names[column] for column in classes))
    names = [pool.space.names[column] for column in pool.answers[rows]]
    trained = train(
        pool.items.take(rows),
        Labels.from_names(pool.items.ids[rows], names, space),
        name_vectors=pool.name_vectors[classes],
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng(seed),
        neighbour_graph=graph,
    )
    return softmax(trained.head.logits(pool.items.vectors))


def _learn_without_room(pool: Pool, rows: Rows, graph: NeighbourGraph, seed: int) -> Floats:
    """Probabilities (n, c) of a head that takes every class for one that has labels."""
    with patch.object(model.training, "unseen_classes", lambda labels: np.zeros(0, dtype=np.intp)):
        return _learn(pool, rows, np.arange(len(pool.space)), graph, seed)


def _measure(probabilities: Floats, answers: Rows) -> dict[str, float]:
    right = probabilities.argmax(axis=1) == answers
    wrong = probabilities.max(axis=1)[~right]
    values = (right.mean(), calibration_error(probabilities, answers), wrong.mean() if len(wrong) else 0.0)
    return dict(zip(FIGURES, map(float, values), strict=True))


def _share(probabilities: Floats, answers: Rows) -> float:
    return float((probabilities.argmax(axis=1) == answers).mean())


def _read_rows(name: str, path: Path) -> list[Row]:
    if name == DEMONSTRATION:
        return [{"text": text.content, "label": text.label} for text in draw_classes(0).tasks]
    rows = read_labelled_texts(path, label_field=SETS[name])
    return thin([{"text": shorten(row.text), "label": row.label} for row in rows], POOL)


def _encode(rows: list[Row], kept: Path) -> None:
    labels = sorted({row["label"] for row in rows})
    encoder = load_text_encoder(threads=1)
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        kept,
        x=encoder.encode([row["text"] for row in rows]),
        y=np.array([labels.index(row["label"]) for row in rows]),
        names=np.array(labels),
        nv=encoder.encode([readable_name(label) for label in labels]),
    )


def _summarise(bench: Bench, runs: list[dict[str, Any]]) -> None:
    for kind in KINDS:
        cells = [run for run in runs if run["kind"] == kind]
        shown = " / ".join(map(str, SIZES))
        by_name = _mean(cells, "names", FIGURES[0])
        for figure in FIGURES:
            start = f"{by_name:.3f} by names → " if figure == FIGURES[0] else ""
            bench.add(f"{kind}: {figure}, {shown} labels", start + _by_size(cells, "head", figure))
        for who in ("names", "head", "head, among themselves", "a head that knows no others"):
            values = _by_size(cells, "labelled classes", who)
            bench.add(f"{kind}: accuracy on the labelled classes, {who}", values)
    _check(bench, [run for run in runs if run["unseen"]])
    _compare_with_no_room(bench, [run for run in runs if run["kind"] == ALL])


def _compare_with_no_room(bench: Bench, runs: list[dict[str, Any]]) -> None:
    """Random labels of all classes, the sets by themselves: what keeping room costs."""
    gains = {}
    for name in dict.fromkeys(run["set"] for run in runs):
        shown = []
        for size in SIZES_OF_ALL:
            found = [run for run in runs if (run["set"], run["labels"]) == (name, size)]
            if found:
                head, without = _mean(found, "head", FIGURES[0]), fmean(run[NO_ROOM] for run in found)
                gains[name, ALL, size] = head - without
                shown.append(f"{head:.3f} ({without:.3f}) after {size}")
        bench.add(f"{name}, {ALL}: accuracy ({NO_ROOM}) after so many labels", ", ".join(shown))
    worst = min(gains, key=lambda cell: gains[cell])
    bench.check(
        f"least gain over {NO_ROOM}, random labels of all classes",
        f"{gains[worst]:+.3f} ({_words(worst)})",
        target=f"≥ {LEAST_GAIN:+.2f}",
        reached=gains[worst] >= LEAST_GAIN,
    )


def _check(bench: Bench, runs: list[dict[str, Any]]) -> None:
    """The aims, for the mean over seeds of each set, kind and number of labels that left a class unseen."""
    cells: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        cells[run["set"], run["kind"], run["labels"]].append(run)
    gains, errors, sure = {}, {}, {}
    for cell, found in cells.items():
        gains[cell] = _mean(found, "head", FIGURES[0]) - _mean(found, "names", FIGURES[0])
        errors[cell], sure[cell] = (_mean(found, "head", figure) for figure in FIGURES[1:])
    late = {cell: error for cell, error in errors.items() if cell[1] == HALF and cell[2] >= ENOUGH}
    worst = min(gains, key=lambda cell: gains[cell])
    bench.check(
        "least gain over the names alone, of any set, kind and number of labels",
        f"{gains[worst]:+.3f} ({_words(worst)})",
        target=f"≥ {LEAST_GAIN:+.2f}",
        reached=gains[worst] >= LEAST_GAIN,
    )
    for what, values, limit in (
        (f"largest calibration error from {ENOUGH} labels of {HALF} on", late, MOST_ERROR_OF_HALF),
        ("largest calibration error", errors, MOST_ERROR),
        ("largest mean confidence of wrong answers", sure, MOST_CONFIDENCE),
    ):
        most = max(values, key=lambda cell: values[cell])
        missed = sorted(_words(cell) for cell, value in values.items() if value > limit)
        note = f"; above in {len(missed)} of {len(values)}" if missed else ""
        bench.check(
            what,
            f"{values[most]:.3f} ({_words(most)}){note}",
            target=f"≤ {limit:g}",
            reached=values[most] <= limit,
        )


def _words(cell: tuple[str, str, int]) -> str:
    return f"{cell[0]}, {cell[1]}, {cell[2]} labels"


def _mean(runs: list[dict[str, Any]], who: str, figure: str) -> float:
    """The mean over sets of the mean over seeds."""
    by_set = defaultdict(list)
    for run in runs:
        by_set[run["set"]].append(run[who][figure])
    return fmean(fmean(values) for values in by_set.values())


def _by_size(runs: list[dict[str, Any]], who: str, figure: str) -> str:
    means = [_mean([run for run in runs if run["labels"] == size], who, figure) for size in SIZES]
    return " / ".join(f"{value:.3f}" for value in means)


if __name__ == "__main__":
    main()
