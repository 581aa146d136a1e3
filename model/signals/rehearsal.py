"""Labels in random order, rehearsed: what they would have taught, in a world where the model is right."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.heads.fitting import fit_head
from model.heads.trained import TrainedHead
from model.records import Embeddings, Floats, Labels
from model.signals.estimate import Z95, Estimate

WORLDS = 2
RANDOM_ORDERS = 2  # in each world
# Measured over six public sets (docs/decisions/0013): rehearsals exaggerate, and are off by so much.
_SHRINK = 0.8
_RELATIVE_ERROR, _ABSOLUTE_ERROR = 0.4, 0.01

Rows = NDArray[np.intp]


def rehearse(
    labelled: Embeddings,
    trained: TrainedHead,
    *,
    unlabelled: Embeddings,
    pool_size: int,
    name_vectors: Floats | None,
    rng: np.random.Generator,
) -> Estimate:
    """How much better the labelled items (n, d) teach than as many random ones: difference of accuracy.

    `trained` learned from them; `unlabelled` (u, d) is the rest of the pool, or a random part of it.
    Every item is given an answer drawn from what heads believe of it that have not seen its label. From
    these answers one head learns the labelled items and others random ones, with the same settings, and
    all are judged on the whole pool by these answers (a parametric bootstrap; Efron, 1979).
    """
    vectors = np.concatenate([labelled.vectors, unlabelled.vectors])
    pool = Embeddings(np.arange(len(vectors), dtype=np.int64), vectors, labelled.encoder)
    beliefs = np.concatenate(
        [trained.out_of_fold.values, trained.head.probabilities(unlabelled, "rehearsal").values]
    )
    weights = np.ones(len(pool))
    if len(unlabelled):
        weights[len(labelled) :] = max(pool_size - len(labelled), len(unlabelled)) / len(unlabelled)
    weights /= weights.sum()
    asked = np.arange(len(labelled))
    gains = []
    for _ in range(WORLDS):
        answers = (beliefs.cumsum(axis=1) < rng.random((len(pool), 1))).sum(axis=1)
        world = Labels(
            pool.ids,
            np.eye(beliefs.shape[1], dtype=np.float32)[np.minimum(answers, beliefs.shape[1] - 1)],
            trained.head.space,
        )
        in_use = _learn(pool, world, asked, weights, trained, name_vectors)
        for _ in range(RANDOM_ORDERS):
            drawn = np.sort(rng.choice(len(pool), len(asked), replace=False, p=weights))
            gains.append(in_use - _learn(pool, world, drawn, weights, trained, name_vectors))
    value = _SHRINK * float(np.mean(gains))
    half = Z95 * math.hypot(_RELATIVE_ERROR * value, _ABSOLUTE_ERROR)
    return Estimate(value, value - half, value + half)


def _learn(
    pool: Embeddings,
    world: Labels,
    rows: Rows,
    weights: NDArray[np.float64],
    trained: TrainedHead,
    name_vectors: Floats | None,
) -> float:
    """Accuracy in the pool of a head that learned the answers of some rows."""
    part = Labels(world.ids[rows], world.targets[rows], world.space)
    head = fit_head(
        pool.take(rows),
        part,
        inverse_regularisation=trained.metrics["inverse_regularisation"] or 10.0,
        name_vectors=name_vectors,
        prior_weight=trained.metrics["prior_weight"] or 0.0,
    )
    return float(weights @ (head.logits(pool.vectors).argmax(axis=1) == world.classes))
