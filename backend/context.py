"""The parts a workflow may use, put together once by `backend.parts`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from backend.database import Database
from backend.errors import EncoderUnavailable
from backend.jobs import Jobs
from backend.logs import Survived
from backend.settings import Settings
from backend.store.embeddings import Vectors
from backend.store.projects import Projects
from backend.store.workers import Workers
from model.encoders import Encoder
from model.registry import ModelRegistry

if TYPE_CHECKING:  # its HTTP library is only for those who call Label Studio
    from backend.label_studio.client import LabelStudio


class Encoders:
    """The encoders by the names that settings and projects give them, each loaded once, when it is needed."""

    def __init__(
        self,
        load: Callable[[str], Encoder],
        *,
        default: str,
        read_revision: Callable[[str], str] | None = None,
    ) -> None:
        """`default` is the name that TEXT_ENCODER gives; `read_revision` tells a revision without loading."""
        self.default = default
        self._load = load
        self._read_revision = read_revision
        self._lock = threading.Lock()
        self._encoders: dict[str, LazyEncoder] = {}

    def named(self, name: str | None) -> LazyEncoder:
        """The encoder of a name; None is the default."""
        wanted = self.default if name is None else name
        with self._lock:
            if wanted not in self._encoders:
                read = None if self._read_revision is None else partial(self._read_revision, wanted)
                self._encoders[wanted] = LazyEncoder(partial(self._load, wanted), read_revision=read)
            return self._encoders[wanted]


class LazyEncoder:
    """Loads the encoder when it is first needed (some seconds), once, whatever thread asks."""

    def __init__(
        self, load: Callable[[], Encoder], *, read_revision: Callable[[], str] | None = None
    ) -> None:
        """Without `read_revision` an encoder is loaded to say its revision."""
        self._load = load
        self._read_revision = read_revision
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._revision: str | None = None

    def get(self) -> Encoder:
        """The encoder; raises EncoderUnavailable with the cure."""
        with self._lock:
            if self._encoder is None:
                with _named_errors():
                    self._encoder = self._load()
            return self._encoder

    @property
    def revision(self) -> str:
        """Its revision, which is read off its files where it is not loaded; raises EncoderUnavailable."""
        if self._encoder is not None or self._read_revision is None:
            return self.get().revision
        with self._lock:
            if self._revision is None:
                with _named_errors():
                    self._revision = self._read_revision()
            return self._revision


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(
            f"The text encoder cannot be loaded: {error}",
            hint="Run `make setup`, or name a folder or hub model in TEXT_ENCODER.",
        ) from None


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
