"""The parts a workflow may use, put together once by `backend.app`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

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


class Encoders:
    """The encoders by the names that settings and projects give them, each loaded once, when it is needed."""

    def __init__(self, load: Callable[[str], Encoder], *, default: str) -> None:
        """`default` is the name that TEXT_ENCODER gives."""
        self.default = default
        self._load = load
        self._lock = threading.Lock()
        self._encoders: dict[str, LazyEncoder] = {}

    def named(self, name: str | None) -> LazyEncoder:
        """The encoder of a name; None is the default."""
        wanted = self.default if name is None else name
        with self._lock:
            return self._encoders.setdefault(wanted, LazyEncoder(partial(self._load, wanted)))


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
    encoders: Encoders
    registry: ModelRegistry
    label_studio: Callable[[], LabelStudio]
    survived: Survived = field(default_factory=Survived)

    def close(self) -> None:
        """Gives the connections of the database and the queue back."""
        self.database.close()
        self.jobs.close()

    @property
    def encoder(self) -> LazyEncoder:
        """The encoder that TEXT_ENCODER names, for texts of no project."""
        return self.encoders.named(None)

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
