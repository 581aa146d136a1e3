"""Text that other people wrote, as a terminal or a log can show it without obeying it."""

from __future__ import annotations

import unicodedata

# Control characters, halves of surrogate pairs, separators of lines and paragraphs.
_STEERING = ("Cc", "Cs", "Zl", "Zp")
# What turns the direction of all that follows it: it would show the rest of a line in another order.
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def visible(text: str, *, kept: str = "\n\t") -> str:
    """The text with every character that steers by its code, but those of `kept`."""
    return "".join(_code(char) if _steers(char) and char not in kept else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _STEERING or unicodedata.bidirectional(char) in _TURNING


def _code(char: str) -> str:
    return char.encode("unicode_escape").decode()
