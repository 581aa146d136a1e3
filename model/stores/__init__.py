"""Where model versions are kept: folders of a few files, in a folder of this machine or behind an address.

A store knows projects, the folders in them and their files, and nothing of what the files say.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Collection, Mapping
from typing import Protocol, TypeAlias

MANIFEST_FILE = "manifest.json"  # written last: a folder that has it is whole

# What changes when a file is written anew; of no meaning but that.
Stamp: TypeAlias = tuple[int | str, ...]


class FolderTaken(FileExistsError):
    """There is a folder of that name already, or another writer is at work on one."""


class FileDamaged(ValueError):
    """A file is not the one that was written."""


class StoreUnusable(ValueError):
    """No version can be kept there; the message says why, and names no secret."""


class StoreUnreachable(OSError):
    """The store does not answer now; what is there nobody knows."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(errno.EIO, reason, place)


class ModelStore(Protocol):
    """Folders `project/folder` of files. Names are taken as they are: the caller checks them.

    Every method but `check` raises StoreUnreachable where the store is not of this machine, and OSError.
    """

    @property
    def place(self) -> str:
        """What people call it: a path, or an address without secrets."""
        ...

    def check(self) -> None:
        """Tries to write, to read and to remove. Raises StoreUnusable, or StoreUnreachable."""
        ...

    def publish(self, project: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Writes a folder, in the order of `files`, the manifest last: others see all of it or nothing.

        Raises FolderTaken when there is one, whole or not, and of two writers at once for one of them.
        """
        ...

    def look(self, project: str, folder: str, names: Collection[str]) -> Mapping[str, Stamp] | None:
        """The stamps of those of some files that are there; None where there is no such folder."""
        ...

    def read(self, project: str, folder: str, name: str, *, sha256: str | None = None) -> bytes:
        """A file. Raises FileNotFoundError, and FileDamaged where its SHA-256 (in hex) is another."""
        ...

    def folders(self, project: str) -> Mapping[str, frozenset[str]]:
        """The names of all folders of a project and of the files in each; of none that is being written."""
        ...

    def claimed(self, project: str) -> frozenset[str]:
        """The names of folders that are being written and that nobody else can take."""
        ...

    def replace(self, project: str, folder: str, name: str, content: bytes) -> None:
        """Writes one file, in place of one of that name; others see the old one or the new one."""
        ...

    def remove(self, project: str, folder: str, name: str) -> None:
        """Removes a file, if there is one."""
        ...

    def sweep(self, project: str, *, older_than_s: float) -> int:
        """Removes what writers left behind that were killed so many seconds ago; returns how many folders."""
        ...


def checked(content: bytes, sha256: str | None, name: str) -> bytes:
    """The content of a file. Raises FileDamaged where it is not what was written."""
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise FileDamaged(f"{name} is not what was written")
    return content
