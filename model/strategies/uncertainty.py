"""Strategies that look at each item alone: how unsure is the head?"""

from __future__ import annotations

import numpy as np

from model.records import Floats
from model.strategies.inputs import StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty

POWER = 4.0


@named_strategy("margin")
def margin(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """1 - (best - second best probability), in [0, 1] (Scheffer et al., 2001, breaking ties)."""
    return margin_uncertainty(inputs.require_probabilities())


@named_strategy("entropy")
def entropy(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Entropy of the probabilities over its largest possible value, in [0, 1] (Settles, 2009)."""
    values = inputs.require_probabilities().astype(np.float64)
    if values.shape[1] < 2:
        return np.zeros(len(values), dtype=np.float32)
    terms = values * np.log(values, where=values > 0, out=np.zeros_like(values))
    normalised: Floats = (-terms.sum(axis=1) / np.log(values.shape[1])).astype(np.float32)
    return normalised


@named_strategy("least-confidence")
def least_confidence(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """1 - best probability, in [0, 1) (Lewis and Gale, 1994)."""
    unsure: Floats = (1.0 - inputs.require_probabilities().max(axis=1)).astype(np.float32)
    return unsure


@named_strategy("power-margin")
def power_margin(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Margin with chance: 4 × log of the uncertainty, plus Gumbel noise (Kirsch et al., 2023).

    The whole order is diverse and stays sound when labels come late. Squeezed into [0, 1].
    """
    uncertainty = np.maximum(margin_uncertainty(inputs.require_probabilities()), np.float32(1e-9))
    values = POWER * np.log(uncertainty) + rng.gumbel(size=len(uncertainty))
    return np.asarray(np.argsort(np.argsort(values)) / max(len(values) - 1, 1), dtype=np.float32)
