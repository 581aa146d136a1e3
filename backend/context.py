"""The parts a workflow may use, put together once by `backend.app`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.database import Database
from backend.errors import EncoderUnavailable
from backend.jobs import Jobs
from backend.label_studio.client import LabelStudio
from backend.logs import Survived
from backend.settings import Settings
from backend.store.embeddings import Vectors
from backend.store.projects import Projects
from backend.store.workers import Workers
from model.encoders import Encoder
from model.registry import ModelRegistry


class LazyEncoder:
    """Loads the encoder when it is first needed (some seconds), once, whatever thread asks."""

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    def get(self) -> Encoder:
        """The encoder; raises EncoderUnavailable with the cure."""
        with self._lock:
            if self._encoder is None:
                try:
                    self._encoder = self._load()
                except (OSError, ValueError) as error:
                    raise EncoderUnavailable(
                        f"The text encoder cannot be loaded: {error}",
                        hint="Run `make setup`, or name a folder or hub model in TEXT_ENCODER.",
                    ) from None
            return self._encoder


@dataclass(frozen=True, slots=True)
class Context:
    """What workflows work with. `label_studio` makes a client of its own for each caller."""

    settings: Settings
    database: Database
    jobs: Jobs
    encoder: LazyEncoder
    registry: ModelRegistry
    label_studio: Callable[[], LabelStudio]
    survived: Survived = field(default_factory=Survived)

    @property
    def projects(self) -> Projects:
        """The rows of all projects."""
        return Projects(self.database)

    @property
    def vectors(self) -> Vectors:
        """The vectors of all texts."""
        return Vectors(self.database)

    @property
    def workers(self) -> Workers:
        """The worker processes."""
        return Workers(self.database)
