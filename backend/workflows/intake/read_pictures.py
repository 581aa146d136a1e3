"""Pictures from their addresses: fetched and read by several threads, while the caller encodes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from PIL import Image

from backend.label_studio.media.errors import MediaError, NotAsked
from backend.store.pictures import Fault, Picture
from model.encoders.looks import THUMBNAIL_SIDE, look_at, make_thumbnail
from model.encoders.pictures import UnreadablePicture, read_picture, read_size

THREADS: Final = 8
# Pictures that are on their way or wait to be taken: what bounds the memory.
_UNDER_WAY: Final = 24


class Fetcher(Protocol):
    """What gets the bytes of an address."""

    def fetch(self, value: str, *, task_id: int) -> bytes:
        """The bytes; raises MediaError, which says why not."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReadPicture:
    """What is kept of a picture, and the picture itself, no larger than it is of use to an encoder."""

    picture: Picture
    image: Image.Image


def read_pictures(
    fetcher: Fetcher, wanted: Iterable[tuple[str, int]], *, side: int, until: float = float("inf")
) -> Iterator[ReadPicture | Fault]:
    """The pictures at some addresses of tasks, as they come, or why one cannot be read.

    `side` is what an encoder looks at, in pixels. What has not come `until` then (monotonic seconds) is left.
    """
    left = iter(wanted)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
    try:
        pending: set[Future[ReadPicture | Fault]] = set()
        while time.monotonic() < until:
            for address, task_id in islice(left, _UNDER_WAY - len(pending)):
                pending.add(pool.submit(_read, fetcher, address, task_id, side))
            if not pending:
                return
            patience = None if until == float("inf") else max(until - time.monotonic(), 0.0)
            done, pending = wait(pending, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                return
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read(fetcher: Fetcher, address: str, task_id: int, side: int) -> ReadPicture | Fault:
    try:
        data = fetcher.fetch(address, task_id=task_id)
        image = read_picture(data, smallest_side=max(side, THUMBNAIL_SIDE))
        width, height = read_size(data)
    except MediaError as error:
        return Fault(
            address, task_id, str(error), error.is_passing, was_tried=not isinstance(error, NotAsked)
        )
    except UnreadablePicture as error:
        return Fault(address, task_id, str(error), False)
    small = make_thumbnail(image)
    picture = Picture(
        address=address,
        task_id=task_id,
        content_hash=hashlib.sha256(data).hexdigest(),
        byte_count=len(data),
        width=width,
        height=height,
        thumbnail=small,
        look=look_at(small).pack(),
    )
    return ReadPicture(picture, image)
