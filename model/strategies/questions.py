"""The order for several questions at once: each asks in turn, the one that has most to learn most often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.records import Floats
from model.strategies.coverage import uncertainty_coverage
from model.strategies.herding import balanced_herding, max_herding
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.task_type import Beliefs

# A question of which the model is nearly sure still asks now and then: what it is sure of may be wrong.
_LEAST_TURNS = 0.1


@named_strategy("largest-need")
def largest_need(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Scores (n,) of items by the largest need over questions, higher = label sooner.

    Each question has an order of its own: a first single choice that of balanced herding, any other one its
    uncertainty × coverage. A place in that order is divided by the share of answers that its head expects to
    get wrong, so that of two questions the one that knows less fills more of the window; an item stands by
    its best place. Without any head: coverage alone.
    """
    orders: list[tuple[Floats, float]] = []
    if inputs.probabilities is not None:
        expected = 1.0 - float(inputs.require_probabilities().max(axis=1).mean())
        orders.append((balanced_herding(inputs, rng).values, expected))
    for beliefs in inputs.questions:
        mine = beliefs if inputs.asked is None else beliefs.take(inputs.asked)
        items = inputs.pool if inputs.asked is None else inputs.pool.take(inputs.asked)
        scores = uncertainty_coverage(mine.uncertainty, items, inputs.labelled, batch=inputs.batch, rng=rng)
        orders.append((scores, 1.0 - float(mine.confidence.mean())))
    if not orders:
        return max_herding(inputs, rng).values
    if len(orders) == 1:
        return orders[0][0]
    most = max(need for _scores, need in orders)
    places = [_places(scores) / _turns(need, most) for scores, need in orders]
    best: Floats = -np.min(places, axis=0).astype(np.float32)
    return best


def when_shown(beliefs: Beliefs, chance: Floats) -> Beliefs:
    """Beliefs about a question that an item is asked with a `chance` (n,) in [0, 1] only.

    Where it is not asked there is nothing to be unsure of: uncertainty, and what is missing to full
    confidence, shrink by the chance. Raises ValueError when rows do not match or a chance is none.
    """
    if chance.shape != beliefs.uncertainty.shape or not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError(f"when_shown: {chance.shape} chances in [0, 1] for {len(beliefs)} items")
    uncertainty = np.asarray(beliefs.uncertainty * chance, dtype=np.float32)
    confidence = np.asarray(1.0 - (1.0 - beliefs.confidence) * chance, dtype=np.float32)
    return replace(beliefs, uncertainty=uncertainty, confidence=confidence)


def _turns(need: float, most: float) -> float:
    """How often a question asks beside the one that has most to learn, from `_LEAST_TURNS` to 1."""
    return max(need / most, _LEAST_TURNS) if most > 0 else 1.0


def _places(scores: Floats) -> Floats:
    """The place (n,) of each item in an order, 1 first."""
    order: Rows = np.argsort(-scores, kind="stable")
    places = np.empty(len(scores), dtype=np.float32)
    places[order] = np.arange(1, len(scores) + 1)
    return places
