"""How long work tells where it is: to a terminal, to the log, to the dashboard, or to nobody."""

from __future__ import annotations

import logging
import time
from threading import Event
from typing import Protocol

from backend.errors import Stopped
from backend.workflows.project.figures import Position
from backend.workflows.project.workspace import Workspace

PUBLISHING = "publishing"
_LOG_EVERY_S = 5.0
_STORE_EVERY_S = 1.0


class Progress(Protocol):
    """Told by a workflow where it is."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """A new stage begins; `total` steps when that is known."""

    def advance(self, steps: int) -> None:
        """Some steps of the stage are done."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Ignored."""

    def advance(self, steps: int) -> None:
        """Ignored."""


class LogProgress:
    """A log line when a stage takes long, and every few seconds while it does."""

    def __init__(self, logger: logging.Logger, project: int) -> None:
        self._logger = logger
        self._project = project
        self.stage("start")

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Begins a stage."""
        self._name, self._total, self._done = name, total, 0
        self._begun = self._last = time.monotonic()

    def advance(self, steps: int) -> None:
        """Counts, and logs now and then: how many are done, how many a second, and the seconds left."""
        self._done += steps
        now = time.monotonic()
        if now - self._last >= _LOG_EVERY_S:
            self._last = now
            rate = self._done / (now - self._begun)
            self._logger.info(
                "progress project=%s stage=%s done=%s total=%s per_second=%.1f left_s=%s",
                self._project,
                self._name,
                self._done,
                self._total,
                rate,
                None if self._total is None or not rate else round((self._total - self._done) / rate),
            )


class StoredProgress:
    """Writes where the work is to the project's row, for the dashboard.

    Steps are written at most once a second; a new stage, of which a loop has a handful, at once: it may last
    long without a step.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.stage("starting")

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Begins a stage."""
        self._name, self._total, self._done = name, total, 0
        self._store_position()

    def advance(self, steps: int) -> None:
        """Counts, and stores now and then."""
        self._done += steps
        if time.monotonic() - self._stored_at >= _STORE_EVERY_S:
            self._store_position()

    def clear(self) -> None:
        """Nothing runs any more."""
        self._store(Position())

    def _store_position(self) -> None:
        self._stored_at = time.monotonic()
        position = Position(stage=self._name, done=self._done, total=self._total, at=time.time())
        self._store(position)

    def _store(self, position: Position) -> None:
        with self._workspace.context.survived.failures_of("telling progress"):
            self._workspace.change(progress=position.to_json())


class Both:
    """Tells two listeners the same."""

    def __init__(self, first: Progress, second: Progress) -> None:
        self._listeners = first, second

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Passed on."""
        for listener in self._listeners:
            listener.stage(name, total=total)

    def advance(self, steps: int) -> None:
        """Passed on."""
        for listener in self._listeners:
            listener.advance(steps)


class UntilPublishing:
    """Passes everything on, and ends the work between two of its steps once this process is to stop.

    From the stage on that publishes, work goes through to its end: a stop in between would leave the findings
    of another version beside the new queue.
    """

    def __init__(self, listener: Progress, stopping: Event) -> None:
        self._listener = listener
        self._stopping = stopping
        self._is_publishing = False

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Passed on; raises Stopped."""
        self._stop_if_told()
        self._is_publishing |= name == PUBLISHING
        self._listener.stage(name, total=total)

    def advance(self, steps: int) -> None:
        """Passed on; raises Stopped."""
        self._listener.advance(steps)
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        if self._stopping.is_set() and not self._is_publishing:
            raise Stopped(
                "The worker was stopped in the middle of the loop.",
                hint="The next one that runs begins it again: nextlabel start",
            )
