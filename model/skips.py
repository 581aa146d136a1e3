"""What people skip, and which items of the pool are so like it that they should wait behind all others.

A skip is no label, but it says that this item could not be answered. A logistic regression tells skipped
items from answered ones, by their vectors and by how near the nearest of either are; it must do that for
items it has not seen before it moves anything, so that few skips, or skips at random, mostly change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.heads.fitting import HeadFitter
from model.heads.single_label import as_float32, softmax
from model.neighbours import Rows, nearest
from model.records import Embeddings, Floats, Ids, Labels, LabelSpace

FEWEST, FEWEST_ANSWERS = 3, 2  # skips and answers from which on anything is learned
MOST = 1500  # answered items, and skipped ones, that are learned from: a sample of more
_FOLDS = 5
_NEAREST = (1, 3)  # the mean cosine to so many of the nearest items of either kind is one thing to look at
_OF_VECTORS = (2.0, 8.0, 26.0)  # inverse regularisation when only vectors are looked at
_OF_BOTH = (1.5, 4.5)  # and when the nearest items are looked at as well
_HELD_BACK = 3.0  # a standard deviation of closeness counts like a third of a unit vector
_SURE = 0.5  # probability of a skip from which on an item waits in any case
_KINDS = LabelSpace(("answered", "skipped"))


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Items (w,) that wait, the least likely to be skipped first, and how likely each is: (w,) in [0, 1]."""

    ids: Ids
    probabilities: Floats

    @property
    def likely(self) -> Ids:
        """Those that are more likely to be skipped than not."""
        return self.ids[self.probabilities > _SURE]


NOBODY = Waiting(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """One way to look at items: the seen ones (n, f), the pool (p, f), and how hard weights are held back."""

    seen: Floats
    pool: Floats
    inverse_regularisation: float


def wait_for_skips(answered: Embeddings, skipped: Embeddings, pool: Embeddings, *, seed: int) -> Waiting:
    """The items of the pool that are more likely than its mean item to be skipped.

    Nobody waits until skips can be foretold: with some skips and answers to learn from, and a log loss out of
    fold that is better than that of the share of skips by more than a standard error. Of several ways to look
    at items the one with the best loss is taken. Deterministic for a seed, whatever the order of the rows.
    """
    if len(skipped) < FEWEST or len(answered) < FEWEST_ANSWERS or not len(pool):
        return NOBODY
    rng = np.random.default_rng(seed)
    answered, skipped = _thin(answered, rng), _thin(skipped, rng)
    is_skip = np.arange(len(answered) + len(skipped)) >= len(answered)
    folds = _deal(is_skip, rng)
    held_out = [(design, _held_out(design, is_skip, folds)) for design in _designs(answered, skipped, pool)]
    design, losses = min(held_out, key=lambda pair: float(pair[1].mean()))
    if not _is_foretold(losses, is_skip):
        return NOBODY
    chances = _chances(design, is_skip)
    waits = np.flatnonzero(chances > min(float(chances.mean()), _SURE))
    order = waits[np.lexsort((pool.ids[waits], chances[waits]))]
    return Waiting(pool.ids[order], chances[order])


def _thin(items: Embeddings, rng: np.random.Generator) -> Embeddings:
    """The items by id; of very many a sample."""
    ordered = items.take(np.argsort(items.ids))
    if len(ordered) <= MOST:
        return ordered
    return ordered.take(np.sort(rng.permutation(len(ordered))[:MOST]))


def _deal(is_skip: NDArray[np.bool_], rng: np.random.Generator) -> Rows:
    """A fold (n,) for each row, skips and answers spread evenly."""
    folds = np.empty(len(is_skip), dtype=np.intp)
    for kind in (False, True):
        rows = rng.permutation(np.flatnonzero(is_skip == kind))
        folds[rows] = np.arange(len(rows)) % _FOLDS
    return folds


def _designs(answered: Embeddings, skipped: Embeddings, pool: Embeddings) -> Iterator[_Design]:
    """By vectors alone; and with how near the nearest answered and skipped items are, themselves left out."""
    seen = np.concatenate([answered.vectors, skipped.vectors])
    of_pool = as_float32(pool.vectors)
    for strength in _OF_VECTORS:
        yield _Design(seen, of_pool, strength)
    kinds = (slice(len(answered)), slice(len(answered), None))
    near = np.concatenate([_closeness(seen, seen, kind, own=True) for kind in kinds], axis=1)
    near_pool = np.concatenate([_closeness(of_pool, seen, kind, own=False) for kind in kinds], axis=1)
    middle, spread = near.mean(axis=0), _HELD_BACK * (near.std(axis=0) + np.float32(1e-6))
    seen = np.concatenate([seen, (near - middle) / spread], axis=1)
    of_pool = np.concatenate([of_pool, (near_pool - middle) / spread], axis=1)
    for strength in _OF_BOTH:
        yield _Design(seen, of_pool, strength)


def _closeness(queries: Floats, seen: Floats, kind: slice, *, own: bool) -> Floats:
    """The mean cosine (q, 2) to the nearest seen items of a kind, and to the nearest few.

    If the queries are the seen items (`own`), each leaves one out: itself, or else any, so that no kind has
    more to choose from than the other.
    """
    base = seen[kind]
    rows = np.full(len(queries), -1, dtype=np.intp)
    if own:
        rows = np.arange(len(queries)) % len(base)
        rows[kind] = np.arange(len(base))
    few = min(max(_NEAREST), len(base) - 1)  # there are at least two of either
    cosines = nearest(queries, base, count=few, own=rows, in_order=True).cosines
    return np.stack([cosines[:, :count].mean(axis=1) for count in _NEAREST], axis=1)


def _held_out(design: _Design, is_skip: NDArray[np.bool_], folds: Rows) -> Floats:
    """The log loss (n,) of each row, of a head that has not seen its fold."""
    weights = (folds[:, None] != np.arange(_FOLDS)).astype(np.float32)  # (n, f)
    fitter = _fitter(design, is_skip)
    fit = fitter.fit(
        torch.from_numpy(weights),
        prior_weights=torch.zeros(_FOLDS),
        inverse_regularisation=design.inverse_regularisation,
    )
    mine = fit.logits.numpy()[np.arange(len(folds)), folds]  # (n, 2)
    losses: Floats = -np.log(softmax(mine)[np.arange(len(folds)), is_skip.astype(np.intp)] + 1e-9)
    return losses


def _is_foretold(losses: Floats, is_skip: NDArray[np.bool_]) -> bool:
    """Whether losses (n,) are clearly below those of the mere share of skips."""
    share = is_skip.mean()
    gains = -np.log(np.where(is_skip, share, 1.0 - share)) - losses
    return bool(gains.mean() > gains.std() / np.sqrt(len(gains)))


def _chances(design: _Design, is_skip: NDArray[np.bool_]) -> Floats:
    """The probability (p,) that an item of the pool is skipped."""
    fitter = _fitter(design, is_skip)
    fit = fitter.fit(
        torch.ones(len(is_skip), 1),
        prior_weights=torch.zeros(1),
        inverse_regularisation=design.inverse_regularisation,
    )
    head = fitter.head(fit, which=0, prior_weight=0.0, temperature=1.0)
    return softmax(head.logits(design.pool))[:, 1]


def _fitter(design: _Design, is_skip: NDArray[np.bool_]) -> HeadFitter:
    ids = np.arange(len(is_skip), dtype=np.int64)
    targets = np.eye(len(_KINDS), dtype=np.float32)[is_skip.astype(np.intp)]
    rows = Embeddings(ids, design.seen, "what tells skips from answers")
    return HeadFitter(rows, Labels(ids, targets, _KINDS), name_vectors=None)
