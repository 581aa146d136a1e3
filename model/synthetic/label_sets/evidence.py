"""What speaks for and against an item carrying a set of labels: heads out of fold, and neighbours.

As with one label (`model.synthetic.evidence`), every column can be worked out for any set of labels, and for
an item whose own labels and nearest real items are taken away. A set without a label counts as if "none of
them" were a label of its own, the last column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.neighbours import Rows, find_neighbours
from model.records import Embeddings, Floats
from model.synthetic.cross_fitting import MOST_REPEATS
from model.synthetic.evidence import REFERENCE, VOTERS, ItemFeatures
from model.synthetic.label_sets.cross_fitting import cross_fit_labels

_SURE = 12.0  # logits beyond which a head is no surer
_LEAST_VOTE = 0.02
_FAR = -1.0  # cosine to the closest item of a label that none has


@dataclass(frozen=True, slots=True, eq=False)
class LabelOpinions:
    """What heads and neighbours say of each label, "none of them" last, of n items: arrays (n, c + 1)."""

    logits: Floats  # mean over heads out of fold
    votes: Floats  # share of the neighbours that have a label, near ones counting more
    closest: Floats  # cosine to the closest item that has a label

    def take(self, rows: Rows) -> LabelOpinions:
        """Those about some items."""
        return LabelOpinions(self.logits[rows], self.votes[rows], self.closest[rows])

    def without(self, unheard: Floats) -> LabelOpinions:
        """As if nobody had heard of some labels (n, c + 1), others for each item."""
        gone = unheard > 0
        votes = np.where(gone, 0.0, self.votes + 1e-6)
        votes *= self.votes.sum(axis=1, keepdims=True) / votes.sum(axis=1, keepdims=True)
        return LabelOpinions(
            np.where(gone, np.float32(-_SURE), self.logits),
            votes.astype(np.float32),
            np.where(gone, np.float32(_FAR), self.closest),
        )

    def about(self, sets: Floats) -> Floats:
        """What speaks for and against each item carrying a set (n, c + 1), (n, 11)."""
        has = sets > 0
        # an absent "none of them" says nothing that the labels do not say
        lacks = ~has
        lacks[:, -1] = False
        said = -np.logaddexp(0.0, np.where(has, -self.logits, self.logits))
        best = -np.logaddexp(0.0, -np.abs(self.logits))
        said, best = np.where(has | lacks, said, 0.0), np.where(has | lacks, best, 0.0)
        least = _smallest(self.logits, has)
        votes = np.log(self.votes + _LEAST_VOTE)
        closest = _smallest(self.closest, has)
        either = np.where(has, 1.0, np.minimum(self.votes, 1.0) * lacks).sum(axis=1)
        parts = [
            said.sum(axis=1),
            (said - best).sum(axis=1),
            least,
            -_smallest(-self.logits, lacks),
            np.where(has, said, 0.0).sum(axis=1) / has.sum(axis=1),
            np.log1p((lacks & (self.logits > least[:, None])).sum(axis=1)),
            _smallest(votes, has),
            -_smallest(-votes, lacks),
            np.where(has, self.votes, 0.0).sum(axis=1) / either,
            closest,
            closest - self.closest.max(axis=1),
        ]
        return np.stack(parts, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SetEvidence:
    """Of n items, the real ones first: opinions on their labels, and what does not depend on them."""

    opinions: LabelOpinions
    features: ItemFeatures

    def of(self, rows: Rows, sets: Floats) -> Floats:
        """Evidence (m, f) about items carrying a set each, (m, c + 1)."""
        about, features = self.opinions.take(rows).about(sets), self.features
        return np.concatenate([about, features.density[rows], features.manner[rows]], axis=1)

    def of_strangers(self, rows: Rows, sets: Floats, *, unheard: Floats, dropped: NDArray[np.intp]) -> Floats:
        """The same of real items as if labels, and their `dropped` nearest real items, were not there."""
        about, features = self.opinions.take(rows).without(unheard).about(sets), self.features
        return np.concatenate([about, features.density_without(rows, dropped), features.manner[rows]], axis=1)


def with_none(targets: Floats) -> Floats:
    """Multi-hot targets (n, c) with a last column for "none of them"."""
    none = ~(targets > 0).any(axis=1, keepdims=True)
    return np.concatenate([targets, none.astype(np.float32)], axis=1)


def gather_set_evidence(
    embeddings: Embeddings,
    targets: Floats,
    features: ItemFeatures,
    *,
    real: int,
    sample_weights: Floats,
    rng: np.random.Generator,
    most_repeats: int = MOST_REPEATS,
) -> SetEvidence:
    """Evidence about all items, of which the first `real` are real; each counts by its sample weight (n,)."""
    said = cross_fit_labels(
        embeddings.vectors, targets, sample_weights=sample_weights, rng=rng, most_repeats=most_repeats
    )
    logits = np.clip(said, -_SURE, _SURE).mean(axis=0)
    none = -np.logaddexp(0.0, logits).sum(axis=1)  # log chance that an item has no label
    none = np.clip(none - np.log(-np.expm1(np.minimum(none, -1e-6))), -_SURE, _SURE)
    votes, closest = _ask_neighbours(
        embeddings.vectors, with_none(targets), real=real, sample_weights=sample_weights, rng=rng
    )
    everything = np.concatenate([logits, none[:, None]], axis=1).astype(np.float32)
    return SetEvidence(LabelOpinions(everything, votes, closest), features)


def _ask_neighbours(
    vectors: Floats, sets: Floats, *, real: int, sample_weights: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Shares of the neighbours' votes and cosines to the closest item by label, each (n, c + 1)."""
    total = len(vectors)
    drawn = real + rng.permutation(total - real)[: max(REFERENCE - real, REFERENCE // 2)]
    base = np.sort(np.concatenate([np.arange(real), drawn]).astype(np.intp))
    own = np.full(total, -1, dtype=np.intp)
    own[base] = np.arange(len(base))
    count = min(VOTERS, max(len(base) - 1, 1))
    near = find_neighbours(vectors, vectors[base], count=count, rng=rng, own=own)
    heard = (near.rows >= 0) * sample_weights[base[near.rows]]
    reach = np.maximum(near.cosines[:, :1] - near.cosines[:, -1:], 1e-3)
    nearness = np.exp(-2.0 * (near.cosines[:, :1] - near.cosines) / reach) * heard
    nearness /= np.maximum(nearness.sum(axis=1, keepdims=True), 1e-9)
    votes = np.zeros(sets.shape, dtype=np.float32)
    for place in range(count):
        votes += nearness[:, place, None].astype(np.float32) * sets[base[near.rows[:, place]]]
    kept = base[sample_weights[base] >= 0.5 * np.median(sample_weights[base])]
    return votes, _closest_by_label(vectors, sets, kept)


def _closest_by_label(vectors: Floats, sets: Floats, kept: Rows) -> Floats:
    """Cosine of every item to the closest other kept item that has a label; -1 where none has it."""
    closest = np.full(sets.shape, _FAR, dtype=np.float32)
    for label in range(sets.shape[1]):
        mine = kept[sets[kept, label] > 0]
        if not len(mine):
            continue
        cosines = vectors @ vectors[mine].T
        cosines[mine, np.arange(len(mine))] = _FAR
        closest[:, label] = cosines.max(axis=1)
    return closest


def _smallest(values: Floats, among: NDArray[np.bool_]) -> Floats:
    """Smallest of some values of each row, (n,); the largest of all where there is none."""
    found: Floats = np.where(among, values, values.max(axis=1, keepdims=True)).min(axis=1)
    return found
