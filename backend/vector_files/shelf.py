"""All vectors of one encoder: a folder of segments, one for each process that ever wrote."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np

from backend.vector_files.index import NOWHERE, KeyIndex, place_of, split_places
from backend.vector_files.segment import KEY_BYTES, KEYS_SUFFIX, Keys, Mask, Rows, Segment, SegmentWriter

logger = logging.getLogger(__name__)

# A segment that is larger is not appended to any more: to rewrite one takes its size on disk once more.
LARGEST_BYTES: Final = 512 * 2**20
# In the folder of an encoder: says which one it is, since the folder's own name is a hash.
NAME_FILE: Final = "encoder.txt"
_SEGMENT: Final = re.compile(rf"[0-9a-f]{{16}}-[1-9][0-9]{{0,8}}{re.escape(KEYS_SUFFIX)}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where the vectors of some keys lie. `places` (n,) are NOWHERE for those that have none.

    Holds the segments as they were: what is read later is the same, whatever becomes of the files.
    """

    shelf: Shelf
    places: Rows
    segments: Mapping[int, Segment]

    @property
    def is_there(self) -> Mask:
        """Which keys have a vector, (n,)."""
        there: Mask = self.places != NOWHERE
        return there

    @property
    def width(self) -> int:
        """Length of the vectors in bytes; 0 where none was found."""
        numbers, _rows = split_places(self.places[self.is_there][:1])
        return self.segments[int(numbers[0])].width if len(numbers) else 0

    def take(self, is_in: Mask) -> Found:
        """The same for those keys that a mask (n,) holds."""
        return Found(self.shelf, self.places[is_in], self.segments)

    def find_damaged(self) -> Rows:
        """The places whose bytes are not what was written; each is looked at once by a process."""
        numbers, at = split_places(self.places[self.is_there])
        found = [np.zeros(0, dtype=np.int64)]
        for number in np.unique(numbers).tolist():
            found.append(place_of(number, self.segments[number].find_damaged(at[numbers == number])))
        damaged: Rows = np.unique(np.concatenate(found))
        return damaged

    def fill(self, rows: Keys, *, sweep: int) -> Mask:
        """Copies the vectors into `rows` (n, width), those that are nowhere left out; which came, (n,).

        One whose bytes were damaged does not come, and is found no more. Raises ValueError where the vectors
        are of different lengths.
        """
        came = self.is_there
        numbers, at = split_places(self.places)
        for number in np.unique(numbers[came]).tolist():
            mine = np.flatnonzero(came & (numbers == number))
            segment = self.segments[number]
            if segment.width != rows.shape[1]:
                raise ValueError(f"vectors of {segment.width} and of {rows.shape[1]} bytes by one encoder")
            damaged = segment.find_damaged(at[mine])
            rows[mine] = segment.vectors[at[mine]]
            segment.mark_used(at[mine], sweep)
            if len(damaged):
                self.shelf.drop(place_of(number, damaged))
                came[mine[np.isin(at[mine], damaged)]] = False
        return came


class Shelf:
    """What is known of a folder of segments; looks for what others wrote each time it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        # numbers of segments are never used again: a place means the same for ever
        self._next = count()
        self._segments: dict[int, Segment] = {}
        self._numbers: dict[Path, int] = {}
        self._index = KeyIndex(self._read_keys)
        self._writers: dict[int, SegmentWriter] = {}
        self._unreadable: set[Path] = set()

    def find(self, keys: Keys) -> Found:
        """Where the vectors of keys (n, 32) lie; what is damaged on disk lies nowhere.

        So nothing counts as encoded that cannot be read. Of a key that was written again the other row is
        found. Raises OSError where the folder cannot be read.
        """
        while True:
            with self._lock:
                self._look()
                found = Found(self, self._index.find(keys), dict(self._segments))
            damaged = found.find_damaged()
            if not len(damaged):
                return found
            self.drop(damaged)

    def width(self) -> int:
        """Length in bytes of most of the vectors; 0 where there is none. Raises OSError."""
        rows: Counter[int] = Counter()
        with self._lock:
            self._look()
            for segment in self._segments.values():
                rows[segment.width] += segment.rows
        return max(rows, key=rows.__getitem__, default=0)

    def append(self, keys: Keys, vectors: Sequence[bytes], *, sweep: int) -> None:
        """Adds vectors by their keys (n, 32). Raises OSError."""
        lengths = np.array([len(vector) for vector in vectors])
        with self._lock:
            for width in np.unique(lengths).tolist():
                mine = np.flatnonzero(lengths == width)
                self._append(width, keys[mine], [vectors[at] for at in mine.tolist()], sweep=sweep)

    def drop(self, places: Rows) -> None:
        """Finds what lies at some places no more: it was damaged."""
        logger.warning("vectors damaged on disk, to be made again: %d in %s", len(places), self.folder)
        with self._lock:
            self._index.drop(places)

    def sync(self) -> None:
        """Waits until what this process appended outlives a power cut."""
        with self._lock:
            for writer in self._writers.values():
                writer.sync()

    def close(self) -> None:
        """Gives the files back that this process appends to; the next vectors come into others."""
        with self._lock:
            for writer in self._writers.values():
                writer.close()
            self._writers = {}

    def _append(self, width: int, keys: Keys, vectors: Sequence[bytes], *, sweep: int) -> None:
        is_kept = False
        while not is_kept:
            writer = self._writer(width)
            writer.append(keys, vectors, used=sweep)
            # the folder may have been forgotten meanwhile, and these rows with it
            is_kept = writer.is_open

    def _writer(self, width: int) -> SegmentWriter:
        writer = self._writers.get(width)
        if writer is None or not writer.is_open or writer.rows * width >= LARGEST_BYTES:
            if writer is not None:
                writer.close()
            writer = self._writers[width] = SegmentWriter(self.folder, width)
        return writer

    def _look(self) -> None:
        """Takes in what came since the last look; begins anew where segments are gone or were cut short."""
        paths = list_segments(self.folder)
        are_gone = set(self._numbers) - set(paths)
        if are_gone or any(segment.is_cut_short() for segment in self._segments.values()):
            self._segments, self._numbers = {}, {}
            self._index = KeyIndex(self._read_keys)
        for path in paths:
            try:
                self._take_in(path)
            except FileNotFoundError:  # swept away since the folder was listed
                continue
            except PermissionError:
                self._leave_out(path)

    def _leave_out(self, path: Path) -> None:
        """Vectors that another user keeps to himself are made again for this one."""
        if path not in self._unreadable:
            self._unreadable.add(path)
            logger.warning("vectors that this user may not read, to be made again: %s", path)

    def _take_in(self, path: Path) -> None:
        number = self._numbers.get(path)
        segment = Segment(path) if number is None else self._segments[number]
        more = segment.grow()
        if not more:
            return
        if number is None:
            number = self._numbers[path] = next(self._next)
            self._segments[number] = segment
        rows = np.arange(segment.rows - more, segment.rows)
        self._index.add(segment.keys[rows[0] :], place_of(number, rows))

    def _read_keys(self, places: Rows) -> Keys:
        numbers, at = split_places(places)
        keys = np.empty((len(places), KEY_BYTES), dtype=np.uint8)
        for number in np.unique(numbers).tolist():
            mine = numbers == number
            keys[mine] = self._segments[number].keys[at[mine]]
        return keys


def list_segments(folder: Path) -> list[Path]:
    """The keys of all segments of a folder, in the order of their names; other files are nobody's."""
    try:
        return sorted(filter(is_segment, folder.iterdir()))
    except FileNotFoundError:
        return []


def is_segment(path: Path) -> bool:
    """Whether a path is called as the keys of a segment are."""
    return _SEGMENT.fullmatch(path.name) is not None
