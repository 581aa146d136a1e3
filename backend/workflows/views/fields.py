"""Reads figures that may be missing, or of another shape than expected: a hole is shown, nothing breaks."""

from __future__ import annotations

import math

from backend.json_types import Json


def part(figures: Json, name: str) -> Json:
    """An object inside figures; empty when there is none."""
    found = figures.get(name)
    return found if isinstance(found, dict) else {}


def rows(figures: Json, name: str) -> list[Json]:
    """A list of objects inside figures; what is no object is left out."""
    found = figures.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def number(figures: Json, name: str) -> float | None:
    """A finite number inside figures."""
    found = figures.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def count(figures: Json, name: str) -> int:
    """A whole number inside figures; 0 when there is none."""
    return int(number(figures, name) or 0)


def text(figures: Json, name: str) -> str:
    """A text inside figures; empty when there is none."""
    found = figures.get(name)
    return found.strip() if isinstance(found, str) else ""
