"""What keeps the files few and small: unused vectors go, and small segments become one.

Age is counted in sweeps, one a day at most, and not in days: a server that stood still for a month has used
nothing and must lose nothing. Whoever reads keeps what he has mapped.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from backend.vector_files.segment import (
    KEYS_SUFFIX,
    RESTORED_SUFFIX,
    USED_SUFFIX,
    VECTORS_SUFFIX,
    Mask,
    Segment,
    SegmentWriter,
    is_being_written,
    remove_segment,
)
from backend.vector_files.shelf import LARGEST_BYTES, NAME_FILE, is_segment, list_segments

logger = logging.getLogger(__name__)

# A vector that was not used during so many sweeps goes.
KEPT_SWEEPS: Final = 30
# So many segments that nobody writes to any more become one, and so large a share of unused rows goes.
_MOST_SEGMENTS: Final = 4
_MOST_UNUSED: Final = 0.2
_ROWS_AT_ONCE: Final = 4096
# Marks of use are uint16.
_LAST_SWEEP: Final = 2**16 - 1
_FILE, _LOCK = "sweeps.txt", "sweeping.lock"


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows went because nobody used them, they were there twice, or were damaged."""

    unused: int = 0
    doubled: int = 0
    damaged: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.unused + other.unused, self.doubled + other.doubled, self.damaged + other.damaged)


def sweep_number(folder: Path) -> int:
    """How many sweeps the vectors of a folder have seen."""
    return _read(folder)[0]


def sweep_folders(folder: Path, *, today: date) -> Swept | None:
    """A sweep of all encoders below a folder; None where there was one today, or another process is at it.

    May be killed at any moment. Raises OSError.
    """
    if not folder.is_dir():
        return None
    try:
        with FileLock(folder / _LOCK, timeout=0):
            number, day = _read(folder)
            if day == today.isoformat():
                return None
            aside = folder / f"{_FILE}.part"
            aside.write_text(f"{number + 1} {today.isoformat()}\n", encoding="ascii")
            aside.replace(folder / _FILE)
            found = Swept()
            for shelf in sorted(path for path in folder.iterdir() if path.is_dir()):
                found += sweep_shelf(shelf, sweep=number + 1)
            return found
    except Timeout:
        return None


def sweep_shelf(folder: Path, *, sweep: int) -> Swept:
    """Rewrites the segments of one encoder that are worth it, but none that a process still writes to."""
    _remove_orphans(folder)
    segments = [segment for path in list_segments(folder) if (segment := _open(path)) is not None]
    by_width: dict[int, list[Segment]] = {}
    for segment in segments:
        by_width.setdefault(segment.width, []).append(segment)
    found = Swept()
    for mine in by_width.values():
        for together in _worth_rewriting(mine, sweep):
            found += _rewrite(folder, together, sweep=sweep)
    if not list_segments(folder):
        _remove_empty(folder)
    return found


def _open(path: Path) -> Segment | None:
    """A segment that may be rewritten; None where somebody writes to it, or this user may not read it."""
    try:
        if is_being_written(path):
            return None
        segment = Segment(path)
        segment.grow()
    except PermissionError:
        return None
    except FileNotFoundError:  # keys alone
        remove_segment(path)
        return None
    return segment


def _remove_orphans(folder: Path) -> None:
    """Takes away what a killed sweep or restore left: files without keys, which are made and go first."""
    for path in list(folder.iterdir()):
        is_orphan = path.suffix in (VECTORS_SUFFIX, USED_SUFFIX) and is_segment(path.with_suffix(KEYS_SUFFIX))
        if path.suffix == RESTORED_SUFFIX or (is_orphan and not path.with_suffix(KEYS_SUFFIX).exists()):
            path.unlink(missing_ok=True)


def _worth_rewriting(segments: list[Segment], sweep: int) -> list[list[Segment]]:
    """Segments to be made one: the small ones if there are many, and each alone that holds much unused."""
    small = [segment for segment in segments if _is_small(segment)]
    rest = [segment for segment in segments if not _is_small(segment)]
    alone = [*rest, *(small if len(small) < _MOST_SEGMENTS else [])]
    together = [small] if len(small) >= _MOST_SEGMENTS else []
    return together + [[one] for one in alone if _share_unused(one, sweep) > _MOST_UNUSED]


def _is_small(segment: Segment) -> bool:
    return segment.rows * segment.width < LARGEST_BYTES // 2


def _share_unused(segment: Segment, sweep: int) -> float:
    # one without a row is what is left of a writer that was killed early
    return float(_unused(segment, sweep).mean()) if segment.rows else 1.0


def _unused(segment: Segment, sweep: int) -> Mask:
    unused: Mask = sweep - segment.used.astype(np.int64) > KEPT_SWEEPS
    return unused


def _rewrite(folder: Path, segments: list[Segment], *, sweep: int) -> Swept:
    """Copies what is worth it into one segment, and then removes the old ones. Killed in between, rows are
    there twice, which the next sweep finds."""
    writer = SegmentWriter(folder, segments[0].width)
    seen: set[bytes] = set()
    found = Swept()
    try:
        for segment in segments:
            unused = _unused(segment, sweep)
            used_rows = np.flatnonzero(~unused)
            damaged = segment.find_damaged(used_rows)
            sound = used_rows[~np.isin(used_rows, damaged)]
            copied = _copy(segment, sound, writer, seen)
            found += Swept(int(unused.sum()), len(sound) - copied, len(damaged))
        writer.sync()
    finally:
        writer.close()
    for segment in segments:
        remove_segment(segment.path)
    if not writer.rows:
        remove_segment(writer.path)
    return found


def _copy(segment: Segment, rows: NDArray[np.int64], writer: SegmentWriter, seen: set[bytes]) -> int:
    copied = 0
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        keys = segment.keys[part]
        names = [key.tobytes() for key in keys]
        is_new = np.array([name not in seen for name in names], dtype=np.bool_)
        seen.update(names)
        new = part[is_new]
        vectors = [vector.tobytes() for vector in segment.vectors[new]]
        writer.append(keys[is_new], vectors, used=segment.used[new])
        copied += len(new)
    return copied


def _remove_empty(folder: Path) -> None:
    """Takes the folder of an encoder away that has no vectors left; what is somebody else's stays in it."""
    (folder / NAME_FILE).unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        folder.rmdir()


def _read(folder: Path) -> tuple[int, str]:
    try:
        number, day = (folder / _FILE).read_text(encoding="ascii").split()
        return (int(number), day) if 0 <= int(number) <= _LAST_SWEEP else (0, "")
    except (OSError, ValueError):  # not there, not to be read, or somebody else's words
        return 0, ""
