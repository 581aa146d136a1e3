"""Projects labelled by a simulated annotator with a head that is fitted at once, for thousands of projects.

The head is ridge regression around the class names, in closed form: how much it knows matters less here than
that its confidences, its held-out answers and the order in use are made as in the live loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_unseen_classes import Pool as Texts
from model.audit import DEFAULT_SHARE, audit_hash, audit_quota, audit_threshold
from model.calibration import fit_temperature
from model.heads.single_label import LinearHead, softmax
from model.heads.training_set import FOLDS, assign_folds
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, LabelSpace
from model.strategies import StrategyInput

SCALE = 20.0  # of the answers of the ridge, before the temperature
RIDGE = 1.0
NAMES = 0.7  # weight of the class names beside what was learned
WINDOW = 50
LATER_SHARE = 1.0 - 1.0 / FOLDS  # of the labels, by the heads that judge
EARLY, EARLY_LABELS, SAME_FROM = (
    0.3,
    100,
    666,
)  # twice the share in use at first, and as many blind in the end

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


def draw_pool(texts: Texts, seed: int, *, size: int) -> Pool:
    """A random pool of a set, and all other texts of it to test on."""
    order = np.random.default_rng([seed, size]).permutation(len(texts.answers))
    inside, outside = np.sort(order[:size]), order[size:]
    return Pool(
        texts.items.take(inside),
        texts.answers[inside],
        texts.items.vectors[outside],
        texts.answers[outside],
        texts.name_vectors,
        seed,
    )


def early_share(labels: int) -> float:
    """Places for blind tasks in a window: twice as many as now until a hundred labels."""
    return EARLY if labels < EARLY_LABELS else DEFAULT_SHARE


def early_quota(labels: int) -> int:
    """Blind tasks that belong to so many labels: more of them at the start, as many from 666 labels on."""
    same = audit_quota(SAME_FROM)
    if labels >= SAME_FROM:
        return audit_quota(labels)
    first, left = min(labels, EARLY_LABELS), max(labels - EARLY_LABELS, 0)
    later = (same - EARLY * EARLY_LABELS) / (SAME_FROM - EARLY_LABELS)
    return math.ceil(round(EARLY * first + later * left, 9))


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
