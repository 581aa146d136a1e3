"""Finds what the loops last measured: the newest signals, and the loop they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.json_types import Json
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Measured:
    """The signals of one loop, and the same as they are stored: see docs/decisions/0015-dashboard.md."""

    signals: Signals
    stored: Json
    version: str | None
    at: datetime


def newest_signals(workspace: Workspace) -> Measured | None:
    """The signals of the newest loop that has some."""
    row = workspace.loops.newest_measured()
    if row is None or not isinstance(row.figures["signals"], dict):
        return None
    stored = row.figures["signals"]
    return Measured(Signals.read(stored), stored, row.version, row.finished_at or row.started_at)
