"""Strategies: functions that turn a pool into scores (higher = label sooner), and the table of all."""

from __future__ import annotations

from typing import Final

from model.strategies.chance import random
from model.strategies.clusters import cluster_margin, dropquery, typiclust
from model.strategies.diversity import core_set, margin_diversity
from model.strategies.gradients import badge
from model.strategies.herding import balanced_herding, max_herding, uncertainty_herding
from model.strategies.imbalance import direct
from model.strategies.inputs import HeadView, Strategy, StrategyInput
from model.strategies.questions import largest_need
from model.strategies.uncertainty import entropy, least_confidence, margin, power_margin

STRATEGIES: Final[dict[str, Strategy]] = {
    "random": random,
    "margin": margin,
    "entropy": entropy,
    "least-confidence": least_confidence,
    "power-margin": power_margin,
    "badge": badge,
    "core-set": core_set,
    "typiclust": typiclust,
    "cluster-margin": cluster_margin,
    "dropquery": dropquery,
    "direct": direct,
    "max-herding": max_herding,
    "margin-diversity": margin_diversity,
    "uncertainty-herding": uncertainty_herding,
    "balanced-herding": balanced_herding,
    "largest-need": largest_need,
}

_WITHOUT_PROBABILITIES = frozenset({"random", "max-herding", "core-set", "typiclust", "largest-need"})

__all__ = ["STRATEGIES", "HeadView", "Strategy", "StrategyInput", "needs_probabilities"]


def needs_probabilities(name: str) -> bool:
    """Whether a strategy of the table needs a head's probabilities; raises ValueError on an unknown name."""
    if name not in STRATEGIES:
        raise ValueError(f"there is no strategy {name!r}; choose one of: {', '.join(STRATEGIES)}")
    return name not in _WITHOUT_PROBABILITIES
