"""The public text sets as exercises for strategies: encoded once, then a pool and test items by seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.simulation.rows import read_labelled_texts
from backend.workflows.training.names import readable_name
from model.encoders.text import load_text_encoder
from model.heads.neighbour_graph import build_neighbour_graph
from model.records import Embeddings, Floats, LabelSpace
from model.simulation.oracle import Oracle
from model.simulation.run import Exercise

HELD_OUT = 0.3  # of a set that does not say itself what is for testing


@dataclass(frozen=True, slots=True)
class TextSet:
    """A file of texts: one label per class between trainings, ten where classes are two or three."""

    name: str
    file: str
    batch: int
    budget: int
    label_field: str = "label"


SETS = {
    text_set.name: text_set
    for text_set in (
        TextSet("banking77", "banking77", 77, 540),
        TextSet("banking77-long-tail", "banking77-long-tail", 77, 540),
        TextSet("clinc150-domains", "clinc150", 10, 320, "domain"),
        TextSet("20news", "20news", 20, 440),
        TextSet("r8", "r8", 8, 120),
        TextSet("r52", "r52", 52, 364),
        TextSet("reviews", "reviews", 10, 300),
        TextSet("spamassassin", "spamassassin", 10, 150),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSet:
    """Vectors (n, d), answers (n,), which rows are for testing (n,), and name vectors (c, d)."""

    vectors: Floats
    answers: NDArray[np.intp]
    is_test: NDArray[np.bool_]
    space: LabelSpace
    name_vectors: Floats

    def draw(self, seed: int, *, with_names: bool = True, pool_size: int | None = None) -> Exercise:
        """The exercise of one seed, as `simulate labels` has it; a smaller pool is drawn at random."""
        is_test = self.is_test
        if not is_test.any():
            is_test = np.zeros(len(self.answers), dtype=np.bool_)
            chosen = np.random.default_rng(seed).permutation(len(is_test))[: round(HELD_OUT * len(is_test))]
            is_test[chosen] = True
        rows = np.flatnonzero(~is_test)
        if pool_size is not None and pool_size < len(rows):
            rows = np.sort(np.random.default_rng(seed).choice(rows, pool_size, replace=False))
        everything = Embeddings(np.arange(1, len(self.answers) + 1), self.vectors, "all-MiniLM-L6-v2")
        pool = everything.take(rows)
        return Exercise(
            pool=pool,
            oracle=Oracle(self.answers[rows], self.space),
            test=everything.take(is_test),
            test_classes=self.answers[is_test],
            name_vectors=self.name_vectors if with_names else None,
            neighbour_graph=build_neighbour_graph(pool, np.random.default_rng(seed)),
        )


def read_set(text_set: TextSet, folder: Path, cache: Path) -> EncodedSet | None:
    """A set from its texts in `folder`, or from the vectors kept in `cache`; None when neither is there."""
    kept, texts = cache / f"{text_set.file}.npz", folder / f"{text_set.file}.jsonl"
    if not kept.is_file():
        if not texts.is_file():
            return None
        _encode(texts, text_set.label_field, kept)
    with np.load(kept, allow_pickle=False) as arrays:
        return EncodedSet(
            vectors=arrays["x"],
            answers=arrays["y"].astype(np.intp),
            is_test=arrays["split"] == "test",
            space=LabelSpace(tuple(arrays["names"].tolist())),
            name_vectors=arrays["nv"],
        )


def _encode(texts: Path, label_field: str, kept: Path) -> None:
    rows = read_labelled_texts(texts, label_field=label_field)
    labels = sorted({row.label for row in rows})
    columns = {label: column for column, label in enumerate(labels)}
    encoder = load_text_encoder()
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        kept,
        x=encoder.encode([row.text for row in rows]),
        y=np.array([columns[row.label] for row in rows]),
        split=np.array(["test" if row.is_test else "train" if row.is_test is False else "" for row in rows]),
        names=np.array(labels),
        nv=encoder.encode([readable_name(label) for label in labels]),
    )
