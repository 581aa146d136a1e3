"""Texts of which two things are asked: Reuters-21578 from npm, CLINC150 and GoEmotions from files.

Nothing here is vendored: see README.md for the licences. A set's vectors are kept beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.several_sets import FEWEST, PACKAGE, POOL, TEST, read_reuters
from model.encoders.text import load_text_encoder
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.task_type import Learner
from model.tasks.several_choices import SeveralChoices
from model.tasks.single_choice import SingleChoice

# How the authors of GoEmotions group their emotions (Demszky et al., 2020); all others are ambiguous.
_POSITIVE = (
    *("admiration", "amusement", "approval", "caring", "desire", "excitement", "gratitude", "joy", "love"),
    *("optimism", "pride", "relief"),
)
_NEGATIVE = (
    *("anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear", "grief"),
    *("nervousness", "remorse", "sadness"),
)

Given = tuple[str, list[str], list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question: who learns it, its answers (n, c), and vectors (c, d) of the names of its labels."""

    learner: Learner
    targets: Floats
    space: LabelSpace
    names: Floats

    def labels(self, rows: NDArray[np.intp]) -> Labels:
        """The true answers of some rows."""
        return Labels(rows.astype(np.int64), self.targets[rows], self.space)


@dataclass(frozen=True, slots=True, eq=False)
class TwoQuestions:
    """A set of texts: vectors (n, d), and two questions about each."""

    name: str
    vectors: Floats
    first: Asked
    second: Asked

    @property
    def questions(self) -> tuple[Asked, Asked]:
        """Both, the first one first."""
        return self.first, self.second

    def split(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of a pool and of a test set that share no item, drawn by the seed."""
        order = np.random.default_rng([7, seed]).permutation(len(self.vectors))
        test = min(TEST, len(order) // 3)
        return order[test : test + POOL], order[:test]

    def items(self, rows: NDArray[np.intp]) -> Embeddings:
        """Some rows as items whose ids are their places."""
        return Embeddings(rows.astype(np.int64), self.vectors[rows], "bench")


def load_two_questions(
    folder: Path, *, clinc150: Path | None, goemotions: Path | None
) -> Iterator[TwoQuestions]:
    """Every set that is there: Reuters where its package is in the folder, others where they are named."""
    archive = folder / f"{PACKAGE.replace('@', '-')}.tgz"
    if archive.is_file():
        places = dict(read_reuters(archive, "places"))
        rows = [
            (text, given, places[text]) for text, given in read_reuters(archive, "topics") if text in places
        ]
        yield _prepare(folder, "reuters topics and places", rows, (SeveralChoices(), SeveralChoices()))
    if clinc150 is not None and clinc150.is_file():
        lines = [row for row in _lines(clinc150) if row["label"] != "oos"]
        rows = [(row["text"], [row["domain"]], [row["label"]]) for row in lines]
        yield _prepare(folder, "clinc150 domain and intent", rows, (SingleChoice(), SingleChoice()))
    if goemotions is not None and goemotions.is_file():
        rows = [(row["text"], [_sentiment(row["label"])], row["label"]) for row in _lines(goemotions)]
        yield _prepare(folder, "goemotions sentiment and emotions", rows, (SingleChoice(), SeveralChoices()))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _sentiment(emotions: list[str]) -> str:
    """The group of the first emotion."""
    first = emotions[0]
    if first == "neutral":
        return first
    return "positive" if first in _POSITIVE else "negative" if first in _NEGATIVE else "ambiguous"


def _prepare(folder: Path, name: str, rows: list[Given], learners: tuple[Learner, Learner]) -> TwoQuestions:
    """The set with the frequent classes of both questions, at most 4,000 texts, encoded once."""
    spaces = [_frequent([row[at] for row in rows]) for at in (1, 2)]
    known = [
        (
            text,
            *(
                [one for one in given if one in space.names]
                for given, space in zip(both, spaces, strict=True)
            ),
        )
        for text, *both in rows
    ]
    some = [row for row in known if row[1] and row[2]]
    order = np.random.default_rng(0).permutation(len(some))[: POOL + TEST]
    some = [some[row] for row in order]
    vectors, names = _encode(folder / f"{name.replace(' ', '-')}.npz", [row[0] for row in some], spaces)
    asked = [
        Asked(learner, _targets([row[at] for row in some], space), space, name_vectors)
        for at, learner, space, name_vectors in zip((1, 2), learners, spaces, names, strict=True)
    ]
    return TwoQuestions(name, vectors, asked[0], asked[1])


def _frequent(given: list[list[str]]) -> LabelSpace:
    counts = Counter(label for labels in given for label in labels)
    return LabelSpace(tuple(sorted(label for label, count in counts.items() if count >= FEWEST)))


def _targets(given: list[list[str]], space: LabelSpace) -> Floats:
    targets = np.zeros((len(given), len(space)), dtype=np.float32)
    for row, labels in enumerate(given):
        targets[row, [space.index(one) for one in labels]] = 1.0
    return targets


def _encode(kept: Path, texts: list[str], spaces: list[LabelSpace]) -> tuple[Floats, list[Floats]]:
    if not kept.is_file():
        encoder: Any = load_text_encoder(threads=1)
        titles = [[name.replace("-", " ").replace("_", " ") for name in space.names] for space in spaces]
        first, second = (encoder.encode(some) for some in titles)
        np.savez(kept, x=encoder.encode(texts), first=first, second=second)
    with np.load(kept) as vectors:
        return vectors["x"], [vectors["first"], vectors["second"]]
