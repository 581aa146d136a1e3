"""The files of the vectors in a backup: what takes hours to make again."""

from __future__ import annotations

import re
from pathlib import Path

from backend.backup.archive import Entry, Reader, Writer, hash_beginning
from backend.vector_files.segment import KEYS_SUFFIX, RESTORED_SUFFIX, USED_SUFFIX, whole_sizes
from backend.vector_files.shelf import list_segments

_ENTRY = re.compile(
    r"vectors/[0-9a-f]{32}/([0-9a-f]{16}-[0-9]{1,9}\.(vectors|used|keys)|encoder\.txt)", re.ASCII
)


def is_vectors(entry: str) -> bool:
    """Whether a file of a backup is one of vectors."""
    return _ENTRY.fullmatch(entry) is not None


def add_vectors(archive: Writer, folder: Path) -> None:
    """Adds all segments as far as they are whole now; others may append to them, or sweep one away."""
    for shelf in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        name = shelf / "encoder.txt"
        for keys in list_segments(shelf):
            try:
                for path, size in whole_sizes(keys).items():
                    archive.add_file(f"vectors/{shelf.name}/{path.name}", path, size=size)
            except FileNotFoundError:
                continue
        if name.is_file():
            archive.add_file(f"vectors/{shelf.name}/{name.name}", name)


def write_vectors(backup: Reader, folder: Path) -> None:
    """Brings back the segments that are not there, or do not begin as in the backup: damaged, or cut short.

    One that was appended to since stays as it is. Each file comes whole or not at all, and who reads keeps
    the one that he has mapped; the keys come last, since a segment without them is none.
    """
    entries = sorted(filter(is_vectors, backup.contents.entries), key=lambda one: one.endswith(KEYS_SUFFIX))
    for entry in entries:
        target = folder.parent / entry
        if not _begins_so(target, backup.contents.entries[entry]):
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f"{target.name}{RESTORED_SUFFIX}")
            aside.unlink(missing_ok=True)  # of a restore that was killed
            backup.extract(entry, aside)
            aside.replace(target)


def _begins_so(path: Path, entry: Entry) -> bool:
    """Whether a file has the bytes of a backup at its beginning; of marks of use, as many at least."""
    try:
        if path.suffix == USED_SUFFIX:
            return path.stat().st_size >= entry.size  # they change with each loop, and none is wrong
        with path.open("rb") as file:
            return hash_beginning(file, entry.size) == entry.sha256
    except FileNotFoundError:
        return False
