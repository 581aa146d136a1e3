"""Vectors by content and encoder, whatever project the contents belong to.

They lie in flat files below DATA_DIR (see backend/vector_files). Rows of the table `embeddings` are read
where the files lack a vector: on SQLite these are what an earlier release left, until it is moved; on
PostgreSQL every vector is a row too, by which hosts that share no folder come to each other's, and the files
are the copy of one host.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, func, select, tuple_

from backend.database import Database, Embedding, in_chunks, upsert
from backend.errors import DiskUnavailable
from backend.vector_files.library import VectorFiles
from backend.vector_files.mapped import make_room
from backend.vector_files.segment import Keys, Mask
from backend.vector_files.shelf import Found
from backend.vector_files.sweeping import Swept

logger = logging.getLogger(__name__)

# Rows that are moved in one transaction: a killed mover does so many again.
_MOVED_AT_ONCE: Final = 400
_KEY: Final = re.compile("[0-9a-f]{64}", re.ASCII)
# Gathered vectors are kept for the next loop where they are this large, and those of so many projects.
_SMALLEST_KEPT: Final = 16 * 2**20
_MOST_KEPT: Final = 2


class Vectors:
    """Float32 vectors as bytes; `encoder` is the revision of an encoder everywhere, a key a SHA-256 in hex.

    Raises DiskUnavailable where the folder cannot be read, and what writes where the disk is full or may not
    be written.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._files = VectorFiles(folder)
        self._are_shared = database.engine.dialect.name != "sqlite"
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, bytes], Keys] = {}

    def read(self, encoder: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The vectors of contents by their hash; those that were never encoded are left out."""
        wanted = list(dict.fromkeys(keys))
        with _named_errors():
            found = self._files.read(encoder, wanted)
        return found | self._read_rows(encoder, [key for key in wanted if key not in found])

    def known(self, encoder: str, keys: Iterable[str]) -> set[str]:
        """Those of some contents, by their hash, that have a vector."""
        wanted = list(dict.fromkeys(keys))
        return {key for key, known in zip(wanted, self.are_known(encoder, wanted), strict=True) if known}

    def are_known(self, encoder: str, keys: Sequence[str]) -> Mask:
        """The same as a mask (n,) over some contents."""
        with _named_errors():
            known = self._files.are_known(encoder, keys)
        unknown = np.flatnonzero(~known).tolist()
        stored = self._known_rows(encoder, list({keys[at] for at in unknown}))
        if stored:
            known[[at for at in unknown if keys[at] in stored]] = True
        return known

    def gather(self, encoder: str, keys: Sequence[str]) -> tuple[Mask, NDArray[np.float32]]:
        """The vectors of contents (n,) in their order: which have one (n,), and these (m, d), read only.

        They are kept for whoever asks for the same contents next. d is 0 where there is none.
        """
        name = (encoder, hashlib.sha256("".join(keys).encode()).digest())
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None:
            return np.ones(len(keys), dtype=np.bool_), kept.view(np.float32)
        with _named_errors():
            found = self._find_everywhere(encoder, keys)
            is_there = found.is_there
            rows = make_room(self._files.folder, rows=int(is_there.sum()), width=found.width)
            came = self._files.fill(found.take(is_there), rows)
        if not came.all():
            rows = rows[came]
            is_there[is_there] = came
        elif is_there.all() and rows.nbytes >= _SMALLEST_KEPT:
            self._keep(name, rows)
        rows.flags.writeable = False
        return is_there, rows.view(np.float32)

    def write(self, encoder: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps vectors by the hash of their content."""
        if self._are_shared:
            rows = [
                {"encoder": encoder, "content_hash": key, "vector": vector} for key, vector in vectors.items()
            ]
            with self._database.session() as session:
                upsert(session, Embedding, rows)
        with _named_errors():
            self._files.write(encoder, vectors)

    def forget(self, encoders: Collection[str]) -> None:
        """Drops every vector of some encoders."""
        with self._database.session() as session:
            session.execute(delete(Embedding).where(Embedding.encoder.in_(encoders)))
        for encoder in encoders:
            self._files.forget(encoder)

    def move_rows(self, *, interrupted: Callable[[], bool]) -> int:
        """Moves the vectors that an earlier release kept as rows into files; returns how many.

        Rows that hosts share stay. Goes on where an earlier call ended, or was killed.
        """
        moved = 0
        if self._are_shared:
            return 0
        while not interrupted():
            rows = self._next_rows()
            if not rows:
                break
            self._move(rows)
            moved += len(rows)
        if moved:
            logger.info("vectors moved from rows into files count=%d", moved)
        return moved

    def sweep(self, *, today: date) -> Swept | None:
        """Drops from the files what nobody used for long, at most once a day; None where it was done."""
        with _named_errors():
            swept = self._files.sweep(today=today)
        if swept is not None:
            gone = (swept.unused, swept.doubled, swept.damaged)
            logger.info("vectors swept unused=%d doubled=%d damaged=%d", *gone)
        return swept

    def close(self) -> None:
        """Gives back the files that this process appends to."""
        self._files.close()

    def _keep(self, name: tuple[str, bytes], rows: Keys) -> None:
        with self._lock:
            self._kept = {name: rows} | self._kept
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem()

    def _find_everywhere(self, encoder: str, keys: Sequence[str]) -> Found:
        """Where vectors lie in files; what only rows have is copied there first.

        That is what another host made, or what was never moved.
        """
        found = self._files.find(encoder, keys)
        if found.is_there.all():
            return found
        missing = list({keys[at] for at in np.flatnonzero(~found.is_there).tolist()})
        for chunk in in_chunks(missing, _MOVED_AT_ONCE):
            self._files.write(encoder, self._read_rows(encoder, chunk))
        return self._files.find(encoder, keys)

    def _read_rows(self, encoder: str, keys: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for chunk in self._chunks_in_rows(encoder, keys):
            fits = self._fits(encoder)
            with self._database.session() as session:
                rows = session.execute(
                    select(Embedding.content_hash, Embedding.vector).where(
                        Embedding.encoder == encoder, Embedding.content_hash.in_(chunk), fits
                    )
                )
                found.update((key, vector) for key, vector in rows)
        return found

    def _known_rows(self, encoder: str, keys: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for chunk in self._chunks_in_rows(encoder, keys):
            fits = self._fits(encoder)
            with self._database.session() as session:
                mine = (Embedding.encoder == encoder, Embedding.content_hash.in_(chunk), fits)
                found.update(session.scalars(select(Embedding.content_hash).where(*mine)))
        return found

    def _fits(self, encoder: str) -> ColumnElement[bool]:
        """Of rows: whether they are as long as the vectors in files; one that is not could not be read."""
        with _named_errors():
            width = self._files.width(encoder)
        length = func.length(Embedding.vector)
        return length == width if width else length > 0

    def _chunks_in_rows(self, encoder: str, keys: Sequence[str]) -> Iterator[Sequence[str]]:
        """Keys to be looked for in rows; none where an encoder has no row, as is usual on SQLite."""
        if not keys:
            return
        with self._database.session() as session:
            some = session.scalar(select(Embedding.encoder).where(Embedding.encoder == encoder).limit(1))
        if some is not None:
            yield from in_chunks(keys)

    def _next_rows(self) -> list[tuple[str, str, bytes]]:
        with self._database.session() as session:
            rows = session.execute(
                select(Embedding.encoder, Embedding.content_hash, Embedding.vector).limit(_MOVED_AT_ONCE)
            )
            return [(row.encoder, row.content_hash, row.vector) for row in rows]

    def _move(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Rows go once their vectors are in files; killed in between, only the second half is left to do."""
        with _named_errors():
            for encoder in {encoder for encoder, _key, _vector in rows}:
                mine = self._sound(encoder, {key: vector for name, key, vector in rows if name == encoder})
                known = self._files.are_known(encoder, list(mine))
                new = [key for key, is_known in zip(mine, known, strict=True) if not is_known]
                self._files.write(encoder, {key: mine[key] for key in new})
                self._files.sync(encoder)
        with self._database.session() as session:
            names = [(encoder, key) for encoder, key, _vector in rows]
            session.execute(
                delete(Embedding).where(tuple_(Embedding.encoder, Embedding.content_hash).in_(names))
            )

    def _sound(self, encoder: str, vectors: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those of some rows that can be read: by a SHA-256, and as long as those in files, or as most."""
        lengths = Counter(len(vector) for vector in vectors.values() if vector)
        width = self._files.width(encoder) or max(lengths, key=lengths.__getitem__, default=0)
        sound = {
            key: vector
            for key, vector in vectors.items()
            if _KEY.fullmatch(key) and vector and len(vector) == width
        }
        if len(sound) < len(vectors):
            logger.warning("rows that are no vectors, dropped: %d", len(vectors) - len(sound))
        return sound


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise DiskUnavailable(
            f"The disk of DATA_DIR cannot be used{place}: {error.strerror or error}.",
            hint="Make space there, or let this user write; a worker that runs tries again every minute.",
        ) from error
