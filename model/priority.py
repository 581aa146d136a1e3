"""What an admin wants asked sooner: a multiplier of each item's score, and quotas of the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.records import Ids

_ROUNDING = 1e-9  # a third of 30 is 10, not 11


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """Items of which at least `share` (above 0, at most 1) of the window is to be, while there are some."""

    name: str
    share: float
    ids: Ids

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"Quota {self.name!r}: share is {self.share}; it must be above 0 and at most 1")

    def due(self, places: int) -> int:
        """How many of the first so many places it asks for: share · places, rounded up."""
        return math.ceil(self.share * places - _ROUNDING)


@dataclass(frozen=True, slots=True, eq=False)
class Priority:
    """`multipliers` (m,), above 0, of the scores of the items `ids` (m,), all others having 1; and quotas."""

    ids: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    multipliers: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    quotas: tuple[Quota, ...] = ()

    def __post_init__(self) -> None:
        if self.ids.shape != self.multipliers.shape:
            raise ValueError(f"Priority: {len(self.multipliers)} multipliers for {len(self.ids)} items")
        if not (np.isfinite(self.multipliers) & (self.multipliers > 0)).all():
            raise ValueError("Priority: a multiplier is not a finite number above 0")

    def __bool__(self) -> bool:
        """Whether there is anything that could change an order."""
        return len(self.ids) > 0 or len(self.quotas) > 0

    def multipliers_of(self, ids: Ids) -> NDArray[np.float64]:
        """The multiplier (n,) of each of some items."""
        given = dict(zip(self.ids.tolist(), self.multipliers.tolist(), strict=True))
        return np.array([given.get(item, 1.0) for item in ids.tolist()], dtype=np.float64)


def by_priority(values: NDArray[np.floating], multipliers: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions (n,) by score · multiplier, the highest first; equal ones by multiplier, then as they stood.

    With scores (n,) of 0 or more, of two equal ones that with the higher multiplier never comes later.
    """
    return np.lexsort((-multipliers, -(values.astype(np.float64) * multipliers)))


def meet_quotas(ids: Ids, free: NDArray[np.bool_], quotas: Sequence[Quota], *, window: int) -> Ids:
    """The same order (n,) with members of quotas moved forward, so that the window meets the quotas.

    From the front of the window on, every `free` place (n,) goes to a member of the quota that lacks most
    of what is due up to it, ceil(share · places), else to the next item. What stands at other places stays
    there, and counts. Only items of free places move, and but for that they keep their order.
    """
    places = np.flatnonzero(free)
    order = ids[places].tolist()
    members = [set(quota.ids.tolist()) for quota in quotas]
    lines = [iter([item for item in order if item in member]) for member in members]
    everybody, taken, moved = iter(order), set[int](), ids.copy()
    met = [0] * len(quotas)
    for place in range(min(window, len(ids))):
        if free[place]:
            lacks = [quota.due(place + 1) - count for quota, count in zip(quotas, met, strict=True)]
            wanted = sorted(range(len(quotas)), key=lambda number: -lacks[number])
            sources = [lines[number] for number in wanted if lacks[number] > 0]
            item = next(one for source in (*sources, everybody) for one in source if one not in taken)
            taken.add(item)
            moved[place] = item
        met = [count + (int(moved[place]) in member) for count, member in zip(met, members, strict=True)]
    moved[places[places >= window]] = [item for item in order if item not in taken]
    return moved
