"""What is left out of a file, counted and said in one line: how many, which, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST_SHOWN = 3


def left_out_note(faults: Iterable[tuple[str, str]], *, of: int, what: str = "rows") -> str:
    """A sentence; empty without faults. `faults`: where each stands ("line 3"), and why ("have no text")."""
    reasons: dict[str, list[str]] = {}
    for where, why in faults:
        reasons.setdefault(why, []).append(where)
    if not reasons:
        return ""
    total = sum(map(len, reasons.values()))
    parts = [
        f"{len(places):,} {_agree(why, len(places))} ({some(places)})" for why, places in reasons.items()
    ]
    return f"{count_left_out(total, of=of, what=what)}: {'; '.join(parts)}."


def count_left_out(count: int, *, of: int, what: str = "rows") -> str:
    """How many of how many are left out: "1 of 20 rows is left out"."""
    return f"{count:,} of {of:,} {what} {'is' if count == 1 else 'are'} left out"


def _agree(why: str, count: int) -> str:
    """What `count` rows do: one "has" what several "have"."""
    return f"has{why.removeprefix('have')}" if count == 1 and why.startswith("have ") else why


def some(places: Sequence[str]) -> str:
    """The first few of them, and that there are more."""
    return ", ".join(places[:_MOST_SHOWN]) + (", …" if len(places) > _MOST_SHOWN else "")
