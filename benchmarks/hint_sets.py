"""Sets whose labels have keywords: the words that tell most in texts apart, which no figure is measured on.

A person who knows the labels would name such words; nobody checks them against texts, as is done here, so the
figures are the best that three words a label can do, not what any three words do.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.workflows.training.names import readable_name
from benchmarks.data_sets import thin
from benchmarks.several_sets import PACKAGE, load_several, read_reuters
from model.encoders.keywords import find_keywords
from model.encoders.text import load_text_encoder
from model.heads.keywords import KeywordHits
from model.records import Floats, LabelSpace

MEASURED = 4000  # texts that are measured on; the others give the keywords
OTHERS = 2000
WORDS = 3  # a label
_WORD = re.compile(r"[a-z]{3,}")
_FEWEST = 3  # texts of a word
_PRECISION_COUNTS = 0.5  # beta of F-beta: a person names words that are rarely wrong


@dataclass(frozen=True, slots=True, eq=False)
class HintSet:
    """Vectors (n, d), targets (n, c), name vectors (c, d), texts, and keywords by label.

    `spoken` (c, d) are the vectors of each label's keywords as one text.
    """

    name: str
    is_single: bool
    vectors: Floats
    targets: Floats
    space: LabelSpace
    names: Floats
    texts: tuple[str, ...]
    keywords: tuple[tuple[str, ...], ...]
    spoken: Floats

    def hits(self, *, shift: int = 0) -> KeywordHits:
        """Which texts hold which keywords; with a shift each label has those of another one."""
        given = [self.keywords[(column + shift) % len(self.space)] for column in range(len(self.space))]
        columns = np.array([column for column, words in enumerate(given) for _ in words], dtype=np.intp)
        return KeywordHits(find_keywords(self.texts, [word for words in given for word in words]), columns)


def load_hint_sets(folder: Path, *, intents: Path | None) -> list[HintSet]:
    """Reuters where npm can fetch it, and a set of one label a text as JSON lines where it is given."""
    found = []
    if intents is not None and intents.is_file():
        found.append(_load_intents(folder, intents))
    several = [one for one in load_several(folder, goemotions=None) if one.name == "reuters-topics"]
    if several:
        texts, targets = _reuters(folder, several[0].space)
        if not np.array_equal(targets[:MEASURED], several[0].targets):
            raise SystemExit(f"{folder}: the vectors there are of other texts; delete them")
        told, rest = (texts[:MEASURED], targets[:MEASURED]), (texts[MEASURED:], targets[MEASURED:])
        one = several[0]
        found.append(_hint_set(one.name, one.space, told, rest, one.vectors, one.names))
    return found


def telling_words(texts: Sequence[str], targets: Floats) -> tuple[tuple[str, ...], ...]:
    """For each label the words of the highest F0.5 in texts (n,) with targets (n, c)."""
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    counts = Counter(word for of_one in words for word in of_one)
    columns = {word: place for place, word in enumerate(w for w, n in counts.items() if n >= _FEWEST)}
    holds = np.zeros((len(texts), len(columns)), dtype=np.float32)
    for row, of_one in enumerate(words):
        holds[row, [columns[word] for word in of_one if word in columns]] = 1.0
    right = holds.T @ targets
    precision = right / holds.sum(axis=0)[:, None]
    recall = right / np.maximum(targets.sum(axis=0), 1.0)
    beta = _PRECISION_COUNTS**2
    score = (1.0 + beta) * precision * recall / np.maximum(beta * precision + recall, 1e-9)
    names, best = list(columns), np.argsort(-score, axis=0, kind="stable")[:WORDS]
    return tuple(tuple(names[place] for place in best[:, column]) for column in range(targets.shape[1]))


def _reuters(folder: Path, space: LabelSpace) -> tuple[list[str], Floats]:
    """All its texts with a topic of the set, those of the set first, in its order."""
    rows = read_reuters(folder / f"{PACKAGE.replace('@', '-')}.tgz", "topics")
    some = [(text, known) for text, given in rows if (known := [one for one in given if one in space.names])]
    order = np.random.default_rng(0).permutation(len(some))
    targets = np.zeros((len(some), len(space)), dtype=np.float32)
    for row, place in enumerate(order):
        targets[row, [space.index(label) for label in some[place][1]]] = 1.0
    return [some[place][0] for place in order], targets


def _load_intents(folder: Path, file: Path) -> HintSet:
    rows = thin([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()], 10_000)
    rows = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[: MEASURED + OTHERS]]
    space = LabelSpace(tuple(sorted({row["label"] for row in rows})))
    targets = np.eye(len(space), dtype=np.float32)[[space.index(row["label"]) for row in rows]]
    texts = [row["text"] for row in rows]
    told, rest = (texts[:MEASURED], targets[:MEASURED]), (texts[MEASURED:], targets[MEASURED:])
    kept = folder / f"hints-{file.stem}.npz"
    if not kept.is_file():
        encoder: Any = load_text_encoder(threads=1)
        titles = [readable_name(name) for name in space.names]
        np.savez(kept, x=encoder.encode(told[0]), names=encoder.encode(titles))
    with np.load(kept) as vectors:
        return _hint_set(file.stem, space, told, rest, vectors["x"], vectors["names"], single=True)


def _hint_set(
    name: str,
    space: LabelSpace,
    told: tuple[list[str], Floats],
    rest: tuple[list[str], Floats],
    vectors: Floats,
    names: Floats,
    *,
    single: bool = False,
) -> HintSet:
    keywords = telling_words(*rest)
    encoder: Any = load_text_encoder(threads=1)
    spoken: NDArray[np.float32] = encoder.encode([", ".join(words) for words in keywords])
    texts, targets = told
    return HintSet(name, single, vectors, targets, space, names, tuple(texts), keywords, spoken)
