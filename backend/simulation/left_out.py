"""What is left out of a file, counted and said in one line: how many, which, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST_SHOWN = 3


def left_out_note(faults: Iterable[tuple[str, str]], *, of: int, what: str = "rows") -> str:
    """A sentence; empty without faults. `faults`: where each stands ("line 3"), and why ("no text")."""
    reasons: dict[str, list[str]] = {}
    for where, why in faults:
        reasons.setdefault(why, []).append(where)
    if not reasons:
        return ""
    total = sum(map(len, reasons.values()))
    parts = [f"{len(places):,} {why} ({some(places)})" for why, places in reasons.items()]
    return f"{total:,} of {of:,} {what} are left out: {'; '.join(parts)}."


def some(places: Sequence[str]) -> str:
    """The first few of them, and that there are more."""
    return ", ".join(places[:_MOST_SHOWN]) + (", …" if len(places) > _MOST_SHOWN else "")
