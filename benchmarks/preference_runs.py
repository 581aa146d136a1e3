"""Projects of pairs labelled by a simulated annotator, in one order or another."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.preference_sets import PairSet, Rows
from model.records import Floats
from model.strategies.coverage import uncertainty_coverage
from model.task_type import Beliefs, Trained
from model.tasks.pairwise import Pairwise, side_differences

LEARNER = Pairwise()
BATCH, MOST = 25, 800
RANDOM, UNDECIDED, WEIGHTED, OURS = "random", "undecided first", "undecided × coverage", "ours, coverage"
ORDERS = (RANDOM, UNDECIDED, WEIGHTED, OURS)
SHARE = 0.95  # of the accuracy that the whole pool gives: chance alone gives more than half of it


def train_rows(pairs: PairSet, rows: Rows, *, seed: int) -> Trained:
    """Our head from the true answers to some pairs."""
    return LEARNER.train(
        pairs.items(rows),
        pairs.labels(rows),
        names=None,
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng([seed, len(rows)]),
    )


def test_accuracy(trained: Trained, pairs: PairSet) -> float:
    """The share of test pairs that are no ties whose better side is the likelier one."""
    return _accuracy(trained.head.believe(pairs.items(pairs.test), "bench").values, pairs)


def plain_accuracy(pairs: PairSet, rows: Rows) -> float:
    """The same of scikit-learn's logistic regression on left less right, as it is; ties left out."""
    named = rows[pairs.targets[rows].any(axis=1)]
    sides = pairs.targets[named].argmax(axis=1)
    if len(np.unique(sides)) < 2:
        return 0.5
    model = LogisticRegression(max_iter=1000).fit(side_differences(pairs.sides[named]), sides)
    return _accuracy(model.predict_proba(side_differences(pairs.sides[pairs.test])), pairs)


def beliefs_of_test(trained: Trained, pairs: PairSet) -> Beliefs:
    """What is said of the test pairs, ties among them."""
    return trained.head.believe(pairs.items(pairs.test), "bench")


def labels_needed(pairs: PairSet, order: str, *, seed: int, goal: float) -> tuple[int, list[float]]:
    """Labels until accuracy on the test pairs reaches `goal`, interpolated, and the curve by batch.

    MOST where it was never reached. The test pairs choose nothing.
    """
    rng = np.random.default_rng([11, seed])
    left, known = pairs.pool, np.zeros(0, dtype=np.intp)
    trained: Trained | None = None
    curve: list[float] = []
    while len(known) < MOST:
        scores = _scores(pairs, order, trained, left, known, rng)
        picked = np.argsort(-scores, kind="stable")[: _step(len(known))]
        known, left = np.concatenate([known, left[picked]]), np.delete(left, picked)
        trained = train_rows(pairs, known, seed=seed)
        curve.append(test_accuracy(trained, pairs))
        if curve[-1] >= goal:
            before = curve[-2] if len(curve) > 1 else 0.5
            share = (goal - before) / max(curve[-1] - before, 1e-9)
            return round(len(known) - (1.0 - share) * len(picked)), curve
    return MOST, curve


def _scores(
    pairs: PairSet, order: str, trained: Trained | None, left: Rows, known: Rows, rng: np.random.Generator
) -> Floats:
    if order == RANDOM:
        return rng.random(len(left)).astype(np.float32)
    weights = np.ones(len(left), dtype=np.float32)
    if trained is not None:
        beliefs = trained.head.believe(pairs.items(left), "bench")
        undecided = 1.0 - np.abs(beliefs.values[:, 0] - beliefs.values[:, 1])
        weights = beliefs.uncertainty if order == OURS else undecided
    if order == UNDECIDED:
        return weights if trained is not None else rng.random(len(left)).astype(np.float32)
    tasks, labelled = pairs.tasks(left), pairs.tasks(known)
    return uncertainty_coverage(weights, tasks, labelled, batch=_step(len(known)), rng=rng)


def _step(known: int) -> int:
    """Labels before the next training: a tenth of those there are, at least 25."""
    return max(BATCH, known // 10)


def _accuracy(chances: Floats, pairs: PairSet) -> float:
    given = pairs.targets[pairs.test]
    named = given.any(axis=1)
    return float((chances[named].argmax(axis=1) == given[named].argmax(axis=1)).mean())
