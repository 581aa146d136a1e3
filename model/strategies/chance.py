"""The strategy every other one has to beat: a uniformly random order."""

from __future__ import annotations

import numpy as np

from model.audit import audit_hash
from model.records import Floats
from model.strategies.inputs import StrategyInput, named_strategy


@named_strategy("random")
def random(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """A uniform number in [0, 1) per item, that stays the same for a seed when other items leave the pool."""
    return audit_hash(inputs.ids, int(rng.integers(2**63))).astype(np.float32)
