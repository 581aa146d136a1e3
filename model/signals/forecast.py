"""What the next labels would buy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.signals.estimate import Z80, Estimate, points_range
from model.signals.power_law import accuracies_of, draw_rows, fit_power_law

if TYPE_CHECKING:  # it trains heads, whose libraries take seconds to import
    from model.signals.learning_curve import Step

FEWEST_STEPS = 3
_DRAWS = 400
_LUCK = 0.11  # times 1 / sqrt(labels): what one training differs from the curve by luck
_LEAST_LUCK = 0.005


@dataclass(frozen=True, slots=True)
class Forecast:
    """The gain by `more` labels with an 80 % band, as a share (0.01 is a point); None = unknown."""

    more: int
    gain: Estimate | None
    words: str


def forecast_gain(steps: Sequence[Step], *, more: int = 100, rng: np.random.Generator) -> Forecast:
    """What `more` labels would add to the last step of a learning curve.

    A weighted inverse power law (Figueroa et al., 2012) is fitted to bootstrap samples of the audit labels;
    the band also holds the luck of a single training. Below three steps nothing is said.
    Raises ValueError unless `more` is positive.
    """
    if more < 1:
        raise ValueError(f"forecast_gain: more is {more}; it must be 1 or more")
    if len(steps) < FEWEST_STEPS:
        return Forecast(more, None, "Too early for a forecast: the learning curve is too short.")
    drawn = draw_rows(len(steps[-1].sample.right), _DRAWS, rng)
    accuracy = accuracies_of([step.sample for step in steps], drawn)
    law = fit_power_law(accuracy, np.array([step.learned for step in steps]))
    labels = float(steps[-1].labels)
    later, now = np.full(_DRAWS, labels + more), np.full(_DRAWS, labels)
    gains = law.accuracy(later) - law.accuracy(now)
    luck = max(_LUCK / math.sqrt(labels), _LEAST_LUCK)
    value, half = float(gains.mean()), Z80 * math.hypot(float(gains.std()), luck)
    gain = Estimate(value, value - half, value + half)
    if gain.low > 0.0:
        return Forecast(more, gain, f"The next {more} labels: {points_range(gain)}.")
    words = f"The next {more} labels: nothing significant, {points_range(gain)}."
    return Forecast(more, gain, words)
