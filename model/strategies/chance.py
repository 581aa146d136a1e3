"""The strategy every other one has to beat: a uniformly random order."""

from __future__ import annotations

import numpy as np

from model.records import Floats
from model.strategies.inputs import StrategyInput, named_strategy


@named_strategy("random")
def random(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """A uniform number in [0, 1) per item."""
    return rng.random(len(inputs), dtype=np.float32)
