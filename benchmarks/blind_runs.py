"""Projects labelled by a simulated annotator with a head that is fitted at once, for thousands of projects.

The head is ridge regression around the class names, in closed form: how much it knows matters less here than
that its confidences, its held-out answers and the order in use are made as in the live loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.signal_runs import TextSet
from model.audit import audit_hash, audit_threshold
from model.calibration import fit_temperature
from model.heads.single_label import LinearHead, softmax
from model.heads.training_set import assign_folds
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, LabelSpace
from model.strategies import StrategyInput

SCALE = 20.0  # of the answers of the ridge, before the temperature
RIDGE = 1.0
NAMES = 0.7  # weight of the class names beside what was learned
WINDOW = 50

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Quota = Callable[[int], int]
Share = Callable[[int], float]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A pool to label with its answers, and items apart from it."""

    items: Embeddings
    answers: Rows
    test: Floats
    test_answers: Rows
    names: Floats
    seed: int

    @property
    def space(self) -> LabelSpace:
        """The classes by number."""
        return LabelSpace(tuple(str(column) for column in range(len(self.names))))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A head, and what heads that had not learned them believed of the labelled rows (n, c)."""

    head: LinearHead
    held_out: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A project after some labels, in the order they were given, and the truth about what is left.

    correct, sure and blind (n,): held-out answers, how sure they were, and which rows were asked blind.
    rest_sure and rest_right (u,) are of the deployed head on what has no label; `test` is its accuracy on
    items apart.
    """

    labels: int
    correct: Mask
    sure: Floats
    blind: Mask
    rest_sure: Floats
    rest_right: Mask
    test: float


def draw_pool(texts: TextSet, seed: int, *, size: int, apart: int) -> Pool:
    """A random pool and test items of a set."""
    order = np.random.default_rng([seed, size]).permutation(len(texts.answers))
    inside, outside = np.sort(order[:size]), order[size : size + apart]
    items = Embeddings(np.arange(1, len(order) + 1), texts.vectors, "frozen").take(inside)
    return Pool(
        items,
        texts.answers[inside],
        texts.vectors[outside],
        texts.answers[outside],
        texts.name_vectors,
        seed,
    )


def fit(pool: Pool, rows: Rows) -> Fitted:
    """The head of some rows of a pool, and its held-out beliefs of these."""
    vectors, answers = pool.items.vectors[rows].astype(np.float64), pool.answers[rows]
    prior = NAMES * pool.names.T.astype(np.float64)
    targets = np.eye(len(pool.names))[answers] - vectors @ prior
    kernel = vectors @ vectors.T
    folds = assign_folds(answers, np.random.default_rng([pool.seed, len(rows)]))
    held_out = np.zeros_like(targets)
    for fold in range(int(folds.max()) + 1 if len(rows) > 1 else 0):
        out = folds == fold
        held_out[out] = kernel[np.ix_(out, ~out)] @ _solve(kernel[np.ix_(~out, ~out)], targets[~out])
    logits = (SCALE * (held_out + vectors @ prior)).astype(np.float32)
    temperature = fit_temperature(logits, answers)
    weights = SCALE * (prior + vectors.T @ _solve(kernel, targets))
    head = LinearHead(
        weights.astype(np.float32), np.zeros(len(pool.names), np.float32), temperature, pool.space
    )
    return Fitted(head, softmax(logits / np.float32(temperature)))


def label_pool(
    pool: Pool, quota: Quota, *, share: Share, sizes: Sequence[int], window: int = WINDOW
) -> list[Moment]:
    """Label in the order of the live loop until the last of `sizes`; what was known at each of them.

    `quota` says how many audit items belong to so many labels, and `share` what part of the window after
    these has places for them.
    """
    hashes = audit_hash(pool.items.ids, pool.seed)
    order, blind = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.bool_)
    scaled = (SCALE * NAMES * pool.names.T).astype(np.float32)
    head = LinearHead(scaled, np.zeros(len(pool.names), np.float32), 1.0, pool.space)
    moments: list[Moment] = []
    for size in sizes:
        while len(order) < size:
            batch = min(window, size - len(order))
            bar = audit_threshold(pool.items.ids, pool.seed, quota(len(order) + batch))
            asked, is_audit = _ask(pool, head, order, hashes, bar=bar, share=share(len(order)), batch=batch)
            order, blind = np.concatenate([order, asked]), np.concatenate([blind, is_audit])
            fitted = fit(pool, order)
            head = fitted.head
        moments.append(_look(pool, fitted, order, blind))
    return moments


def full_accuracy(pool: Pool) -> float:
    """Accuracy on the items apart of a head that learned the whole pool."""
    return _test(pool, fit(pool, np.arange(len(pool.answers))).head)


def _ask(
    pool: Pool,
    head: LinearHead,
    order: Rows,
    hashes: NDArray[np.float64],
    *,
    bar: float,
    share: float,
    batch: int,
) -> tuple[Rows, Mask]:
    left = np.setdiff1d(np.arange(len(pool.answers)), order)
    items = pool.items.take(left)
    beliefs = head.probabilities(items, "simulated")
    ranking = rank(
        StrategyInput(items, beliefs, pool.items.take(order), batch, pool.answers[order]),
        strategy=DEFAULT_STRATEGY,
        window=batch,
        audit=hashes[left] < bar,
        audit_order=hashes[left],
        share=share,
        rng=np.random.default_rng([pool.seed, len(order)]),
    )
    is_audit = np.array([lane == "audit" for lane in ranking.lanes[:batch]], dtype=np.bool_)
    return np.searchsorted(pool.items.ids, ranking.ids[:batch]), is_audit


def _look(pool: Pool, fitted: Fitted, order: Rows, blind: Mask) -> Moment:
    rest = np.setdiff1d(np.arange(len(pool.answers)), order)
    beliefs = softmax(fitted.head.logits(pool.items.vectors[rest]))
    return Moment(
        labels=len(order),
        correct=fitted.held_out.argmax(axis=1) == pool.answers[order],
        sure=fitted.held_out.max(axis=1),
        blind=blind,
        rest_sure=beliefs.max(axis=1),
        rest_right=beliefs.argmax(axis=1) == pool.answers[rest],
        test=_test(pool, fitted.head),
    )


def _test(pool: Pool, head: LinearHead) -> float:
    return float((head.logits(pool.test).argmax(axis=1) == pool.test_answers).mean())


def _solve(kernel: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), targets)
    return found
