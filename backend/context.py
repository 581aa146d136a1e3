"""The parts a workflow may use, put together once by `backend.parts`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeAlias, TypeVar

from backend.database import Database
from backend.errors import EncoderUnavailable
from backend.jobs import Jobs
from backend.logs import Survived
from backend.settings import Settings
from backend.store.batches import Batches
from backend.store.embeddings import Vectors
from backend.store.events import Events
from backend.store.projects import Projects
from backend.store.workers import Workers
from model.encoders import Encoder
from model.registry import ModelRegistry

if TYPE_CHECKING:  # their libraries are only for those who call Label Studio, or have pictures
    from backend.label_studio.client import LabelStudio
    from backend.label_studio.media.fetch import MediaFetcher
    from model.encoders.image import ImageEncoder
    from model.encoders.joined import JoinedEncoder, Layout


class Revised(Protocol):
    """What has a revision."""

    @property
    def revision(self) -> str:
        """Name and fingerprint."""
        ...


E = TypeVar("E", bound=Revised, covariant=True)
K = TypeVar("K")
V = TypeVar("V")

# Each holds a network of some hundred megabytes, once it is loaded.
_MOST_ENCODERS: Final = 3
# These hold none of their own.
_MOST_JOINED: Final = 64


class Encoders:
    """The encoders by the names that settings and projects give them, each loaded when it is needed.

    The last few that were asked for are kept, so that many projects with encoders of their own need no more
    memory than a few.
    """

    def __init__(
        self,
        load: Callable[[str], Encoder],
        *,
        default: str,
        read_revision: Callable[[str], str] | None = None,
        images: Lazy[ImageEncoder] | None = None,
    ) -> None:
        """`default` is the name that TEXT_ENCODER gives; `read_revision` tells a revision without loading.

        `images` is the encoder that IMAGE_ENCODER names.
        """
        self.default = default
        self._images = images
        self._load = load
        self._read_revision = read_revision
        self._lock = threading.Lock()
        self._encoders: dict[str, LazyEncoder] = {}
        self._joined: dict[tuple[str, Layout], Lazy[JoinedEncoder]] = {}

    @property
    def images(self) -> Lazy[ImageEncoder]:
        """What turns pictures into vectors; raises EncoderUnavailable where there is no such thing."""
        if self._images is None:
            raise EncoderUnavailable("There is no image encoder.", hint="Name one in IMAGE_ENCODER.")
        return self._images

    def joined(self, name: str | None, layout: Layout) -> Lazy[JoinedEncoder]:
        """The encoder of items that show pictures, with the text encoder of a name for their texts."""
        from model.encoders.joined import JoinedEncoder, joined_revision

        text, images = self.named(name) if layout.has_text else None, self.images

        def load() -> JoinedEncoder:
            return JoinedEncoder(text.get() if text else None, images.get(), layout)

        def read_revision() -> str:
            return joined_revision(text.revision if text else "", images.revision, layout)

        key = ("" if text is None else self.default if name is None else name, layout)
        with self._lock:
            return _used(self._joined, key, lambda: Lazy(load, read_revision=read_revision), _MOST_JOINED)

    def named(self, name: str | None) -> LazyEncoder:
        """The encoder of a name; None is the default."""
        wanted = self.default if name is None else name
        with self._lock:
            read = None if self._read_revision is None else partial(self._read_revision, wanted)
            found = _used(
                self._encoders,
                wanted,
                lambda: LazyEncoder(partial(self._load, wanted), read_revision=read),
                _MOST_ENCODERS,
            )
            for name, layout in list(self._joined):
                if layout.has_text and name not in self._encoders:
                    del self._joined[name, layout]  # it would keep the encoder
            return found


def _used(kept: dict[K, V], key: K, make: Callable[[], V], most: int) -> V:
    """The value of a key, made where there is none; of those kept, the ones longest unused go."""
    value = kept.pop(key) if key in kept else make()
    kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]
    return value


class Lazy(Generic[E]):
    """Loads an encoder when it is first needed (some seconds), once, whatever thread asks."""

    def __init__(
        self,
        load: Callable[[], E],
        *,
        read_revision: Callable[[], str] | None = None,
        named_errors: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        """Without `read_revision` an encoder is loaded to say its revision.

        `named_errors` makes what loading raises an EncoderUnavailable with the cure.
        """
        self._load = load
        self._named_errors = named_errors or _named_errors
        self._read_revision = read_revision
        self._lock = threading.Lock()
        self._encoder: E | None = None
        self._revision: str | None = None

    def get(self) -> E:
        """The encoder; raises EncoderUnavailable with the cure."""
        with self._lock:
            if self._encoder is None:
                with self._named_errors():
                    self._encoder = self._load()
            return self._encoder

    @property
    def is_loaded(self) -> bool:
        """Whether it can be used without waiting."""
        return self._encoder is not None

    @property
    def revision(self) -> str:
        """Its revision, which is read off its files where it is not loaded; raises EncoderUnavailable."""
        if self._encoder is not None or self._read_revision is None:
            return self.get().revision
        with self._lock:
            if self._revision is None:
                with self._named_errors():
                    self._revision = self._read_revision()
            return self._revision


LazyEncoder: TypeAlias = Lazy[Encoder]


@contextmanager
def named_image_errors() -> Iterator[None]:
    """What loading an image encoder raises, with the cure."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(
            f"The image encoder cannot be loaded: {error}",
            hint="Run `make setup`, or name a folder or hub model in IMAGE_ENCODER.",
        ) from None


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(
            f"The text encoder cannot be loaded: {error}",
            hint="Run `make setup`, or name a folder or hub model in TEXT_ENCODER.",
        ) from None


class Cluster(Protocol):
    """Machines that encode texts for this one."""

    def encoder(self, name: str | None, revision: str) -> Encoder:
        """The text encoder of a name (None: the default) and revision, whose arithmetic they do."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What workflows work with. `label_studio` and `media` make a client of its own for each caller.

    `stopping` is set once this process has been told to end. Whoever runs a loop that may take long holds
    `slow_lane`, so that such loops leave the process's other threads to those that do not. `cluster` encodes
    batches, where there is one.
    """

    settings: Settings
    database: Database
    jobs: Jobs
    encoders: Encoders
    registry: ModelRegistry
    vectors: Vectors
    label_studio: Callable[[], LabelStudio]
    media: Callable[[], MediaFetcher]
    events: Events
    cluster: Cluster | None = None
    survived: Survived = field(default_factory=Survived)
    stopping: threading.Event = field(default_factory=threading.Event)
    slow_lane: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Gives the connections of the database and the queue back."""
        self.vectors.close()
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
    def batches(self) -> Batches:
        """The texts of all projects that wait for a worker to encode them."""
        return Batches(self.database)

    @property
    def workers(self) -> Workers:
        """The worker processes."""
        return Workers(self.database)
