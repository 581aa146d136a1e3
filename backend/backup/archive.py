"""The file of a backup: a ZIP whose last entry says what stands in it, with the hash of each entry.

A file that was cut off has no list of its entries (a ZIP has it at its end), and so is no backup.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from backend.errors import BadRequest

FORMAT = 1
DATABASE_ENTRY = "nextlabel.db"
_CONTENTS_ENTRY = "backup.json"
_LARGEST_CONTENTS = 2**26  # 64 MB: some 500,000 entries
_PIECE = 2**20
_QUICK = 1  # of zlib's levels: texts are halved, and the disk is the slower part
_VERSION_ENTRY = re.compile(
    r"models/([\w-][\w.-]{0,127})/([\w-][\w.-]{0,127})/([\w-][\w.-]{0,127})", re.ASCII
)
_REFUSED = "Nothing was restored. Take another backup; `nextlabel backup FILE` makes one."


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Entry:
    """One file of a backup: its size in bytes and its SHA-256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Contents:
    """What a backup holds. `schema` is the newest migration that its database has seen.

    `settings` are those that are no secrets, by their names in the environment.
    """

    format: int
    made_at: str
    code_version: str
    schema: str
    settings: dict[str, str]
    entries: dict[str, Entry]


_CONTENTS = TypeAdapter(Contents)


def version_entry(project: str, folder: str, name: str) -> str:
    """Where a file of a model version stands in a backup."""
    return f"models/{project}/{folder}/{name}"


def split_entry(entry: str) -> tuple[str, str, str]:
    """Project, folder and name of a file of a version. Raises BadRequest where the entry is of no version."""
    found = _VERSION_ENTRY.fullmatch(entry)
    if found is None:
        raise BadRequest(f"The backup holds {entry!r}, which is no file of a model version.", hint=_REFUSED)
    return found[1], found[2], found[3]


class Writer:
    """Puts files into a backup that is being made."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.entries: dict[str, Entry] = {}

    def add(self, entry: str, content: bytes) -> None:
        """One small file."""
        self._archive.writestr(entry, content)
        self.entries[entry] = Entry(len(content), hashlib.sha256(content).hexdigest())

    def add_file(self, entry: str, path: Path, *, size: int | None = None) -> None:
        """One large file, piece by piece; its first `size` bytes alone where that is given."""
        digest, left, size = hashlib.sha256(), size, 0
        with path.open("rb") as source, self._archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(_PIECE if left is None else min(_PIECE, left - size)):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        self.entries[entry] = Entry(size, digest.hexdigest())

    def finish(self, *, made_at: str, code_version: str, schema: str, settings: dict[str, str]) -> Contents:
        """Writes what stands in it; nothing comes after that."""
        contents = Contents(FORMAT, made_at, code_version, schema, settings, self.entries)
        self._archive.writestr(_CONTENTS_ENTRY, _CONTENTS.dump_json(contents, indent=1))
        return contents


class Reader:
    """Takes files out of a backup, each checked by its hash."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        """Raises BadRequest where the backup does not say what it holds, or was made by a later release."""
        self._archive = archive
        self._path = path
        self.contents = self._read_contents()

    def read(self, entry: str) -> bytes:
        """A small file. Raises BadRequest where it is not what was written."""
        return b"".join(self._pieces(entry))

    def extract(self, entry: str, target: Path) -> None:
        """Writes a large file to a path. Raises BadRequest where it is not what was written."""
        with target.open("xb") as file:
            for piece in self._pieces(entry):
                file.write(piece)

    def check(self) -> None:
        """Reads everything once. Raises BadRequest where something is not what was written."""
        for entry in self.contents.entries:
            for _piece in self._pieces(entry):
                pass

    def _read_contents(self) -> Contents:
        try:
            if self._archive.getinfo(_CONTENTS_ENTRY).file_size > _LARGEST_CONTENTS:
                raise ValueError("its list is too long")
            text = self._archive.read(_CONTENTS_ENTRY)
            contents = _CONTENTS.validate_json(text)
        except (KeyError, OSError, ValueError, ValidationError, zipfile.BadZipFile, zlib.error) as error:
            raise no_backup(self._path) from error
        if contents.format != FORMAT:
            raise BadRequest(
                f"{self._path} is a backup of format {contents.format}; this release reads format {FORMAT}.",
                hint=f"Restore it with the release that made it, {contents.code_version}, or a later one.",
            )
        return contents

    def _pieces(self, entry: str) -> Iterator[bytes]:
        expected, digest, size = self.contents.entries[entry], hashlib.sha256(), 0
        with self._named_damage(entry), self._archive.open(entry) as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                if size > expected.size:
                    break
                yield piece
        if (size, digest.hexdigest()) != (expected.size, expected.sha256):
            raise self._damaged(entry)

    @contextmanager
    def _named_damage(self, entry: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(entry) from error

    def _damaged(self, entry: str) -> BadRequest:
        return BadRequest(f"{self._path} is damaged: {entry} is not what was written.", hint=_REFUSED)


def hash_beginning(file: IO[bytes], size: int) -> str:
    """The SHA-256 in hex of the next `size` bytes of a file, or of those there are."""
    digest = hashlib.sha256()
    while size and (piece := file.read(min(_PIECE, size))):
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


@contextmanager
def writing(target: IO[bytes]) -> Iterator[Writer]:
    """A backup that is being made in a file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICK) as archive:
        yield Writer(archive)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """A backup that is there. Raises BadRequest where the file is none, or is damaged."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise no_backup(path) from error
    with archive:
        yield Reader(archive, path)


def no_backup(path: Path) -> BadRequest:
    """What is said of a file that is no whole backup."""
    if not path.is_file():
        return BadRequest(f"There is no file {path}.", hint="Name one that `nextlabel backup FILE` made.")
    return BadRequest(f"{path} is no backup, or not a whole one.", hint=_REFUSED)
