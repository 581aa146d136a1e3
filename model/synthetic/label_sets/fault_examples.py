"""Faults made of real items whose label sets are right: wrong sets, off-topic and garbled items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.neighbours import Rows
from model.records import Floats
from model.synthetic.fault_detector import (
    MOST_REAL,
    NEAREST_GONE,
    WRONG_LABELS,
    Examples,
    scrambled,
    spoiled,
)
from model.synthetic.label_sets.evidence import SetEvidence, with_none

_NEVER_SEEN = 1e-6  # how often a label is drawn that no item has, beside those that have their share


def make_set_faults(
    evidence: SetEvidence,
    targets: Floats,
    *,
    real: int,
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> Examples:
    """Examples of sound and faulty items from the first `real` rows of targets (n, c) and texts."""
    rows = np.sort(rng.permutation(real)[:MOST_REAL])
    sets = with_none(targets)
    found = [(0, rows, evidence.of(rows, sets[rows]))]
    many = np.repeat(rows, WRONG_LABELS)
    wrong = with_none(_wrong_sets(targets[:real], many, rng))
    differs = (wrong != sets[many]).any(axis=1)
    found.append((1, many[differs], evidence.of(many[differs], wrong[differs])))
    found.append((2, rows, _away_from_real(evidence, rows, sets[:real], rng)))
    if texts is not None:
        changed, seen = scrambled(evidence, rows, sets, texts, rng)
        found.append((3, changed, seen))
    if evidence.features.looks is not None:
        found.append((3, rows, spoiled(evidence, rows, sets)))
    return Examples(
        np.concatenate([part for _, _, part in found]),
        np.concatenate([np.full(len(made_of), kind) for kind, made_of, _ in found]),
        np.concatenate([made_of for _, made_of, _ in found]),
    )


def _wrong_sets(targets: Floats, rows: Rows, rng: np.random.Generator) -> Floats:
    """For each row in turn the set of another item, one label in the place of another, or one too many.

    Half of the labels that are put in are drawn as often as items have them: a detector that sees only labels
    drawn alike learns that rare labels are wrong.
    """
    wrong = targets[rows].copy()
    way = np.arange(len(rows)) % 3
    others = targets[rng.integers(len(targets), size=len(rows))]
    wrong[way == 0] = others[way == 0]
    absent, usual = 1.0 - targets[rows], targets.mean(axis=0) + _NEVER_SEEN
    is_usual = rng.random((len(rows), 1)) < 0.5
    extra = _draw(absent * np.where(is_usual, usual, 1.0), rng)
    given = _draw(targets[rows], rng)
    for row in np.flatnonzero(way > 0):
        if extra[row] >= 0:
            wrong[row, extra[row]] = 1.0
        if way[row] == 1 and given[row] >= 0:
            wrong[row, given[row]] = 0.0
    return wrong


def _draw(weights: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """A column of each row of weights (m, c) at random, (m,); -1 where all are 0."""
    waits = rng.exponential(size=weights.shape) / np.maximum(weights, 1e-12)  # the first to come is drawn
    found = np.where(weights > 0, waits, np.inf).argmin(axis=1)
    return np.where((weights > 0).any(axis=1), found, -1).astype(np.intp)


def _away_from_real(evidence: SetEvidence, rows: Rows, sets: Floats, rng: np.random.Generator) -> Floats:
    """Evidence of items about what nobody knows, carrying the set of another item."""
    least, most = NEAREST_GONE
    share = least * (most / least) ** rng.random(len(rows))
    dropped = np.ceil((len(evidence.features.known) - 2) * share).astype(np.intp)
    others = sets[rng.integers(len(sets), size=len(rows))]
    return evidence.of_strangers(rows, others, unheard=sets[rows], dropped=dropped)
