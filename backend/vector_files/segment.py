"""One segment: rows of equal length that one process appends and all processes read where they lie.

Three files beside each other, a row of each for a vector, the row numbers the same:

    NAME-WIDTH.vectors   the vector as WIDTH bytes, nothing between rows
    NAME-WIDTH.used      uint16, little-endian: the sweep during which it was last used (see sweeping.py)
    NAME-WIDTH.keys      32 bytes, the SHA-256 of what was encoded; uint32, little-endian: the CRC-32 of key
                         and vector

A row counts once its key is whole, and the key is written last. What a killed writer left beyond the last
whole key counts for nothing; a power cut may leave a key whose vector never came to the disk: its sum is
wrong, and the row is as good as none. Sums are looked at when a process first asks for a row, if only whether
it is there: what counts as encoded can be read.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import secrets
import weakref
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

KEY_BYTES: Final = 32
Keys: TypeAlias = NDArray[np.uint8]
Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

KEYS_SUFFIX, USED_SUFFIX, VECTORS_SUFFIX = ".keys", ".used", ".vectors"
# What `restore` has not brought back whole yet bears it behind its name.
RESTORED_SUFFIX: Final = ".restored"
_ENTRY: Final = np.dtype([("key", np.uint8, (KEY_BYTES,)), ("sum", "<u4")])
_USED: Final = np.dtype("<u2")


class Segment:
    """A segment as a process reads it; raises FileNotFoundError where it has been swept away."""

    def __init__(self, path: Path) -> None:
        """`path` is that of its keys."""
        self.path = path
        self.width = int(path.stem.rpartition("-")[2])
        self.rows = 0
        self._checked: Mask = np.zeros(0, dtype=np.bool_)
        self._entries: NDArray[np.void] = np.zeros(0, dtype=_ENTRY)
        self._vectors: Keys = np.zeros((0, self.width), dtype=np.uint8)
        self._used: NDArray[np.uint16] = np.zeros(0, dtype=_USED)

    def grow(self) -> int:
        """Takes in what was appended since the last time; returns how many rows."""
        rows = _size(self.path) // _ENTRY.itemsize
        if rows <= self.rows:
            return 0
        rows = min(
            rows,
            _size(self.path.with_suffix(USED_SUFFIX)) // _USED.itemsize,
            _size(self.path.with_suffix(VECTORS_SUFFIX)) // self.width,
        )
        more = rows - self.rows
        if more <= 0:
            return 0
        self._entries = np.frombuffer(_map(self.path, rows * _ENTRY.itemsize), dtype=_ENTRY)
        vectors = _map(self.path.with_suffix(VECTORS_SUFFIX), rows * self.width)
        self._vectors = np.frombuffer(vectors, dtype=np.uint8).reshape(rows, self.width)
        used = _map_marks(self.path.with_suffix(USED_SUFFIX), rows * _USED.itemsize)
        self._used = np.frombuffer(used, dtype=_USED)
        self._checked = np.concatenate([self._checked, np.zeros(more, dtype=np.bool_)])
        self.rows = rows
        return more

    def is_cut_short(self) -> bool:
        """Whether a file ends before what this process has mapped of it: to read on would kill the process.

        Nothing here shortens whole rows; somebody who copies over the folder does.
        """
        try:
            return any(_size(path) < size for path, size in self.whole_sizes().items())
        except FileNotFoundError:
            return True

    def whole_sizes(self) -> dict[Path, int]:
        """Its files, and how many bytes of each are known rows; keys come last."""
        sizes = {VECTORS_SUFFIX: self.width, USED_SUFFIX: _USED.itemsize, KEYS_SUFFIX: _ENTRY.itemsize}
        return {self.path.with_suffix(suffix): self.rows * size for suffix, size in sizes.items()}

    @property
    def keys(self) -> Keys:
        """Of each row, (n, 32)."""
        return self._entries["key"]

    @property
    def vectors(self) -> Keys:
        """The rows as they lie on disk, (n, width), read only."""
        return self._vectors

    @property
    def used(self) -> NDArray[np.uint16]:
        """The sweep during which each row was last used, (n,)."""
        return self._used

    def mark_used(self, rows: Rows, sweep: int) -> None:
        """Remembers that some rows were used, where this user may write that.

        Others may do so at the same time, with the same number.
        """
        if self._used.flags.writeable and (self._used[rows] != sweep).any():
            self._used[rows] = sweep

    def find_damaged(self, rows: Rows) -> Rows:
        """Those of some rows whose bytes are not what was written; each is looked at once."""
        unknown = rows[~self._checked[rows]]
        if not len(unknown):
            return unknown
        sums, keys = self._entries["sum"], self._entries["key"]
        buffer, width = self._vectors.reshape(-1).data, self.width
        found = [
            zlib.crc32(buffer[row * width : (row + 1) * width], zlib.crc32(keys[row].tobytes()))
            for row in unknown.tolist()
        ]
        is_right = np.array(found, dtype=np.uint32) == sums[unknown]
        self._checked[unknown[is_right]] = True
        damaged: Rows = unknown[~is_right]
        return damaged


class SegmentWriter:
    """A segment that this process appends to, and holds a lock on while it may do so.

    `close` gives files and lock back: from then on the segment is as it is.
    """

    def __init__(self, folder: Path, width: int) -> None:
        """Makes the files of an empty segment. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{secrets.token_hex(8)}-{width}"
        self.path = folder / f"{name}{KEYS_SUFFIX}"
        self.width = width
        self.rows = 0
        self._process = os.getpid()
        self._files: list[int] = []
        # also where nobody has the writer any more
        self.close = weakref.finalize(self, _close, self._files)
        # the keys come first here: a file without keys is one that nobody will ever write to
        for suffix in (KEYS_SUFFIX, USED_SUFFIX, VECTORS_SUFFIX):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._files.insert(0, os.open(folder / f"{name}{suffix}", flags, 0o600))
            if suffix == KEYS_SUFFIX:
                fcntl.flock(self._files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def is_open(self) -> bool:
        """Whether rows may still be added: by the process that made it, and while the files have names."""
        return self._process == os.getpid() and all(os.fstat(file).st_nlink for file in self._files)

    def append(self, keys: Keys, vectors: Sequence[bytes], *, used: int | NDArray[np.uint16]) -> None:
        """Adds rows: keys (n, 32), n vectors, and the sweep of their last use.

        Raises OSError, and then may have added the first ones.
        """
        entries = np.empty(len(keys), dtype=_ENTRY)
        entries["key"] = keys
        entries["sum"] = [
            zlib.crc32(vector, zlib.crc32(key.tobytes())) for key, vector in zip(keys, vectors, strict=True)
        ]
        marks = np.full(len(keys), used, dtype=_USED)
        parts = (b"".join(vectors), marks.tobytes(), entries.tobytes())
        sizes = (self.width, _USED.itemsize, _ENTRY.itemsize)
        try:
            for file, size, part in zip(self._files, sizes, parts, strict=True):
                _write(file, part, at=self.rows * size)
        except OSError:
            # whole keys count, others may have read them: only what lies beyond goes
            self.rows = os.fstat(self._files[-1]).st_size // _ENTRY.itemsize
            for file, size in zip(self._files, sizes, strict=True):
                os.ftruncate(file, self.rows * size)
            raise
        self.rows += len(keys)

    def sync(self) -> None:
        """Waits until what was appended outlives a power cut."""
        for file in self._files:
            os.fsync(file)


def is_being_written(path: Path) -> bool:
    """Whether a living process may still append to the segment of these keys."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def whole_sizes(path: Path) -> dict[Path, int]:
    """The files of the segment of these keys, and how many bytes of each are whole rows; keys come last."""
    segment = Segment(path)
    segment.grow()
    return segment.whole_sizes()


def remove_segment(path: Path) -> None:
    """Takes the files of a segment away, its keys first; who has them open goes on reading."""
    for suffix in (KEYS_SUFFIX, USED_SUFFIX, VECTORS_SUFFIX):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _close(files: list[int]) -> None:
    while files:
        os.close(files.pop())


def _size(path: Path) -> int:
    return path.stat().st_size


def _map(path: Path, size: int, *, is_written: bool = False) -> mmap.mmap:
    with path.open("r+b" if is_written else "rb") as file:
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_WRITE if is_written else mmap.ACCESS_READ)


def _map_marks(path: Path, size: int) -> mmap.mmap:
    """Marks of use, which are read only where this user may do no more."""
    try:
        return _map(path, size, is_written=True)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return _map(path, size)


def _write(file: int, part: bytes, *, at: int) -> None:
    left = memoryview(part)
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
