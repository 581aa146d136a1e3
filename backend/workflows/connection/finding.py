"""What the doctor found of one thing that it looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from backend.errors import NextlabelError

Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it stands, and what to do when it is not well."""

    check: str
    verdict: Verdict
    message: str
    cure: str = ""

    def to_json(self) -> dict[str, str]:
        """All fields as a dict."""
        return asdict(self)


def try_check(check: str, run: Callable[[], Finding]) -> Finding:
    """What a check finds; a fault with its cure where it raises."""
    try:
        return run()
    except NextlabelError as error:
        return Finding(check, "fault", error.message, error.hint)
