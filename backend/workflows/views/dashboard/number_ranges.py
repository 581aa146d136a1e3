"""Numbers on the map: ranges of round width, as no two numbers need be the same."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10
from typing import Final

import numpy as np

# As many ranges between the twentieths at both ends as one tells apart by their colours, at most.
_MOST_RANGES: Final = 6
_ROUND: Final = (1.0, 2.0, 5.0, 10.0)
_LARGEST: Final = 1e300


def name_ranges(written: Iterable[str]) -> dict[str, str]:
    """The range that each written number lies in, as it is called; what is no number stays as it is.

    The ranges are equally wide, but the first and the last, which are open to the outside.
    """
    numbers = {text: number for text in written if (number := _read(text)) is not None}
    if not numbers:
        return {}
    low, high = np.quantile(list(numbers.values()), (0.05, 0.95))
    width = _round_width((high - low) / _MOST_RANGES) if high - low > 1 / _LARGEST else 1.0
    first, last = floor(low / width), floor(high / width)
    places = {text: min(max(floor(number / width), first), last) for text, number in numbers.items()}
    return {text: _name(place, width, first=first, last=last) for text, place in places.items()}


def _read(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= _LARGEST else None


def _round_width(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below."""
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in _ROUND if step * power >= least * (1 - 1e-9))


def _name(place: int, width: float, *, first: int, last: int) -> str:
    if first == last:
        return "all numbers"
    if place == first:
        return f"below {(first + 1) * width:.6g}"
    if place == last:
        return f"{last * width:.6g} and more"
    return f"{place * width:.6g} to {(place + 1) * width:.6g}"
