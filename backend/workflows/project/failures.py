"""How failures that nobody foresaw are named: by their place in the code, not by their data."""

from __future__ import annotations

from traceback import extract_tb


def unforeseen(error: Exception) -> str:
    """One line; what a message says beside the reason of an OSError could be people's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name}, line {place.lineno}"
