"""A number with the range that fits the evidence, and how both are written for a person."""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.calibration import exact_interval, wilson_interval

Z80 = 1.281552


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the lowest and highest one that fit; low <= value <= high."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"Estimate: {self.low} to {self.high} is not finite")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"Estimate: {self.value} is not from {self.low} to {self.high}")


def share(right: int, total: int) -> Estimate:
    """A share with its Wilson interval at 95 %; raises ValueError when there is nothing to share."""
    if total < 1:
        raise ValueError(f"share: {right} of {total}")
    low, high = wilson_interval(right, total)
    return Estimate(right / total, low, high)


def exact_share(right: int, total: int) -> Estimate:
    """A share of few items with Clopper and Pearson's interval at 95 %; raises ValueError without an item."""
    if total < 1:
        raise ValueError(f"exact_share: {right} of {total}")
    low, high = exact_interval(right, total)
    return Estimate(right / total, low, high)


def percent(value: float) -> str:
    """A share as people write it: 88 %, and 99.6 % where the whole number would hide what is left."""
    points = 100.0 * value
    digits = 0 if 1.0 <= points <= 99.0 or points in (0.0, 100.0) else 1
    return f"{points:.{digits}f} %"


def percent_range(estimate: Estimate) -> str:
    """A share and its range: 88 % (84 to 91 %)."""
    low, high = percent(estimate.low), percent(estimate.high)
    return f"{percent(estimate.value)} ({low.removesuffix(' %')} to {high})"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign: +1.2, −0.3."""
    rounded = round(100.0 * value, 1) + 0.0
    return f"{'−' if rounded < 0 else '+'}{abs(rounded):.1f}"


def points_range(estimate: Estimate) -> str:
    """A difference of shares and its range: +1.2 points (+0.3 to +2.0)."""
    return f"{points(estimate.value)} points ({points(estimate.low)} to {points(estimate.high)})"
