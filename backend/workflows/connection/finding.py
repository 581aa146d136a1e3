"""What the doctor found of one thing that it looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

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
