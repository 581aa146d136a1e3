"""What a worker does for the vectors while no loop is due: moves old rows into files, and sweeps these."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from backend.context import Context
from backend.errors import DatabaseUnavailable
from backend.workflows.project.hints import is_due
from backend.workflows.project.workspace import connected_workspaces

# Out of the minute between two calls.
_MOVING_S: Final = 20.0


def keep_vectors(context: Context) -> None:
    """Moves vectors that an earlier release kept as rows, for some seconds; else sweeps, once a day.

    Gives way to a loop that is due. May be killed at any moment. Raises DiskUnavailable.
    """
    until = time.monotonic() + _MOVING_S

    def interrupted() -> bool:
        if context.stopping.is_set() or time.monotonic() >= until:
            return True
        try:
            return any(is_due(workspace) for workspace in connected_workspaces(context))
        except DatabaseUnavailable:  # the clock, which asks the same, has told it
            return True

    if not context.vectors.move_rows(interrupted=interrupted) and not interrupted():
        context.vectors.sweep(today=datetime.now(UTC).date())
