"""Projects of several choices labelled by a simulated annotator, in one order or another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.several_sets import SeveralSet
from model.records import Floats
from model.strategies.coverage import uncertainty_coverage
from model.task_type import Trained
from model.tasks.f1_interval import macro_f1, micro_f1
from model.tasks.label_folds import assign_label_folds
from model.tasks.label_thresholds import choose_thresholds
from model.tasks.several_choices import INVERSE_REGULARISATION, SeveralChoices

Rows = NDArray[np.intp]

LEARNER = SeveralChoices()
BATCH, MOST = 25, 1500
RANDOM, ENTROPY, OURS = "random", "label entropy alone", "ours"
ORDERS = (RANDOM, ENTROPY, OURS)
SHARE = 0.9  # of the micro F1 that the whole pool gives


def train_rows(texts: SeveralSet, rows: Rows, *, seed: int, names: bool = True) -> Trained:
    """Our head from the true answers of some rows."""
    return LEARNER.train(
        texts.items(rows),
        texts.labels(rows),
        names=texts.names if names else None,
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng([seed, len(rows)]),
    )


def test_scores(trained: Trained, texts: SeveralSet, test: Rows) -> dict[str, float]:
    """Micro F1, macro F1 and subset accuracy on items apart."""
    answers = trained.head.believe(texts.items(test), "bench").answers
    return score_answers(answers, texts.targets[test])


def score_answers(answers: Floats, targets: Floats) -> dict[str, float]:
    """The three figures of answers (n, c)."""
    exact = float(((answers > 0) == (targets > 0)).all(axis=1).mean())
    return {"micro": micro_f1(answers, targets), "macro": macro_f1(answers, targets), "subset": exact}


def labels_needed(texts: SeveralSet, order: str, *, seed: int, goal: float) -> tuple[int, list[float]]:
    """Labels until micro F1 on the test rows reaches `goal`, interpolated, and the curve by batch.

    MOST where it was never reached. The test rows choose nothing.
    """
    pool, test = texts.split(seed)
    rng = np.random.default_rng([11, seed])
    left, known = np.sort(pool), np.zeros(0, dtype=np.intp)
    trained = LEARNER.cold_start(texts.names, texts.labels(test).space)
    curve: list[float] = []
    while len(known) < min(MOST, len(pool)):
        scores = ASKED[order](texts, trained, left, known, rng)
        picked = np.argsort(-scores, kind="stable")[: _step(len(known))]
        known, left = np.concatenate([known, left[picked]]), np.delete(left, picked)
        trained = train_rows(texts, known, seed=seed)
        curve.append(test_scores(trained, texts, test)["micro"])
        if curve[-1] >= goal:
            before = curve[-2] if len(curve) > 1 else 0.0
            share = (goal - before) / max(curve[-1] - before, 1e-9)
            return round(len(known) - (1.0 - share) * len(picked)), curve
    return MOST, curve


def plain_scores(texts: SeveralSet, *, seed: int) -> dict[str, float]:
    """One-vs-rest logistic regression of scikit-learn on the whole pool, thresholds chosen as ours are."""
    pool, test = texts.split(seed)
    rows = np.sort(pool)
    targets = texts.targets[rows]
    folds = assign_label_folds(targets, np.random.default_rng([seed, len(rows)]))
    held_out = np.zeros_like(targets)
    for fold in np.unique(folds):
        inside = folds == fold
        held_out[inside] = _plain_chances(
            texts.vectors[rows[~inside]], targets[~inside], texts.vectors[rows[inside]]
        )
    thresholds = choose_thresholds(held_out, targets)
    chances = _plain_chances(texts.vectors[rows], targets, texts.vectors[test])
    return score_answers((chances >= thresholds).astype(np.float32), texts.targets[test])


def _plain_chances(vectors: Floats, targets: Floats, others: Floats) -> Floats:
    chances = np.zeros((len(others), targets.shape[1]), dtype=np.float32)
    for label in range(targets.shape[1]):
        if 0 < targets[:, label].sum() < len(targets):
            model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=300)
            chances[:, label] = model.fit(vectors, targets[:, label]).predict_proba(others)[:, 1]
    return chances


def _step(known: int) -> int:
    """Labels before the next training: a tenth of those there are, at least 25."""
    return max(BATCH, known // 10)


Asked = Callable[[SeveralSet, Trained | None, Rows, Rows, np.random.Generator], Floats]


def _at_random(
    texts: SeveralSet, trained: Trained | None, left: Rows, known: Rows, rng: np.random.Generator
) -> Floats:
    return rng.random(len(left)).astype(np.float32)


def _by_entropy(
    texts: SeveralSet, trained: Trained | None, left: Rows, known: Rows, rng: np.random.Generator
) -> Floats:
    return _uncertainty(texts, trained, left)


def _by_coverage(
    texts: SeveralSet, trained: Trained | None, left: Rows, known: Rows, rng: np.random.Generator
) -> Floats:
    return uncertainty_coverage(
        _uncertainty(texts, trained, left),
        texts.items(left),
        texts.items(known),
        batch=_step(len(known)),
        rng=rng,
    )


def _uncertainty(texts: SeveralSet, trained: Trained | None, left: Rows) -> Floats:
    if trained is None:
        return np.ones(len(left), dtype=np.float32)
    return trained.head.believe(texts.items(left), "bench").uncertainty


ASKED: dict[str, Asked] = {RANDOM: _at_random, ENTROPY: _by_entropy, OURS: _by_coverage}
