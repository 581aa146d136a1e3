"""What speaks for and against an item carrying a label: heads out of fold, neighbours, density, wording.

Every column of the evidence can be worked out for any label of an item, not only for its own, and for an
item whose nearest real items are taken away, or whose text is scrambled: so faults of known truth are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import cross_fit
from model.synthetic.neighbours import Rows, find_neighbours
from model.synthetic.text_statistics import log_lengths, unseen_shares

VOTERS = 10  # neighbours that vote on an item's label
REFERENCE = 8000  # items that neighbours are looked for among
DENSITY = 5  # nearest real items whose mean cosine is an item's density
_CHUNK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Of n items, the real ones first: what heads and neighbours say of each class (n, c), and densities."""

    log_mean: Floats  # log of the mean probability out of fold, (n, c)
    mean_log: Floats  # mean of its log, (n, c)
    votes: Floats  # share of the neighbours' votes, (n, c)
    near_votes: Floats  # the same, near neighbours counting more, (n, c)
    closest: Floats  # cosine to the closest item of a class, (n, c)
    real_vectors: Floats  # (r, d)
    density: Floats  # cosine to the nearest real item and mean to the nearest few, (n, 2)
    wording: Floats  # (n, w), no columns without texts

    def of(self, rows: Rows, columns: NDArray[np.intp]) -> Floats:
        """Evidence (m, f) about items carrying a label each: the class in that column."""
        return np.concatenate(
            [self.about_labels(rows, columns), self.density[rows], self.wording[rows]], axis=1
        )

    def about_labels(self, rows: Rows, columns: NDArray[np.intp]) -> Floats:
        """The part that depends on the label, (m, 8)."""
        mean_log, closest = self.mean_log[rows], self.closest[rows]
        here = np.arange(len(rows))
        said = mean_log[here, columns]
        parts = [
            said,
            _lead(mean_log, columns),
            self.log_mean[rows, columns],
            self.votes[rows, columns],
            np.log(self.near_votes[rows, columns] + 0.02),
            closest[here, columns],
            closest[here, columns] - closest.max(axis=1),
            np.log1p((mean_log > said[:, None]).sum(axis=1)),
        ]
        return np.stack(parts, axis=1).astype(np.float32)

    def density_without(self, rows: Rows, dropped: NDArray[np.intp]) -> Floats:
        """Densities (m, 2) of real items as if their `dropped` nearest real items were not there."""
        real = self.real_vectors
        cosines = real[rows] @ real.T
        cosines[np.arange(len(rows)), rows] = -2.0  # itself, the last of all
        cosines = -np.sort(-cosines, axis=1)
        few = np.minimum(dropped[:, None] + np.arange(DENSITY), max(len(real) - 2, 0))
        nearest = np.take_along_axis(cosines, few, axis=1)
        return np.stack([nearest[:, 0], nearest.mean(axis=1)], axis=1)


def gather_evidence(
    embeddings: Embeddings,
    labels: Labels,
    *,
    real: int,
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> Evidence:
    """Evidence about all items, of which the first `real` are trusted."""
    said = cross_fit(embeddings, labels, rng=rng)
    vectors = embeddings.vectors
    votes, near_votes, closest = _ask_neighbours(vectors, labels, real=real, rng=rng)
    own = np.where(np.arange(len(vectors)) < real, np.arange(len(vectors)), -1)
    near = find_neighbours(vectors, vectors[:real], count=DENSITY, rng=rng, own=own).cosines
    wording: Floats = np.zeros((len(vectors), 0), dtype=np.float32)
    if texts is not None:
        wording = describe_wording(texts, texts, real=real)
    return Evidence(
        log_mean=np.log(np.exp(said).mean(axis=0) + 1e-6),
        mean_log=said.mean(axis=0),
        votes=votes,
        near_votes=near_votes,
        closest=closest,
        real_vectors=vectors[:real],
        density=np.stack([near[:, 0], near.mean(axis=1)], axis=1),
        wording=wording,
    )


def describe_wording(
    texts: Sequence[str], everything: Sequence[str], *, real: int, made_up: bool = False
) -> Floats:
    """Shares that no other text has, shares that no real text has, and length: (n, 7).

    The texts are everything itself, of which the first `real` are real, or `made_up` and so not among it.
    """
    own, own_real = (0, 0) if made_up else (len(texts), real)
    return np.concatenate(
        [
            unseen_shares(texts, everything, own=own),
            unseen_shares(texts, everything[:real], own=own_real),
            log_lengths(texts),
        ],
        axis=1,
    )


def _ask_neighbours(
    vectors: Floats, labels: Labels, *, real: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Votes, votes by nearness and cosines to the closest item of each class, each (n, c)."""
    total, classes = len(vectors), labels.classes
    drawn = real + rng.permutation(total - real)[: max(REFERENCE - real, REFERENCE // 2)]
    base = np.sort(np.concatenate([np.arange(real), drawn]).astype(np.intp))
    own = np.full(total, -1, dtype=np.intp)
    own[base] = np.arange(len(base))
    count = min(VOTERS, max(len(base) - 1, 1))
    near = find_neighbours(vectors, vectors[base], count=count, rng=rng, own=own)
    voters = classes[base[near.rows]]  # (n, k)
    there = near.rows >= 0
    reach = np.maximum(near.cosines[:, :1] - near.cosines[:, -1:], 1e-3)
    nearness = np.exp(-2.0 * (near.cosines[:, :1] - near.cosines) / reach) * there
    width = len(labels.space)
    cells = np.arange(total)[:, None] * width + voters
    plain = np.bincount(cells.ravel(), weights=there.ravel(), minlength=total * width)
    weighed = np.bincount(cells.ravel(), weights=nearness.ravel(), minlength=total * width)
    return (
        _share(plain.reshape(total, width)),
        _share(weighed.reshape(total, width)),
        _closest_by_class(vectors, base, own, classes, width),
    )


def _share(votes: NDArray[Any]) -> Floats:
    share: Floats = (votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return share


def _closest_by_class(
    vectors: Floats, base: Rows, own: Rows, classes: NDArray[np.intp], width: int
) -> Floats:
    """Cosine of every item to the closest other item of each class (n, c); -1 where a class has none."""
    by_class = np.argsort(classes[base], kind="stable")
    place = np.empty(len(base), dtype=np.intp)
    place[by_class] = np.arange(len(base))
    present, starts = np.unique(classes[base][by_class], return_index=True)
    ordered = vectors[base[by_class]]
    closest = np.full((len(vectors), width), -1.0, dtype=np.float32)
    for start in range(0, len(vectors), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(vectors)))
        cosines = vectors[rows] @ ordered.T
        mine = own[rows] >= 0
        cosines[np.flatnonzero(mine), place[own[rows][mine]]] = -1.0
        closest[rows[:, None], present] = np.maximum.reduceat(cosines, starts, axis=1)
    return closest


def _lead(values: Floats, columns: NDArray[np.intp]) -> Floats:
    """How far each row's column is ahead of the best other one; 0 when there is one class."""
    if values.shape[1] < 2:
        return np.zeros(len(values), dtype=np.float32)
    here = np.arange(len(values))
    others = values.copy()
    others[here, columns] = -np.inf
    lead: Floats = values[here, columns] - others.max(axis=1)
    return lead
