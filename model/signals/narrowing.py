"""How many more blind labels make a range of the accuracy narrow enough to act on."""

from __future__ import annotations

import math

from model.calibration import score_interval
from model.signals.estimate import Estimate

AIM = 0.08  # half of the width
_MOST = 100_000


def more_to_narrow(found: Estimate, blind: int, *, helped: bool = False, aim: float = AIM) -> int:
    """Blind labels, besides the `blind` ones there are, until half of the range is about `aim`.

    By what labels alone give, at an accuracy that is drawn towards a half as Agresti and Coull's (1998).
    Where other items `helped`, a label stays worth what it is worth by the width now, if that is more.
    Raises ValueError unless `blind` and `aim` are positive.
    """
    if blind < 1 or aim <= 0.0:
        raise ValueError(f"more_to_narrow: {blind} labels and an aim of {aim}; both must be above 0")
    half = (found.high - found.low) / 2.0
    if half <= aim:
        return 0
    share = (found.value * blind + 2.0) / (blind + 4.0)
    needed = _fewest(share, aim)
    if helped:
        needed = min(needed, math.ceil(blind * (half / aim) ** 2))
    return max(needed - blind, 1)


def _fewest(share: float, aim: float) -> int:
    """How many labels alone give such a range for a share: Wilson's."""
    low, high = 1, _MOST
    while low < high:
        middle = (low + high) // 2
        bounds = score_interval(share, middle)
        low, high = (low, middle) if bounds[1] - bounds[0] <= 2.0 * aim else (middle + 1, high)
    return low
