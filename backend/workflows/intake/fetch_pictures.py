"""Pictures of tasks as vectors: what was never seen is fetched and encoded, once, and then kept.

A picture's vector is kept by the hash of its bytes and the image encoder; the vector of a task that shows
pictures, joined from its text and them, by the task's content hash. A task with a picture that cannot be read
has none: it is in no snapshot, and is served without a pre-annotation.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from backend.context import Context, Lazy
from backend.label_studio.tasks import content_hash
from backend.store.pictures import NO_TASK, Fault, Picture, PictureTask
from backend.workflows.intake.embed import embed_texts
from backend.workflows.intake.read_pictures import Fetcher, ReadPicture, read_pictures
from backend.workflows.project.progress import Progress, Silent
from backend.workflows.project.workspace import Workspace
from model.encoders.joined import JoinedEncoder
from model.records import Floats

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder

logger = logging.getLogger(__name__)

# Pictures that are encoded and kept together: a kill loses no more.
_TOGETHER: Final = 64
# Tasks whose vectors are joined together.
_JOINED_TOGETHER: Final = 256


class Kept(Protocol):
    """Where it is written what came of pictures."""

    def waiting(self, tasks: Iterable[PictureTask], encoder: str, *, now: float) -> Iterator[tuple[str, int]]:
        """Addresses that are to be fetched now, and a task that shows each."""
        ...

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Takes down what was read."""
        ...

    def keep_fault(self, fault: Fault, *, now: float) -> None:
        """Takes down why a picture cannot be read."""
        ...

    def contents(self, addresses: Iterable[str]) -> dict[str, str]:
        """The hash of the bytes of each picture that was read, by its address."""
        ...


class Unkept:
    """For tasks of no project that we know: remembered while they are answered."""

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}

    def waiting(self, tasks: Iterable[PictureTask], encoder: str, *, now: float) -> Iterator[tuple[str, int]]:
        """All that were not read before."""
        wanted = {address: task.task_id for task in tasks for address in task.addresses}
        yield from (
            (address, task_id) for address, task_id in wanted.items() if address not in self._contents
        )

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Remembered by their addresses."""
        self._contents |= {picture.address: picture.content_hash for picture in pictures}

    def keep_fault(self, fault: Fault, *, now: float) -> None:
        """Ignored."""

    def contents(self, addresses: Iterable[str]) -> dict[str, str]:
        """Those that were read."""
        return {address: self._contents[address] for address in addresses if address in self._contents}


class OfRequests:
    """What is kept for a project of pictures that requests bring, tasks among them that were not read yet."""

    def __init__(self, workspace: Workspace) -> None:
        self._pictures, self._tasks = workspace.pictures, workspace.tasks
        self._known = set[int]()

    def waiting(self, tasks: Iterable[PictureTask], encoder: str, *, now: float) -> Iterator[tuple[str, int]]:
        """As the project has it."""
        asked = list(tasks)
        self._known |= self._tasks.known_of([task.task_id for task in asked])
        return self._pictures.waiting(asked, encoder, now=now)

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Taken down."""
        self._pictures.keep(pictures)

    def contents(self, addresses: Iterable[str]) -> dict[str, str]:
        """Of all that the project knows."""
        return self._pictures.contents(addresses)

    def keep_fault(self, fault: Fault, *, now: float) -> None:
        """Taken down; of a task that is not known it is none of the project's."""
        is_known = fault.task_id in self._known
        self._pictures.keep_fault(fault if is_known else replace(fault, task_id=NO_TASK), now=now)


def fetch_pictures(workspace: Workspace, *, progress: Progress) -> int:
    """Gives every task with pictures a vector that has none and whose pictures can be read; returns how many.

    Raises EncoderUnavailable.
    """
    lazy, kept = workspace.joined, workspace.pictures
    if lazy is None:
        return 0
    kept.forget_stale_faults(lazy.revision)
    return fetch_items(workspace, lazy, lambda: kept.unfinished(lazy.revision), progress=progress)


def fetch_items(
    workspace: Workspace,
    lazy: Lazy[JoinedEncoder],
    unfinished: Callable[[], Iterator[PictureTask]],
    *,
    progress: Progress,
) -> int:
    """Gives a vector to those items that have none, `unfinished`, and whose pictures can all be read.

    Returns how many; raises EncoderUnavailable.
    """
    if next(unfinished(), None) is None:
        return 0
    encoder = lazy.get()
    _fetch_waiting(workspace, encoder, unfinished, progress=progress)
    joined, items = 0, unfinished()
    while page := list(islice(items, _JOINED_TOGETHER)):
        contents = workspace.pictures.contents(_addresses(page))
        vectors = _join(workspace.context, encoder, page, contents)
        workspace.vectors.write(encoder.revision, {key: one.tobytes() for key, one in vectors.items()})
        joined += len(vectors)
    return joined


def embed_shown(
    context: Context, encoder: JoinedEncoder, tasks: Sequence[PictureTask], kept: Kept, *, until: float
) -> dict[str, Floats]:
    """Vectors of tasks with pictures by their content hash.

    Those have none whose pictures cannot be read, or have not come `until` then (monotonic seconds).
    """
    found = _load(context, encoder.revision, {task.content_hash for task in tasks})
    missing = [task for task in tasks if task.content_hash not in found]
    if not missing:
        return found
    wanted = kept.waiting(missing, encoder.image.revision, now=time.time())
    _fetch(context, encoder.image, kept, wanted, progress=Silent(), until=until)
    return found | _join(context, encoder, missing, kept.contents(_addresses(missing)))


def _fetch_waiting(
    workspace: Workspace,
    encoder: JoinedEncoder,
    unfinished: Callable[[], Iterator[PictureTask]],
    *,
    progress: Progress,
) -> None:
    """Fetches and encodes the pictures that are not known yet, and those whose next try is due."""
    kept, revision, now = workspace.pictures, encoder.image.revision, time.time()
    total = sum(1 for _ in kept.waiting(unfinished(), revision, now=now))
    progress.stage("fetching and encoding pictures", total=total)
    if not total:
        return
    wanted = kept.waiting(unfinished(), revision, now=now)
    read = _fetch(workspace.context, encoder.image, kept, wanted, progress=progress)
    logger.info("pictures project=%s read=%d of=%d", workspace.label_studio_id, read, total)


def _fetch(
    context: Context,
    image: ImageEncoder,
    kept: Kept,
    wanted: Iterable[tuple[str, int]],
    *,
    progress: Progress,
    until: float = float("inf"),
) -> int:
    with context.media() as fetcher:
        return encode_pictures(context, fetcher, image, kept, wanted, progress=progress, until=until)


def encode_pictures(
    context: Context,
    fetcher: Fetcher,
    image: ImageEncoder,
    kept: Kept,
    wanted: Iterable[tuple[str, int]],
    *,
    progress: Progress,
    until: float = float("inf"),
) -> int:
    """Keeps what came of the pictures at some addresses of tasks; returns how many could be read.

    While other threads fetch, this one encodes.
    """
    read, waiting = 0, list[ReadPicture]()
    for found in read_pictures(fetcher, wanted, side=image.side, until=until):
        if isinstance(found, Fault):
            kept.keep_fault(found, now=time.time())
        else:
            waiting.append(found)
            read += 1
        if len(waiting) >= _TOGETHER:
            _keep(context, image, kept, waiting)
            waiting = []
        progress.advance(1)
    _keep(context, image, kept, waiting)
    return read


def _keep(context: Context, image: ImageEncoder, kept: Kept, pictures: Sequence[ReadPicture]) -> None:
    """Encodes pictures whose bytes are new, and takes all down: the vectors first."""
    by_bytes = {one.picture.content_hash: one.image for one in pictures}
    known = context.vectors.known(image.revision, by_bytes)
    new = {key: picture for key, picture in by_bytes.items() if key not in known}
    if new:
        vectors = image.encode(list(new.values()))
        rows = {key: vector.tobytes() for key, vector in zip(new, vectors, strict=True)}
        context.vectors.write(image.revision, rows)
    kept.keep(one.picture for one in pictures)


def _join(
    context: Context, encoder: JoinedEncoder, tasks: Sequence[PictureTask], contents: Mapping[str, str]
) -> dict[str, Floats]:
    """Vectors by content hash of those of some tasks whose pictures all have one; `contents` by address."""
    pictures = _load(context, encoder.image.revision, set(contents.values()))
    by_address = {address: pictures[key] for address, key in contents.items() if key in pictures}
    whole = [task for task in tasks if all(address in by_address for address in task.addresses)]
    texts: dict[str, Floats] = {}
    if encoder.text is not None:
        texts = embed_texts(context, encoder.text, [task.content for task in whole])
    return {
        task.content_hash: encoder.join(
            texts.get(content_hash(task.content)),
            [_pages(task, name, by_address, encoder) for name in encoder.layout.pictures],
        )
        for task in whole
    }


def _pages(task: PictureTask, name: str, by_address: Mapping[str, Floats], encoder: JoinedEncoder) -> Floats:
    """The vectors (k, d) of the pictures that one object of a task shows."""
    found = [by_address[address] for address in task.pictures.get(name, ())]
    return np.stack(found) if found else np.zeros((0, encoder.image.dimensions), dtype=np.float32)


def _load(context: Context, revision: str, keys: Iterable[str]) -> dict[str, Floats]:
    found = context.vectors.read(revision, keys)
    return {key: np.frombuffer(vector, dtype=np.float32) for key, vector in found.items()}


def _addresses(tasks: Iterable[PictureTask]) -> list[str]:
    return [address for task in tasks for address in task.addresses]
