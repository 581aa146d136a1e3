"""Model versions in a folder of this machine: written aside, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path

from model.stores import FolderTaken, Stamp, StoreUnusable, checked

_TEMPORARY = ".writing-"


class FolderStore:
    """Folders `root/project/folder`. Safe to read and to write from many processes."""

    def __init__(self, root: Path) -> None:
        """Keep everything under `root`, which need not exist yet."""
        self._root = root

    @property
    def place(self) -> str:
        """The path of the folder."""
        return str(self._root)

    def check(self) -> None:
        """Makes the folder where there is none, writes a file and removes it. Raises StoreUnusable."""
        probe = self._root / f"{_TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            _write(probe, b"")
            probe.unlink()
        except OSError as error:
            raise StoreUnusable(f"{self._root} cannot be written: {error.strerror or error}") from error

    def publish(self, project: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Writes a folder aside, then makes it visible in one step; raises FolderTaken."""
        target = self._root / project / folder
        if target.exists():
            raise FolderTaken(folder)
        aside = target.parent / f"{_TEMPORARY}{folder}-{uuid.uuid4().hex}"
        aside.mkdir(parents=True)
        try:
            for name, content in files.items():
                _write(aside / name, content)
            _sync_folder(aside)
            _rename_new(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _sync_folder(target.parent)

    def look(self, project: str, folder: str, names: Collection[str]) -> Mapping[str, Stamp] | None:
        """The stamps of those of some files that are there; None where there is no such folder."""
        path = self._root / project / folder
        if not path.is_dir():
            return None
        found: dict[str, Stamp] = {}
        for name in names:
            try:
                stamp = (path / name).stat()
            except OSError:
                continue
            found[name] = (stamp.st_mtime_ns, stamp.st_ino, stamp.st_size)
        return found

    def read(self, project: str, folder: str, name: str, *, sha256: str | None = None) -> bytes:
        """A file. Raises FileNotFoundError, and FileDamaged where its SHA-256 (in hex) is another."""
        return checked((self._root / project / folder / name).read_bytes(), sha256, name)

    def folders(self, project: str) -> Mapping[str, frozenset[str]]:
        """The names of all folders of a project and of the files in each."""
        path = self._root / project
        if not path.is_dir():
            return {}
        there = (one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))
        return {one.name: _files(one) for one in there}

    def claimed(self, project: str) -> frozenset[str]:
        """None: who is slower finds that the name is taken when he renames."""
        return frozenset()

    def replace(self, project: str, folder: str, name: str, content: bytes) -> None:
        """Writes one file aside, then puts it in the place of one of that name."""
        path = self._root / project / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            _write(aside, content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        _sync_folder(path.parent)

    def remove(self, project: str, folder: str, name: str) -> None:
        """Removes a file, if there is one."""
        (self._root / project / folder / name).unlink(missing_ok=True)

    def sweep(self, project: str, *, older_than_s: float) -> int:
        """Removes what killed writers left behind; returns how many folders. Younger ones may be at work."""
        folder = self._root / project
        limit, swept = time.time() - older_than_s, 0
        for path in folder.glob(f"{_TEMPORARY}*") if folder.is_dir() else ():
            if path.stat().st_mtime <= limit:
                shutil.rmtree(path, ignore_errors=True)
                swept += 1
        return swept


def _files(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir() if path.is_file())
    except FileNotFoundError:  # it was removed meanwhile
        return frozenset()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename is only safe from a power cut once the folder itself is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename_new(aside: Path, target: Path) -> None:
    try:
        aside.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another writer was faster
            raise FolderTaken(target.name) from error
        raise
