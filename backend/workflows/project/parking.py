"""Projects whose loops keep failing: how long a worker leaves one alone.

Each failure is counted when its loop begins and taken back when it ends well, so that a loop which kills its
worker counts too. What fails for all projects alike is not counted: it ends for all at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from backend.errors import (
    AddressBlocked,
    BackendUnreachable,
    Busy,
    DatabaseUnavailable,
    DiskUnavailable,
    EncoderUnavailable,
    LabelStudioUnreachable,
    LeaseLost,
    NotConnected,
    NotFound,
    QueueUnavailable,
    Stopped,
    StoreUnavailable,
    TokenRefused,
)
from backend.json_types import Json
from backend.workflows.project.lease import is_running
from backend.workflows.project.workspace import Workspace

# So many failures in a row are a project's own way.
PARKED_AFTER: Final = 3
# Then two minutes, twice as long after each further failure, ten at most.
_FIRST_PAUSE_S: Final = 120.0
_LONGEST_PAUSE_S: Final = 600.0

# What a project stands on, and what another holder or a person did to it.
_NOT_ITS_OWN: Final = (
    *(LabelStudioUnreachable, TokenRefused, AddressBlocked, BackendUnreachable, EncoderUnavailable),
    *(DatabaseUnavailable, QueueUnavailable, DiskUnavailable, StoreUnavailable),
    *(Stopped, Busy, LeaseLost, NotConnected, NotFound),
)
# People go on labeling whatever fails, and the clock asks whatever fails: neither is a change.
_NO_CHANGE: Final = ("labels", "timer")


@dataclass(frozen=True, slots=True)
class Parked:
    """A project that is left alone: failures in a row, the moment of the next try, and why (one line)."""

    failures: int
    until: datetime
    reason: str

    def to_json(self) -> Json:
        """For status and page."""
        return {
            "failures": self.failures,
            "until": self.until.isoformat(timespec="seconds"),
            "reason": self.reason,
        }


@contextmanager
def counted(workspace: Workspace) -> Iterator[None]:
    """Counts a loop of a project, whose lease the caller holds, as failed until it ends well."""
    before = workspace.state.failures
    workspace.change(last_looked_at=time.time(), failures=before + 1)
    try:
        yield
    except LeaseLost:  # whoever has it now counts
        raise
    except Exception as error:
        is_own = not isinstance(error, _NOT_ITS_OWN)
        with workspace.context.survived.failures_of("counting a failure"):
            if is_own:
                # what comes from now on is a change
                workspace.change(last_looked_at=time.time())
            else:
                workspace.change(failures=before)
        raise
    workspace.change(failures=0)


def parked_until(workspace: Workspace) -> float | None:
    """When a parked project is tried again, in seconds since 1970; None for one that is not parked.

    A change in Label Studio or a person's wish ends the pause, and so does a clock that was set back.
    """
    state, now = workspace.state, time.time()
    if state.failures < PARKED_AFTER or is_running(workspace):
        return None
    until = state.last_looked_at + _pause_s(state.failures)
    if not state.last_looked_at <= now < until:
        return None
    is_changed = workspace.hints.came_since(state.last_looked_at, but=_NO_CHANGE)
    return None if is_changed else until


def read_parked(workspace: Workspace) -> Parked | None:
    """Since when and why a project is parked; None for one that is not."""
    until = parked_until(workspace)
    if until is None:
        return None
    last = workspace.loops.newest_ended()
    reason = (
        last and last.error
    ) or "Its last loop did not end: the worker was killed, or ran out of memory."
    return Parked(workspace.state.failures, datetime.fromtimestamp(until, UTC), reason)


def _pause_s(failures: int) -> float:
    """Seconds after so many failures in a row."""
    growth = min(failures - PARKED_AFTER, 10)
    return min(_FIRST_PAUSE_S * 2.0**growth, _LONGEST_PAUSE_S)
