"""What one loop did, and how long each part took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from backend.json_types import Json
from backend.tracing import span
from backend.workflows.project.figures import Figures

Outcome = Literal["published", "topped-up", "mended", "unchanged", "disconnected"]


@dataclass(slots=True)
class LoopReport:
    """What one loop did, and how long each part took (`seconds` by stage).

    `put_off`: answers that were too few to learn from yet; they count again next time.
    """

    outcome: Outcome = "unchanged"
    version: str | None = None
    record: Figures = field(default_factory=Figures)
    put_off: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> Json:
        """The record as it is stored, less the seconds."""
        return self.record.to_json()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measures one stage; what comes twice is added up."""
        started = time.monotonic()
        with span(stage):
            yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.monotonic() - started, 3)
