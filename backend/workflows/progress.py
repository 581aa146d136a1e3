"""How long work tells where it is: to a terminal, to the log, or to nobody."""

from __future__ import annotations

import logging
import time
from typing import Protocol

_LOG_EVERY_S = 5.0


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
        self._last = time.monotonic()

    def advance(self, steps: int) -> None:
        """Counts, and logs now and then."""
        self._done += steps
        if time.monotonic() - self._last >= _LOG_EVERY_S:
            self._last = time.monotonic()
            self._logger.info(
                "progress project=%s stage=%s done=%s total=%s",
                self._project,
                self._name,
                self._done,
                self._total,
            )
