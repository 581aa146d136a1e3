"""Finds what the loops last measured: the newest signals, and the loop they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.json_types import Json
from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Measured:
    """The signals of one loop: see docs/decisions/0015-dashboard.md for their fields."""

    signals: Json
    version: str | None
    at: datetime


def newest_signals(workspace: Workspace) -> Measured | None:
    """The signals of the newest loop that has some."""
    row = workspace.loops.newest_measured()
    if row is None or not isinstance(row.figures["signals"], dict):
        return None
    return Measured(row.figures["signals"], row.version, row.finished_at or row.started_at)
