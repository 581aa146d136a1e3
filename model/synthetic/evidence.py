"""What speaks for and against an item carrying a label: heads out of fold, neighbours, density, manner.

Every column of the evidence can be worked out for any label of an item, not only for its own, and for an
item whose nearest real items are taken away, whose text is scrambled or whose picture is spoiled: so faults
of known truth are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.neighbours import Rows, find_neighbours
from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import MOST_REPEATS, cross_fit
from model.synthetic.picture_statistics import Oddness
from model.synthetic.pictures import Pictures
from model.synthetic.text_statistics import Wording

VOTERS = 10  # neighbours that vote on an item's label
REFERENCE = 8000  # items that neighbours are looked for among
DENSITY = 5  # nearest real items whose mean cosine is an item's density
_CHUNK = 512
_NEVER = -30.0  # log probability


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Real items that say nothing of labels, only what real items are like: vectors (u, d) and texts.

    And the statistics (v, f) of the pictures of some of them.
    """

    vectors: Floats
    texts: Sequence[str] | None
    statistics: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """What heads and neighbours say of each class, of n items: every array is (n, c)."""

    log_mean: Floats  # log of the mean probability out of fold
    mean_log: Floats  # mean of its log
    votes: Floats  # share of the neighbours' votes
    near_votes: Floats  # the same, near neighbours counting more
    closest: Floats  # cosine to the closest item of a class

    def take(self, rows: Rows) -> Opinions:
        """Those about some items."""
        return Opinions(
            self.log_mean[rows],
            self.mean_log[rows],
            self.votes[rows],
            self.near_votes[rows],
            self.closest[rows],
        )

    def without(self, columns: NDArray[np.intp]) -> Opinions:
        """As if nobody had heard of a class, another one for each item: its share goes to the others."""
        return Opinions(
            _leave_out(self.log_mean, columns),
            _leave_out(self.mean_log, columns),
            _share(np.where(_is_at(self.votes, columns), 0.0, self.votes + 1e-6)),
            _share(np.where(_is_at(self.near_votes, columns), 0.0, self.near_votes + 1e-6)),
            np.where(_is_at(self.closest, columns), np.float32(-1.0), self.closest),
        )

    def about(self, columns: NDArray[np.intp]) -> Floats:
        """What speaks for and against each item carrying the label of a column, (n, 8)."""
        here = np.arange(len(columns))
        said = self.mean_log[here, columns]
        closest = self.closest[here, columns]
        parts = [
            said,
            _lead(self.mean_log, columns),
            self.log_mean[here, columns],
            self.votes[here, columns],
            np.log(self.near_votes[here, columns] + 0.02),
            closest,
            closest - self.closest.max(axis=1),
            np.log1p((self.mean_log > said[:, None]).sum(axis=1)),
        ]
        return np.stack(parts, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ItemFeatures:
    """What does not depend on labels, of n items, the r trusted real ones first."""

    known: Floats  # vectors of all real items, the r first, (k, d)
    density: Floats  # cosine to the nearest real item and mean to the nearest few, (n, 2)
    words: Wording | None
    looks: Oddness | None = None

    @property
    def manner(self) -> Floats:
        """How odd pictures look (n, 11), then how texts are worded (n, 7); no columns of what is missing."""
        none = np.zeros((len(self.density), 0), dtype=np.float32)
        looks = none if self.looks is None else self.looks.shares
        return np.concatenate([looks, none if self.words is None else self.words.shares], axis=1)

    def oddness(self, rows: Rows) -> tuple[str, ...]:
        """What is odd about the pictures of some items, in words; empty where nothing is."""
        return tuple("" if self.looks is None else self.looks.words(row) for row in rows.tolist())

    def density_without(self, rows: Rows, dropped: NDArray[np.intp]) -> Floats:
        """Densities (m, 2) of real items as if their `dropped` nearest real items were not there."""
        cosines = self.known[rows] @ self.known.T
        cosines[np.arange(len(rows)), rows] = -2.0  # itself, the last of all
        cosines = -np.sort(-cosines, axis=1)
        few = np.minimum(dropped[:, None] + np.arange(DENSITY), max(len(self.known) - 2, 0))
        nearest = np.take_along_axis(cosines, few, axis=1)
        return np.stack([nearest[:, 0], nearest.mean(axis=1)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Of n items, the real ones first: opinions on their labels, and what does not depend on them."""

    opinions: Opinions
    features: ItemFeatures

    def of(self, rows: Rows, columns: NDArray[np.intp]) -> Floats:
        """Evidence (m, f) about items carrying a label each: the class in that column."""
        about, features = self.opinions.take(rows).about(columns), self.features
        return np.concatenate([about, features.density[rows], features.manner[rows]], axis=1)

    def of_strangers(
        self,
        rows: Rows,
        columns: NDArray[np.intp],
        *,
        unheard: NDArray[np.intp],
        dropped: NDArray[np.intp],
    ) -> Floats:
        """The same of real items as if a class, and their `dropped` nearest real items, were not there."""
        about, features = self.opinions.take(rows).without(unheard).about(columns), self.features
        return np.concatenate([about, features.density_without(rows, dropped), features.manner[rows]], axis=1)


def describe_items(
    vectors: Floats,
    *,
    real: int,
    background: Background,
    texts: Sequence[str] | None,
    pictures: Pictures | None,
    rng: np.random.Generator,
) -> ItemFeatures:
    """How near real items are to all vectors, the first `real` of real ones, and how these read and look."""
    own = np.where(np.arange(len(vectors)) < real, np.arange(len(vectors)), -1)
    known = np.concatenate([vectors[:real], background.vectors])
    near = find_neighbours(vectors, known, count=DENSITY, rng=rng, own=own).cosines
    wording = None if texts is None else Wording(texts, real=real, background=background.texts or ())
    density = np.stack([near[:, 0], near.mean(axis=1)], axis=1)
    if pictures is None:
        return ItemFeatures(known, density, wording)
    more = background.statistics
    more = pictures.statistics[:0] if more is None else more
    return ItemFeatures(known, density, wording, Oddness(pictures, real=real, background=more))


def gather_evidence(
    embeddings: Embeddings,
    labels: Labels,
    features: ItemFeatures,
    *,
    real: int,
    sample_weights: Floats,
    rng: np.random.Generator,
    most_repeats: int = MOST_REPEATS,
) -> Evidence:
    """Evidence about all items, of which the first `real` are real; each counts by its sample weight (n,)."""
    said = cross_fit(embeddings, labels, sample_weights=sample_weights, rng=rng, most_repeats=most_repeats)
    votes, near_votes, closest = _ask_neighbours(
        embeddings.vectors, labels, real=real, sample_weights=sample_weights, rng=rng
    )
    log_mean = np.log(np.exp(said).mean(axis=0) + 1e-6)
    return Evidence(Opinions(log_mean, said.mean(axis=0), votes, near_votes, closest), features)


def _ask_neighbours(
    vectors: Floats, labels: Labels, *, real: int, sample_weights: Floats, rng: np.random.Generator
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
    heard = (near.rows >= 0) * sample_weights[base[near.rows]]
    reach = np.maximum(near.cosines[:, :1] - near.cosines[:, -1:], 1e-3)
    nearness = np.exp(-2.0 * (near.cosines[:, :1] - near.cosines) / reach) * heard
    width = len(labels.space)
    cells = np.arange(total)[:, None] * width + voters
    plain = np.bincount(cells.ravel(), weights=heard.ravel(), minlength=total * width)
    weighed = np.bincount(cells.ravel(), weights=nearness.ravel(), minlength=total * width)
    return (
        _share(plain.reshape(total, width)),
        _share(weighed.reshape(total, width)),
        _closest_by_class(vectors, *_heaviest(base, own, sample_weights), classes, width),
    )


def _heaviest(base: Rows, own: Rows, sample_weights: Floats) -> tuple[Rows, Rows]:
    """Of the base what weighs at least half as much as the median, and each item's place among it."""
    kept = base[sample_weights[base] >= 0.5 * np.median(sample_weights[base])]
    place = np.full(len(own), -1, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    return kept, place


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


def _is_at(values: Floats, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    is_at: NDArray[np.bool_] = np.arange(values.shape[1]) == columns[:, None]
    return is_at


def _leave_out(log_shares: Floats, columns: NDArray[np.intp]) -> Floats:
    """Log probabilities when each row's column cannot be."""
    here = np.arange(len(columns))
    left = np.log1p(-np.minimum(np.exp(log_shares[here, columns]), 1.0 - 1e-4))
    rest = np.where(_is_at(log_shares, columns), _NEVER, log_shares - left[:, None])
    return np.asarray(rest, dtype=np.float32)


def _lead(values: Floats, columns: NDArray[np.intp]) -> Floats:
    """How far each row's column is ahead of the best other one; 0 when there is one class."""
    if values.shape[1] < 2:
        return np.zeros(len(values), dtype=np.float32)
    here = np.arange(len(values))
    others = values.copy()
    others[here, columns] = -np.inf
    lead: Floats = values[here, columns] - others.max(axis=1)
    return lead
