"""Columns of a database that may be damaged: what is no value of a column is read as nothing, and marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, Double, TypeDecorator

# Moments end with the seconds that 32 bits hold, long after us.
_LAST_SECOND = 2.0**32
_LARGEST = 2**63
_LONG_AGO = datetime(1970, 1, 1)


class Damaged:
    """Marks a value that stands in for one that cannot be read."""


class NoFields(Damaged, dict[str, Any]):
    """In place of an object."""


class NoItems(Damaged, list[Any]):
    """In place of a list."""


class NoMoment(Damaged, float):
    """In place of a moment."""


_UNREADABLE: Final = object()


def read_json(text: str) -> object:
    """What is stored as JSON; numbers that no column holds, like 1e999, are null. Never raises."""
    try:
        return json.loads(text, parse_float=_float, parse_int=_integer, parse_constant=lambda _name: None)
    except (ValueError, RecursionError, TypeError):
        return _UNREADABLE


class Fields(TypeDecorator[dict[str, Any]]):
    """A JSON object, whose values are of some types where these are given."""

    impl = JSON
    cache_ok = True

    def __init__(self, *of: type) -> None:
        super().__init__()
        self.of = of

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any]:
        """The object; an empty one where there is none."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            return NoFields()
        right = {name: one for name, one in value.items() if not self.of or isinstance(one, self.of)}
        return right if len(right) == len(value) else NoFields(right)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """As JSON does: a path into the object is a string."""
        return self.impl_instance.coerce_compared_value(op, value)


class Items(TypeDecorator[list[Any]]):
    """A JSON list of values of a type."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: type) -> None:
        super().__init__()
        self.of = of

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any]:
        """The list; an empty one where there is none."""
        if value is None:
            return []
        if not isinstance(value, list):
            return NoItems()
        right = [one for one in value if isinstance(one, self.of)]
        return right if len(right) == len(value) else NoItems(right)


class Seconds(TypeDecorator[float]):
    """A moment in seconds since 1970."""

    impl = Double
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        """The moment; the first of all where it is none."""
        if value is None or (isinstance(value, int | float) and 0.0 <= value <= _LAST_SECOND):
            return value
        return NoMoment(0.0)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; one that cannot be read is long ago."""

    impl = DateTime
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """What the dialect does, but that it may fail."""
        read = super().result_processor(dialect, coltype)

        def read_any(value: Any) -> datetime | None:
            try:
                return read(value) if read else value
            except (ValueError, TypeError):
                return _LONG_AGO

        return read_any


def _float(text: str) -> float | None:
    value = float(text)
    return value if isfinite(value) else None


def _integer(text: str) -> int | None:
    value = int(text)
    return value if abs(value) < _LARGEST else None
