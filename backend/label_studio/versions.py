"""Names of model versions as Label Studio shows them: nl-000001, nl-000002-label-names, …"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PATTERN = re.compile(r"nl-(\d{6,})(-label-names)?")


def version_number(name: str) -> int | None:
    """The number in a version name; None when the version is not ours."""
    match = _PATTERN.fullmatch(name)
    return int(match.group(1)) if match else None


def is_by_name(name: str) -> bool:
    """Whether a version is of a model that has seen no labels and goes by their names."""
    match = _PATTERN.fullmatch(name)
    return match is not None and match.group(2) is not None


def next_version(known: Iterable[str], *, by_name: bool) -> str:
    """A name never used before among `known`; `by_name` marks a model that goes by label names alone."""
    numbers = [number for number in map(version_number, known) if number is not None]
    suffix = "-label-names" if by_name else ""
    return f"nl-{max(numbers, default=0) + 1:06d}{suffix}"
