"""Leases that nobody renews, by a clock that is never set, as dates are: those of holders who died."""

from __future__ import annotations

import time

from backend.context import Context
from backend.workflows.project.workspace import Workspace

# As long as a lease lasts: it is renewed every five.
_SILENT_S = 20.0


class Silence:
    """What a worker saw of the leases of others: a living holder renews his every few seconds.

    A date that was set back would keep a lease of a dead holder on another machine valid for as long.
    """

    def __init__(self) -> None:
        # By the project's row: holder and end of its lease, and when they were first seen so.
        self._seen: dict[int, tuple[str, float, float]] = {}

    def take_over(self, context: Context) -> list[Workspace]:
        """Frees the projects whose leases were not renewed for as long as a lease lasts, and returns them."""
        now, before, self._seen = time.monotonic(), self._seen, {}
        freed = []
        for row in context.projects.held():
            holder, until = str(row.lease_owner), row.lease_until
            *known, since = before.get(row.id, (holder, until, now))
            if known != [holder, until]:
                since = now
            is_over = now - since > _SILENT_S
            if is_over and context.projects.break_lease(row.id, holder, until=until):
                freed.append(Workspace(context, row))
            else:
                self._seen[row.id] = holder, until, since
        return freed
