"""The open-intent protocol: some intents are known with all their labels, all else is to be called open.

After Lorenc et al., 2022, whose figures (frozen sentence encoder, small head) are the aims. Measured is what
the live loop would say: the label that the head gives, or none of them where the detector flags the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from backend.context import Context
from backend.parts import build_context
from backend.settings import Settings
from backend.simulation.labels import encode_rows
from backend.simulation.rows import LabelledText, read_labelled_texts
from backend.workflows.project.progress import Silent
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from model.encoders.text import load_text_encoder
from model.heads.neighbour_graph import build_neighbour_graph
from model.novelty.detector import detect
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.training import train

ALPHA = 0.1  # one rate of false alarms for all cells
USUAL_ALPHA = 0.05  # that of the live loop, for comparison
CALIBRATING = 0.1  # share of the training rows that stand for an audit, as the protocol's validation rows do
OPEN = "oos"  # the label of lines that belong to no intent
SPLITS = {"banking77": (), "clinc150": ("oos_test",)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A set, the share of its intents that are known, and the aims: macro-F1 and accuracy, in percent."""

    file: str
    known: float
    f1: float
    accuracy: float


CELLS = (
    Cell("banking77", 0.25, 78.9, 85.7),
    Cell("banking77", 0.50, 84.9, 83.8),
    Cell("banking77", 0.75, 88.4, 84.4),
    Cell("clinc150", 0.25, 85.9, 91.8),
    Cell("clinc150", 0.50, 89.2, 88.8),
    Cell("clinc150", 0.75, 92.2, 88.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The lines of a set with their vectors, and the vectors (c, d) of the names of its intents."""

    rows: list[LabelledText]
    everything: Embeddings
    intents: list[str]
    name_vectors: Floats


def read_encoded(context: Context, folder: Path, file: str) -> Encoded:
    """Reads and encodes a set, the lines that fit no intent included."""
    rows = read_labelled_texts(folder / f"{file}.jsonl", splits=SPLITS[file])
    vectors, names = encode_rows(context, rows, with_names=True, progress=Silent())
    if names is None:
        raise ValueError("encode_rows: names were asked for")
    labels = sorted({row.label for row in rows})
    kept = [column for column, label in enumerate(labels) if label != OPEN]
    everything = Embeddings(np.arange(len(rows)), vectors.vectors, vectors.encoder)
    return Encoded(rows, everything, [labels[column] for column in kept], names[kept])


def add_open_intents(bench: Bench, folder: Path, ledger: JsonLines, *, seeds: int) -> None:
    """A line for each cell: macro-F1 and accuracy at one rate of false alarms, means over seeds."""
    known = {name: figures for row in ledger.rows for name, figures in row.items()}
    context = build_context(Settings(), load_encoder=partial(load_text_encoder, threads=1))
    read: dict[str, Encoded] = {}
    for cell in CELLS:
        name = f"open intents, {cell.file}, {cell.known:.0%} known"
        if not (folder / f"{cell.file}.jsonl").is_file():
            bench.say(f"{name}: not in {folder}, left out")
            continue
        bench.say(name)
        if name not in known:
            if cell.file not in read:
                read[cell.file] = read_encoded(context, folder, cell.file)
            known[name] = [measure_cell(read[cell.file], cell.known, seed) for seed in range(seeds)]
            ledger.append({name: known[name]})
        bench.raw[name] = known[name]
        _add(bench, cell, name, known[name])


def _add(bench: Bench, cell: Cell, name: str, runs: list[dict[str, float]]) -> None:
    for what, aim in (("f1", cell.f1), ("accuracy", cell.accuracy)):
        found = fmean(run[what] for run in runs)
        usual = fmean(run[f"{what}_usual"] for run in runs)
        bench.check(
            f"{name}: {'macro-F1' if what == 'f1' else 'accuracy'}",
            f"{found:.1f} ({usual:.1f} at {USUAL_ALPHA:g})",
            target=f"≥ {aim:g}",
            reached=found >= aim,
        )
    alarms = fmean(run["false_alarm_rate"] for run in runs)
    bench.add(f"{name}: false alarms at {ALPHA:g}", f"{alarms:.3f}")


def measure_cell(texts: Encoded, known: float, seed: int) -> dict[str, float]:
    """Accuracy and macro-F1, in percent, over the known intents and one more for all others.

    Both at one rate of false alarms for all cells, and at the usual one.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(texts.intents))[: round(known * len(texts.intents))])
    space = LabelSpace(tuple(texts.intents[column] for column in chosen))
    is_known = np.array([row.label in space.names for row in texts.rows])
    is_test = np.array([bool(row.is_test) for row in texts.rows])
    given = np.flatnonzero(is_known & ~is_test)
    labels = Labels.from_names(given, [texts.rows[row].label for row in given], space)
    asked = np.flatnonzero(is_test)
    columns = {name: column for column, name in enumerate(space.names)}
    truth = np.array([columns.get(texts.rows[row].label, len(space)) for row in asked])
    best, p = _judge(texts, labels, asked, texts.name_vectors[chosen], rng=rng)
    figures = _compare(np.where(p <= ALPHA, len(space), best), truth, len(space))
    usual = _compare(np.where(p <= USUAL_ALPHA, len(space), best), truth, len(space))
    return figures | {f"{name}_usual": value for name, value in usual.items()}


def _compare(said: NDArray[np.intp], truth: NDArray[np.intp], known: int) -> dict[str, float]:
    """Figures of what was said of each line (n,); `known` stands for open."""
    return {
        "accuracy": 100.0 * float((said == truth).mean()),
        "f1": 100.0 * float(f1_score(truth, said, average="macro")),
        "false_alarm_rate": float((said[truth < known] == known).mean()),
        "open_found": float((said[truth == known] == known).mean()),
    }


def _judge(
    texts: Encoded,
    labels: Labels,
    asked: NDArray[np.intp],
    name_vectors: Floats,
    *,
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The known intent (n,) that each asked line is nearest to, and its p-value (n,)."""
    labelled, pool = texts.everything.take(labels.ids), texts.everything.take(asked)
    audit = rng.random(len(labels)) < CALIBRATING
    trained = train(
        labelled,
        labels,
        name_vectors=name_vectors,
        audit=audit,
        rng=rng,
        neighbour_graph=build_neighbour_graph(texts.everything.take(np.union1d(labels.ids, asked)), rng),
    )
    found = detect(labelled, labels, pool, audit=audit, alpha=ALPHA, rng=rng, name_vectors=name_vectors)
    best = trained.head.probabilities(pool, "open-intent").values.argmax(axis=1)
    return best, found.p_values
