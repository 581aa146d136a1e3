"""Public texts that play a generator: sound items, and among them faults of which the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.simulation.rows import read_labelled_texts
from benchmarks.exercises import SETS, read_set
from benchmarks.faults import (
    EXACT_TWIN,
    FAULTS,
    GARBLED,
    HARMFUL,
    NEAR_TWIN,
    OFF_TOPIC,
    WRONG_LABEL,
    garble,
    write_near_twin,
    write_twin,
)
from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.items import RealItems, SyntheticItems, Unlabelled
from model.synthetic.text_statistics import normalise

SOUND = "sound"
AUDIT = 200
MADE = 1000
UNLABELLED = 1000
MOST_FAULTY = 0.5  # twins repeat items that are there at every share of faults up to this
POOR = 3  # real labels of every second class
_BANKING = ("banking", "credit_cards")

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Source:
    """A set, how many real labels its rich classes have, and where its off-topic texts come from."""

    name: str
    rich: int
    strangers: tuple[str, ...]


SOURCES = (
    Source("clinc150-domains", 30, ("clinc150-oos", "20news")),
    Source("banking77", 12, ("clinc150-elsewhere", "20news")),
    Source("20news", 30, ("reviews", "clinc150")),
    Source("r8", 30, ("20news", "clinc150")),
)
UNSEEN = ("r8",)  # nothing in the method was chosen by looking at these


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A set: texts, vectors (n, d), classes (n,), rows to draw from, rows to test on, off-topic texts."""

    source: Source
    texts: list[str]
    vectors: Floats
    classes: Rows
    space: LabelSpace
    pool: Rows
    test: Rows
    strangers: tuple[list[str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Real items with their audit, synthetic items with the kind of each (s,), and the test's truth.

    `base` (s,) is the id of the item that a twin repeats, or -1.
    """

    real: RealItems
    synthetic: SyntheticItems
    kinds: NDArray[np.str_]
    base: NDArray[np.int64]
    test: Floats
    test_classes: Rows

    @property
    def harmful(self) -> NDArray[np.bool_]:
        """Which synthetic items (s,) are faulty."""
        return np.isin(self.kinds, HARMFUL)


class Encoder:
    """Vectors of made-up texts, encoded once and kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Floats] = {}
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                self._known = dict(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n, d)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, load_text_encoder().encode(new), strict=True))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._path, texts=list(self._known), vectors=np.stack(list(self._known.values())))
        return np.stack([self._known[text] for text in texts])


def load_material(source: Source, folder: Path, cache: Path) -> Material | None:
    """The set with one row of each wording; None when a file is missing."""
    text_set = SETS[source.name]
    encoded = read_set(text_set, folder, cache)
    path = folder / f"{text_set.file}.jsonl"
    strangers = tuple(_strangers(name, folder) for name in source.strangers)
    if encoded is None or not path.is_file() or not all(strangers):
        return None
    texts = [row.text for row in read_labelled_texts(path, label_field=text_set.label_field)]
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        first.setdefault(normalise(text), row)
    unique = np.array(sorted(first.values()), dtype=np.intp)
    is_test = encoded.is_test[unique]
    return Material(
        source=source,
        texts=texts,
        vectors=encoded.vectors.astype(np.float32),
        classes=encoded.answers,
        space=encoded.space,
        pool=unique[~is_test],
        test=unique[is_test],
        strangers=strangers,
    )


def draw(material: Material, encoder: Encoder, *, faulty: float, seed: int) -> Draw:
    """Real labels, rich in every second class and poor in the others, an audit, and 1,000 synthetic items.

    A share `faulty` of these is faulty, in equal parts of every kind; those of a lower share are among those
    of a higher one. Every other synthetic item is a real text that is used for nothing else.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(material.pool)
    audit, rows = rows[:AUDIT], rows[AUDIT:]
    taught = _draw_taught(material, rows, rng)
    rows = rows[~np.isin(rows, taught)]
    each = round(MADE * MOST_FAULTY / len(FAULTS))
    planted = _plant(material, taught, rows, each, rng)
    sound = rows[each * 2 :][: MADE - round(MADE * faulty)]
    texts = [material.texts[row] for row in sound]
    classes = material.classes[sound].tolist()
    kinds, bases = [SOUND] * len(sound), [-1] * len(sound)
    for kind in FAULTS:
        for text, column, base in planted[kind][: round(MADE * faulty / len(FAULTS))]:
            texts.append(text)
            classes.append(column)
            kinds.append(kind)
            bases.append(base)
    vectors = np.concatenate([material.vectors[sound], encoder.encode(texts[len(sound) :])])
    order = rng.permutation(len(texts))
    rest = rows[each * 2 + MADE :][:UNLABELLED]
    real_rows = np.concatenate([taught, audit])
    ids = 1_000_000 + np.arange(len(texts))
    own = np.concatenate([sound, np.full(len(texts) - len(sound), -1)])[order]
    return Draw(
        real=_real(material, real_rows, np.arange(len(real_rows)) >= len(taught), rest),
        synthetic=SyntheticItems(
            Embeddings(ids, vectors[order], "frozen"),
            Labels(ids, _one_hot(np.array(classes)[order], material.space), material.space),
            texts=[texts[place] for place in order],
        ),
        kinds=np.array(kinds)[order],
        base=_number_bases(np.array(bases)[order], own, ids),
        test=material.vectors[material.test],
        test_classes=material.classes[material.test],
    )


def draw_simple(material: Material, *, real: int, audit: int, made: int, faulty: float, seed: int) -> Draw:
    """Real, audit and synthetic items drawn alike, a share of the latter with a wrong label."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(material.pool), rng.permutation(material.test)])
    kept, synthetic = rows[: real + audit], rows[real + audit :][:made]
    is_wrong = np.arange(len(synthetic)) < round(faulty * len(synthetic))
    width = len(material.space)
    classes = material.classes[synthetic]
    classes = np.where(is_wrong, (classes + rng.integers(1, width, len(synthetic))) % width, classes)
    ids = 1_000_000 + np.arange(len(synthetic))
    order = rng.permutation(len(synthetic))
    return Draw(
        real=_real(material, kept, np.arange(len(kept)) >= real, rows[:0]),
        synthetic=SyntheticItems(
            Embeddings(ids, material.vectors[synthetic[order]], "frozen"),
            Labels(ids, _one_hot(classes[order], material.space), material.space),
            texts=[material.texts[row] for row in synthetic[order]],
        ),
        kinds=np.where(is_wrong, WRONG_LABEL, SOUND)[order],
        base=np.full(len(synthetic), -1),
        test=material.vectors[material.test],
        test_classes=material.classes[material.test],
    )


def draw_noisy(material: Material, *, seed: int) -> Draw:
    """1,000 items of which a tenth has a wrong label, and 100 labels to trust beside an audit of 100."""
    return draw_simple(material, real=100, audit=100, made=1000, faulty=0.1, seed=seed)


def _draw_taught(material: Material, rows: Rows, rng: np.random.Generator) -> Rows:
    """The first few rows of each class; few of every second class, drawn by seed."""
    width = len(material.space)
    wanted = np.where(rng.permutation(width) % 2 == 0, material.source.rich, POOR)
    classes = material.classes[rows]
    return np.concatenate([rows[classes == column][: wanted[column]] for column in range(width)])


def _plant(
    material: Material, taught: Rows, rows: Rows, each: int, rng: np.random.Generator
) -> dict[str, list[tuple[str, int, int]]]:
    """For each kind of fault so many (text, intended class, row that a twin repeats or -1)."""
    width, texts, classes = len(material.space), material.texts, material.classes
    mislabelled, garbled = rows[:each], rows[each : each * 2]
    kept = rows[each * 2 :][: MADE - round(MADE * MOST_FAULTY)]
    bases = rng.permutation(np.concatenate([taught, kept]))[: each * 2]
    half = -(-each // len(material.strangers))
    strangers = [
        text for part in material.strangers for text in (part[n] for n in rng.permutation(len(part))[:half])
    ]
    mixed = [texts[row] for row in rows[: 10 * each]]
    return {
        WRONG_LABEL: [
            (texts[row], int((classes[row] + rng.integers(1, width)) % width), -1) for row in mislabelled
        ],
        OFF_TOPIC: [
            (strangers[place], int(rng.integers(width)), -1) for place in rng.permutation(len(strangers))
        ],
        GARBLED: [(garble([texts[row], *mixed], rng), int(classes[row]), -1) for row in garbled],
        EXACT_TWIN: [(write_twin(texts[row], rng), int(classes[row]), int(row)) for row in bases[:each]],
        NEAR_TWIN: [(write_near_twin(texts[row], rng), int(classes[row]), int(row)) for row in bases[each:]],
    }


def _number_bases(
    bases: NDArray[np.int64], own: NDArray[np.int64], ids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Ids of what twins repeat: a synthetic item's where the row is one, else the row itself."""
    place = {int(row): int(item) for row, item in zip(own, ids, strict=True) if row >= 0}
    return np.array([place.get(int(base), int(base)) for base in bases], dtype=np.int64)


def _real(material: Material, rows: Rows, audit: NDArray[np.bool_], rest: Rows) -> RealItems:
    space = material.space
    return RealItems(
        Embeddings(rows, material.vectors[rows], "frozen"),
        Labels(rows, _one_hot(material.classes[rows], space), space),
        audit,
        [material.texts[row] for row in rows],
        Unlabelled(Embeddings(rest, material.vectors[rest], "frozen"), [material.texts[row] for row in rest]),
    )


def _one_hot(classes: Rows, space: LabelSpace) -> Floats:
    return np.eye(len(space), dtype=np.float32)[classes]


def _strangers(name: str, folder: Path) -> list[str]:
    """Texts of another set; of clinc150 what it calls out of scope, or what has nothing to do with banks."""
    path = folder / f"{name.split('-')[0]}.jsonl"
    if not path.is_file():
        return []
    if name == "clinc150-oos":
        rows = read_labelled_texts(path, splits=("oos_test",))
        return [row.text for row in rows if row.label == "oos"]
    field = "domain" if name == "clinc150-elsewhere" else "label"
    rows = read_labelled_texts(path, label_field=field)
    return [row.text for row in rows if row.label not in _BANKING]
