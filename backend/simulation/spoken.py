"""What a cell of a file says: a word, a list of words, or a number."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["a word", "a list", "a number"]

# Under which key Label Studio writes what was said; of a taxonomy it is a list of paths.
WORDS_KEY, NUMBER_KEYS = "choices", ("rating", "number")
_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Said:
    """`words` each once, in their order; of a number `number`.

    `is_wrapped`: in Label Studio's own shape, which stands beside bare words where one of several is ticked.
    """

    form: Form
    words: tuple[str, ...] = ()
    number: float = 0.0
    is_wrapped: bool = False


def read_said(value: Any, *, is_table: bool) -> Said | None:
    """What a cell says; None for nothing. Raises ValueError with what is wrong with it, after "it is".

    is_table: cells are text, and one that looks like a number is one.
    """
    found, is_wrapped = unpacked(value), False
    if isinstance(found, dict):
        found, is_wrapped = _unwrap(found), True
    if found is None or isinstance(found, str) and not found.strip():
        return None
    if isinstance(found, str):
        is_number = is_table and _NUMBER.fullmatch(found.strip())
        return _number(float(found)) if is_number else Said("a word", (found.strip(),))
    if isinstance(found, bool):
        return Said("a word", (str(found),))
    if isinstance(found, int | float):
        return _number(found)
    return Said("a list", _words(found), is_wrapped=is_wrapped)


def unpacked(value: Any) -> Any:
    """A cell, or what JSON in it holds: tables have no other lists."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def as_word(number: float) -> str:
    """A number as the name of a class: 3, not 3.0."""
    return str(int(number)) if number.is_integer() else repr(number)


def _unwrap(found: dict[str, Any]) -> Any:
    key = next((key for key in (WORDS_KEY, *NUMBER_KEYS) if key in found), None)
    if key is None:
        raise ValueError("an object of another shape")
    return found[key]


def _number(value: float) -> Said:
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("a number beyond all bounds") from None
    if not math.isfinite(number):
        raise ValueError("no finite number")
    return Said("a number", number=number)


def _words(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise ValueError("neither a word, nor a list, nor a number")
    if found and all(isinstance(item, list) for item in found):
        raise ValueError("paths, as of a taxonomy, which need a labeling config: see --project")
    if not all(isinstance(item, str | int | float) for item in found):
        raise ValueError("a list of something else than words")
    words = (str(item).strip() for item in found)
    return tuple(dict.fromkeys(word for word in words if word))
