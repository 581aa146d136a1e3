"""Texts with several labels that play a generator: sound ones, wrong sets, and copies of labelled texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.faults import EXACT_TWIN, NEAR_TWIN, write_near_twin, write_twin
from benchmarks.several_sets import SeveralSet
from benchmarks.synthetic_sets import Encoder
from model.records import Embeddings, Floats, Labels
from model.synthetic.items import RealItems, SyntheticItems, Unlabelled

SOUND = "sound"
OTHER_SET, EXCHANGED, TOO_MANY = "the set of another text", "one label exchanged", "one label too many"
WRONG = (OTHER_SET, EXCHANGED, TOO_MANY)
COPIES = (EXACT_TWIN, NEAR_TWIN)
REAL, AUDIT, UNLABELLED = 200, 100, 600
SOUND_MADE, EACH_WRONG, EACH_COPY = 150, 20, 30

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SetDraw:
    """Real items with their audit, synthetic ones with the kind of each (s,), and rows to test on."""

    real: RealItems
    synthetic: SyntheticItems
    kinds: NDArray[np.str_]
    test: Rows


def draw_sets(texts: SeveralSet, encoder: Encoder, *, seed: int) -> SetDraw:
    """200 real labels, an audit of 100, and 270 synthetic items: 150 sound, 60 with wrong sets, 60 copies.

    Sound and wrongly labelled ones are real texts that are used for nothing else.
    """
    pool, test = texts.split(seed)
    rng = np.random.default_rng([17, seed])
    known, rest = pool[: REAL + AUDIT], pool[REAL + AUDIT :]
    sound, wrong = rest[:SOUND_MADE], rest[SOUND_MADE:][: EACH_WRONG * len(WRONG)]
    unlabelled = rest[SOUND_MADE + len(wrong) :][:UNLABELLED]
    ways = np.repeat(WRONG, EACH_WRONG)
    copied = rng.permutation(known[:REAL])[: EACH_COPY * len(COPIES)]
    exact, near = copied[:EACH_COPY], copied[EACH_COPY:]
    written = [write_twin(texts.texts[row], rng) for row in exact]
    written += [write_near_twin(texts.texts[row], rng) for row in near]
    rows = np.concatenate([sound, wrong, copied])
    fresh = len(sound) + len(wrong)
    targets = texts.targets[rows].copy()
    targets[len(sound) : fresh] = [
        _spoil(texts, row, way, rng) for row, way in zip(wrong, ways.tolist(), strict=True)
    ]
    vectors = np.concatenate([texts.vectors[rows[:fresh]], encoder.encode(written)])
    said = [*(texts.texts[row] for row in rows[:fresh]), *written]
    kinds = np.array([SOUND] * len(sound) + ways.tolist() + list(np.repeat(COPIES, EACH_COPY)))
    order = rng.permutation(len(rows))
    ids = 1_000_000 + np.arange(len(rows))
    return SetDraw(
        real=RealItems(
            texts.items(known),
            texts.labels(known),
            np.arange(len(known)) >= REAL,
            [texts.texts[row] for row in known],
            Unlabelled(texts.items(unlabelled), [texts.texts[row] for row in unlabelled]),
        ),
        synthetic=SyntheticItems(
            Embeddings(ids, vectors[order].astype(np.float32), "bench"),
            Labels(ids, targets[order], texts.space),
            texts=[said[place] for place in order],
        ),
        kinds=kinds[order],
        test=test,
    )


def _spoil(texts: SeveralSet, row: int, way: str, rng: np.random.Generator) -> Floats:
    """Another set than that of a row; labels are drawn as often as texts have them."""
    own = texts.targets[row]
    while True:
        other = texts.targets[rng.integers(len(texts.targets))]
        if way == OTHER_SET:
            found: Floats = other.copy()
        else:
            found = own.copy()
            found[rng.choice(np.flatnonzero(other))] = 1.0
            if way == EXCHANGED:
                found[rng.choice(np.flatnonzero(own))] = 0.0
        if (found != own).any() and not (way == EXCHANGED and found.sum() < own.sum()):
            return found
