"""The pictures that a project's tasks refer to: what was read of each, or why it cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

from sqlalchemy import String, case, cast, delete, func, select, update

from backend.database import Database, Media, Task, in_chunks, upsert
from backend.store.embeddings import Vectors
from backend.store.table import ProjectTable, may_exist

# After the first try one minute, then four times as long each time, at most a day.
_FIRST_PAUSE_S: Final = 60.0
_GROWTH: Final = 4
_LONGEST_PAUSE_S: Final = 86_400.0
# Letters of an address that are kept: enough to find it by.
_KEPT_LETTERS = 500
_NAMED_TASKS = 5
# In place of the number of a task that was not read yet, or will never be.
NO_TASK: Final = -1
# Tasks that are read together: an address may hold the picture itself.
_AT_A_TIME = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was read for a task: SHA-256 and number of its bytes, its sides in pixels, upright.

    `thumbnail` is a JPEG with a longest side of 160 pixels, `look` what `model.encoders.looks` packed of it.
    """

    address: str
    task_id: int
    content_hash: str
    byte_count: int
    width: int
    height: int
    thumbnail: bytes
    look: bytes | None = None


@dataclass(frozen=True, slots=True)
class KeptLook:
    """What is kept of the look of a picture that was read, and the hash of its bytes; None: not yet known."""

    address_hash: str
    content_hash: str
    look: bytes | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A picture that could not be read for a task: why, as it follows "cannot be read: ".

    `is_passing`: it may be there later, though the task stays as it is. `was_tried`: somebody asked for it.
    """

    address: str
    task_id: int
    reason: str
    is_passing: bool
    was_tried: bool = True


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """How many pictures cannot be read for one reason, and some of the tasks that show them."""

    reason: str
    count: int
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureTask:
    """A task with pictures: their addresses by the name of the object that shows them."""

    task_id: int
    content_hash: str
    content: str
    pictures: Mapping[str, Sequence[str]]

    @property
    def addresses(self) -> list[str]:
        """All of them, as the task shows them."""
        return addresses_of(self.pictures)


class Pictures(ProjectTable):
    """Rows by address; each is fetched once, whatever number of tasks refer to it."""

    def __init__(self, database: Database, project_id: int, vectors: Vectors) -> None:
        super().__init__(database, project_id)
        self._vectors = vectors

    def unfinished(self, encoder: str) -> Iterator[PictureTask]:
        """Tasks with pictures that have no vector of an encoder yet, in their order; some at a time."""
        shown = select(Task.task_id, Task.content_hash).where(
            Task.project_id == self._project_id, cast(Task.pictures, String).not_in(("{}", "null"))
        )
        with self._database.session() as session:
            rows = session.execute(shown.order_by(Task.task_id)).all()
        known = self._vectors.are_known(encoder, [row.content_hash for row in rows])
        missing = [row.task_id for row, is_known in zip(rows, known, strict=True) if not is_known]
        for page in in_chunks(missing, _AT_A_TIME):
            yield from self._read_tasks(page)

    def _read_tasks(self, task_ids: Sequence[int]) -> list[PictureTask]:
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.content_hash, Task.content, Task.pictures)
                .where(Task.project_id == self._project_id, Task.task_id.in_(task_ids))
                .order_by(Task.task_id)
            )
            return [PictureTask(*row) for row in rows]

    def waiting(self, tasks: Iterable[PictureTask], encoder: str, *, now: float) -> Iterator[tuple[str, int]]:
        """Addresses of some tasks that are to be fetched now, each once, with the first task that shows it.

        Those that have neither a vector of an image encoder nor a fault that is not due yet.
        """
        done = self._done(encoder, now=now)
        for task in tasks:
            for address in task.addresses:
                if (key := address_hash(address)) not in done:
                    done.add(key)
                    yield address, task.task_id

    def _done(self, encoder: str, *, now: float) -> set[str]:
        mine = Media.project_id == self._project_id
        read = select(Media.address_hash, Media.content_hash).where(mine, Media.content_hash != "")
        # what is put off for longer than anything is was so while the date was ahead
        later = (Media.retry_at > now, Media.retry_at <= now + _LONGEST_PAUSE_S)
        put_off = select(Media.address_hash).where(mine, Media.fault != "", *later)
        with self._database.session() as session:
            rows, waiting = session.execute(read).all(), set(session.scalars(put_off))
        known = self._vectors.are_known(encoder, [row.content_hash for row in rows])
        return waiting | {row.address_hash for row in compress(rows, known)}

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Takes down what was read; a fault that was known of an address is gone."""
        rows = [
            self._row(one.address, one.task_id)
            | {
                "content_hash": one.content_hash,
                "fault": "",
                "is_passing": False,
                "tries": 0,
                "retry_at": 0.0,
                "byte_count": one.byte_count,
                "width": one.width,
                "height": one.height,
                "thumbnail": one.thumbnail,
                "look": one.look,
            }
            for one in pictures
        ]
        with self._database.session() as session:
            upsert(session, Media, rows)

    def keep_fault(self, fault: Fault, *, now: float) -> None:
        """Takes down why a picture cannot be read; it is tried again the later, the more often it was."""
        key = address_hash(fault.address)
        with self._database.session() as session:
            known = session.get(Media, (self._project_id, key))
            tries = 0 if known is None else known.tries
            # more than five times makes no difference, and may be too large for a number
            pause = min(_FIRST_PAUSE_S * _GROWTH ** min(tries, 10), _LONGEST_PAUSE_S)
            row = self._row(fault.address, fault.task_id) | {
                "content_hash": "",
                "fault": fault.reason,
                "is_passing": fault.is_passing,
                "tries": tries + fault.was_tried,
                "retry_at": now + pause,
                "byte_count": 0,
                "width": 0,
                "height": 0,
                "thumbnail": None,
                "look": None,
            }
            upsert(session, Media, [row])

    def retry(self, addresses: Iterable[str]) -> None:
        """Lets pictures that cannot be read be tried again at once."""
        keys = sorted({address_hash(address) for address in addresses})
        with self._database.session() as session:
            for chunk in in_chunks(keys):
                mine = (Media.project_id == self._project_id, Media.address_hash.in_(chunk))
                session.execute(update(Media).where(*mine, Media.fault != "").values(retry_at=0.0))

    def next_retry(self, *, now: float) -> float | None:
        """When a picture that cannot be read is tried again next, in seconds since 1970; None: never."""
        is_ahead = Media.retry_at > now + _LONGEST_PAUSE_S
        retry_at = case((is_ahead, now), else_=Media.retry_at)
        with self._database.session() as session:
            found: float | None = session.scalar(
                select(func.min(retry_at)).where(Media.project_id == self._project_id, Media.fault != "")
            )
        return found

    def contents(self, addresses: Iterable[str]) -> dict[str, str]:
        """The hash of the bytes of each picture that was read, by its address."""
        wanted = {address_hash(address): address for address in addresses}
        found: dict[str, str] = {}
        with self._database.session() as session:
            for chunk in in_chunks(list(wanted)):
                rows = session.execute(
                    select(Media.address_hash, Media.content_hash).where(
                        Media.project_id == self._project_id,
                        Media.address_hash.in_(chunk),
                        Media.content_hash != "",
                    )
                )
                found.update((wanted[key], content) for key, content in rows)
        return found

    def thumbnail(self, task_id: int, place: int = 0) -> bytes | None:
        """A small JPEG of a picture of a task, by its place among all that it shows; None without."""
        with self._database.session() as session:
            shown = session.scalar(
                select(Task.pictures).where(Task.project_id == self._project_id, Task.task_id == task_id)
            )
            addresses = addresses_of(shown or {})
            if not 0 <= place < len(addresses):
                return None
            row = session.get(Media, (self._project_id, address_hash(addresses[place])))
            return None if row is None else row.thumbnail

    def first_thumbnails(self, task_id: int) -> list[bytes]:
        """A small JPEG of the first picture of each object of a task, as far as it was read."""
        if not may_exist(task_id):
            return []
        with self._database.session() as session:
            shown = session.scalar(
                select(Task.pictures).where(Task.project_id == self._project_id, Task.task_id == task_id)
            )
            firsts = [addresses[0] for addresses in (shown or {}).values() if addresses]
            rows = [session.get(Media, (self._project_id, address_hash(first))) for first in firsts]
            return [row.thumbnail for row in rows if row is not None and row.thumbnail is not None]

    def looks(self, task_ids: Collection[int]) -> dict[int, tuple[KeptLook, ...]]:
        """What is kept of the pictures of each task that shows any, in their order."""
        shown: dict[int, list[str]] = {}
        kept: dict[str, KeptLook] = {}
        with self._database.session() as session:
            for chunk in in_chunks(sorted(set(task_ids))):
                rows = session.execute(
                    select(Task.task_id, Task.pictures).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                for task_id, pictures in rows:
                    if pictures:
                        shown[task_id] = list(map(address_hash, addresses_of(pictures)))
            keys = sorted({key for addresses in shown.values() for key in addresses})
            for some in in_chunks(keys):
                found = session.execute(
                    select(Media.address_hash, Media.content_hash, Media.look).where(
                        Media.project_id == self._project_id, Media.address_hash.in_(some)
                    )
                )
                kept.update((row.address_hash, KeptLook(*row)) for row in found)
        return {
            task_id: tuple(kept.get(key, KeptLook(key, "", None)) for key in addresses)
            for task_id, addresses in shown.items()
        }

    def keep_looks(self, looks: Mapping[str, bytes]) -> None:
        """Takes down looks by the hash of the address."""
        with self._database.session() as session:
            for key, look in looks.items():
                session.execute(
                    update(Media)
                    .where(Media.project_id == self._project_id, Media.address_hash == key)
                    .values(look=look)
                )

    def small(self, key: str) -> bytes | None:
        """The small JPEG of a picture by the hash of its address; None without."""
        with self._database.session() as session:
            row = session.get(Media, (self._project_id, key))
            return None if row is None else row.thumbnail

    def shown_by(self, task_ids: Collection[int]) -> set[int]:
        """Those of some tasks that show pictures."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.pictures).where(
                    Task.project_id == self._project_id, Task.task_id.in_(task_ids)
                )
            )
            return {task_id for task_id, pictures in rows if pictures}

    def faults(self) -> tuple[FaultGroup, ...]:
        """Why pictures cannot be read, the commonest reason first, with the first tasks that show them.

        Not those of tasks that were not read yet.
        """
        with self._database.session() as session:
            rows = session.execute(
                select(Media.fault, Media.task_id)
                .where(Media.project_id == self._project_id, Media.fault != "", Media.task_id != NO_TASK)
                .order_by(Media.task_id)
            ).all()
        by_reason: dict[str, list[int]] = {}
        for reason, task_id in rows:
            by_reason.setdefault(reason, []).append(task_id)
        groups = [
            FaultGroup(reason, len(ids), tuple(dict.fromkeys(ids))[:_NAMED_TASKS])
            for reason, ids in by_reason.items()
        ]
        return tuple(sorted(groups, key=lambda group: (-group.count, group.reason)))

    def count_unread_answers(self) -> int:
        """How many tasks with a label, synthetic ones apart, show a picture that cannot be read."""
        mine = (Media.project_id == self._project_id, Media.fault != "")
        with self._database.session() as session:
            unread = set(session.scalars(select(Media.address_hash).where(*mine)))
            if not unread:
                return 0
            shown = session.scalars(
                select(Task.pictures).where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.outcome == "label",
                    cast(Task.pictures, String).not_in(("{}", "null")),
                )
            ).yield_per(_AT_A_TIME)
            return sum(not unread.isdisjoint(map(address_hash, addresses_of(pictures))) for pictures in shown)

    def forget_stale_faults(self, encoder: str) -> None:
        """Drops the faults of pictures that their tasks show no more, or whose tasks have a vector."""
        mine = (Media.project_id == self._project_id, Media.fault != "")
        with self._database.session() as session:
            known = session.execute(select(Media.address_hash, Media.task_id).where(*mine)).all()
        shown = dict(self._shown(sorted({row.task_id for row in known}), encoder))
        with self._database.session() as session:
            stale = [row.address_hash for row in known if row.address_hash not in shown.get(row.task_id, ())]
            for chunk in in_chunks(stale):
                session.execute(delete(Media).where(*mine, Media.address_hash.in_(chunk)))

    def _shown(self, task_ids: Sequence[int], encoder: str) -> Iterator[tuple[int, set[str]]]:
        """Those of some tasks that have no vector, and the hashes of the addresses that each shows."""
        for chunk in in_chunks(task_ids, _AT_A_TIME):
            tasks = self._read_tasks(chunk)
            known = self._vectors.are_known(encoder, [task.content_hash for task in tasks])
            for task in compress(tasks, ~known):
                yield task.task_id, set(map(address_hash, task.addresses))

    def _row(self, address: str, task_id: int) -> dict[str, Any]:
        return {
            "project_id": self._project_id,
            "address_hash": address_hash(address),
            "address": address[:_KEPT_LETTERS],
            "task_id": task_id,
        }


def addresses_of(pictures: Mapping[str, Sequence[str]]) -> list[str]:
    """All addresses of a task, object after object."""
    return [address for addresses in pictures.values() for address in addresses]


def address_hash(address: str) -> str:
    """SHA-256 of an address, in hex."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
