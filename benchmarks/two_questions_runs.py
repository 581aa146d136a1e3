"""Projects of two questions labelled by a simulated annotator, in one order or another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.two_questions_sets import Asked, TwoQuestions
from model.records import Embeddings, Floats
from model.strategies.inputs import StrategyInput
from model.strategies.questions import largest_need
from model.task_type import Beliefs, Trained
from model.tasks.f1_interval import micro_f1

Rows = NDArray[np.intp]

BATCH, MOST = 25, 1500
RANDOM, FIRST, OURS = "random", "the first question alone", "ours"
ORDERS = (RANDOM, FIRST, OURS)
SHARE = 0.9  # of what the whole pool gives to each question


def full_scores(texts: TwoQuestions, *, seed: int) -> list[float]:
    """Micro F1 of each question on items apart, with the answers of the whole pool."""
    pool, test = texts.split(seed)
    return _scores(texts, [_train(texts, asked, np.sort(pool), seed) for asked in texts.questions], test)


def labels_needed(
    texts: TwoQuestions, order: str, *, seed: int, goals: list[float]
) -> tuple[int, list[list[float]]]:
    """Labels until both questions reach their goals on the test rows, and both figures after each batch.

    MOST where it was never reached. A label answers both questions. The test rows choose nothing.
    """
    pool, test = texts.split(seed)
    rng = np.random.default_rng([11, seed])
    left, known = np.sort(pool), np.zeros(0, dtype=np.intp)
    heads = [asked.learner.cold_start(asked.names, asked.space) for asked in texts.questions]
    curve: list[list[float]] = []
    while len(known) < min(MOST, len(pool)):
        scores = _order(texts, order, heads, left, known, rng)
        picked = np.argsort(-scores, kind="stable")[: max(BATCH, len(known) // 10)]
        known, left = np.concatenate([known, left[picked]]), np.delete(left, picked)
        heads = [_train(texts, asked, known, seed) for asked in texts.questions]
        curve.append(_scores(texts, heads, test))
        if all(score >= goal for score, goal in zip(curve[-1], goals, strict=True)):
            return len(known), curve
    return MOST, curve


def _train(texts: TwoQuestions, asked: Asked, rows: Rows, seed: int) -> Trained:
    return asked.learner.train(
        texts.items(rows),
        asked.labels(rows),
        names=asked.names,
        audit=np.zeros(len(rows), dtype=np.bool_),
        rng=np.random.default_rng([seed, len(rows)]),
    )


def _scores(texts: TwoQuestions, heads: list[Trained], test: Rows) -> list[float]:
    items = texts.items(test)
    return [
        micro_f1(trained.head.believe(items, "bench").answers, asked.targets[test])
        for asked, trained in zip(texts.questions, heads, strict=True)
    ]


def _order(
    texts: TwoQuestions,
    order: str,
    heads: list[Trained | None],
    left: Rows,
    known: Rows,
    rng: np.random.Generator,
) -> Floats:
    if order == RANDOM:
        return rng.random(len(left)).astype(np.float32)
    items = texts.items(left)
    asking = heads[:1] if order == FIRST else heads
    beliefs = tuple(_believe(head, items) for head in asking)
    batch = max(BATCH, len(known) // 10)
    inputs = StrategyInput(items, None, texts.items(known), batch, questions=beliefs)
    return largest_need(inputs, rng).values


def _believe(head: Trained | None, items: Embeddings) -> Beliefs:
    if head is None:
        raise ValueError("two questions: a question has no head before its first label")
    return head.head.believe(items, "bench")
