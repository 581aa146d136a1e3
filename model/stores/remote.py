"""Model versions behind an address that fsspec knows: a bucket, a share, a memory of this process.

Such a place can rename nothing in one step. So whoever writes a folder first creates a claim in it, which
nobody else can create, then the files, the manifest last. A folder with a claim and no manifest is being
written, or its writer was killed.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from fsspec import AbstractFileSystem

from model.stores import (
    MANIFEST_FILE,
    FileDamaged,
    FolderTaken,
    Stamp,
    StoreUnreachable,
    StoreUnusable,
    checked,
)
from model.stores.cache import FileCache
from model.stores.seen import Seen, SeenFolders
from model.stores.silence import Asked, one_line

_CLAIM = ".writing"
# What file systems call that which changes with a file, in their lists.
_CHANGING = (
    *("ETag", "etag", "generation", "md5Hash"),
    *("LastModified", "last_modified", "updated", "mtime", "created"),
)
_NO_SIZE = -1  # of a file system that does not tell


class RemoteStore:
    """Folders `root/project/folder` of a file system. Safe to read and to write from many machines.

    Files are fetched once and kept in a cache on the local disk, by their place and their stamp. What was
    seen of a version is believed for half a minute, and longer while the store does not answer.
    """

    def __init__(
        self,
        files: AbstractFileSystem,
        root: str,
        *,
        place: str,
        cache: FileCache,
        makes_folders: bool = False,
    ) -> None:
        """Keep everything under the path `root` of a file system; `place` is its address without secrets.

        `makes_folders` where a file can only be written into a folder that is there; buckets have none.
        """
        self._fs = files
        self._makes_folders = makes_folders
        self._root = root.rstrip("/")
        self._place = place
        self._cache = cache
        self._seen = SeenFolders()
        self._asked = Asked(place)

    @property
    def place(self) -> str:
        """The address, without secrets."""
        return self._place

    def check(self) -> None:
        """Creates a file, tries to create it again, reads and removes it."""
        self._asked.forgive()
        path, content = f"{self._root}/.check-{uuid.uuid4().hex}", uuid.uuid4().hex.encode()
        try:
            self._make_folder(self._root)
            self._fs.pipe_file(path, content, mode="create")
            is_exclusive = False
            try:
                self._fs.pipe_file(path, b"", mode="create")
            except FileExistsError:
                is_exclusive = True
            read = self._fs.cat_file(path)
            self._fs.rm_file(path)
        except Exception as error:
            raise StoreUnusable(f"{self._place} cannot be used: {one_line(error)}") from error
        if not is_exclusive:
            raise StoreUnusable(
                f"{self._place} cannot be used: it overwrites a file that was to be new, "
                "and two writers would mix their versions"
            )
        if read != content:
            raise StoreUnusable(f"{self._place} cannot be used: it gives back something else than it got")

    def publish(self, project: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Writes a claim, then the files, the manifest last; raises FolderTaken."""
        base = self._path(project, folder)
        if self._list(base):
            raise FolderTaken(folder)
        claim = f"{uuid.uuid4().hex} {time.time():.0f}".encode()
        written: dict[str, bytes] = {}
        try:
            self._asked.ask(lambda: self._make_folder(base))
            written[_CLAIM] = claim
            self._create(f"{base}/{_CLAIM}", claim)
            for name, content in files.items():
                if name == MANIFEST_FILE:
                    self._require(base, claim)
                written[name] = content
                self._create(f"{base}/{name}", content)
            # whoever sweeps removes the claim before he looks for the manifest
            self._require(base, claim)
        except BaseException:
            self._take_back(base, written)
            raise
        with suppress(OSError):  # a whole version may keep its claim
            self._asked.ask(lambda: self._fs.rm_file(f"{base}/{_CLAIM}"))

    def look(self, project: str, folder: str, names: Collection[str]) -> Mapping[str, Stamp] | None:
        """The stamps of those of some files that are there; None where there is no such folder."""
        stamps = self._stamps(project, folder, names)
        if not stamps or _is_claimed(stamps):
            return None
        return {name: stamps[name] for name in names if name in stamps}

    def read(self, project: str, folder: str, name: str, *, sha256: str | None = None) -> bytes:
        """A file. Raises FileNotFoundError, and FileDamaged where its SHA-256 (in hex) is another."""
        path = f"{self._path(project, folder)}/{name}"
        stamp = (self.look(project, folder, [name]) or {}).get(name)
        if stamp is None:
            raise FileNotFoundError(path)
        key = hashlib.sha256(f"{self._place}\0{path}\0{stamp}".encode()).hexdigest()
        if (kept := self._cache.get(key)) is not None:
            with suppress(FileDamaged):
                return checked(kept, sha256, name)
        content = self._fetch(path)
        if stamp[-1] not in (_NO_SIZE, len(content)):
            self._seen.forget(project, folder)
            raise StoreUnreachable("a file came in part", self._place)
        self._cache.put(key, checked(content, sha256, name))
        return content

    def folders(self, project: str) -> Mapping[str, frozenset[str]]:
        """The names of all folders of a project and of the files in each; of none that is being written.

        What was seen last while the store does not answer.
        """
        found: Mapping[str, Mapping[str, Stamp]]
        try:
            found = self._list_project(project)
        except StoreUnreachable:
            found = self._seen.of_project(project)
            if not found:
                raise
        return {
            name: frozenset(stamps) - {_CLAIM} for name, stamps in found.items() if not _is_claimed(stamps)
        }

    def claimed(self, project: str) -> frozenset[str]:
        """The names of folders that are being written, or whose writer was killed and not swept yet."""
        found = self._list_project(project)
        return frozenset(name for name, stamps in found.items() if _is_claimed(stamps))

    def replace(self, project: str, folder: str, name: str, content: bytes) -> None:
        """Writes one file in one request."""
        base = self._path(project, folder)
        self._asked.ask(lambda: self._make_folder(base))
        self._asked.ask(lambda: self._fs.pipe_file(f"{base}/{name}", content))
        self._seen.forget(project, folder)

    def remove(self, project: str, folder: str, name: str) -> None:
        """Removes a file, if there is one."""
        with suppress(FileNotFoundError):
            self._asked.ask(lambda: self._fs.rm_file(f"{self._path(project, folder)}/{name}"))
        self._seen.forget(project, folder)

    def sweep(self, project: str, *, older_than_s: float) -> int:
        """Removes what killed writers left behind; returns how many folders. Younger ones may be at work."""
        swept = 0
        for name, stamps in self._list_project(project).items():
            if _CLAIM not in stamps:
                continue
            base = self._path(project, name)
            with suppress(FileNotFoundError):
                if time.time() - _claimed_at(self._fetch(f"{base}/{_CLAIM}")) < older_than_s:
                    continue
            self.remove(project, name, _CLAIM)
            # it may be whole, or its writer awake again: he looks for his claim after the manifest is there
            left = self._list(base)
            if MANIFEST_FILE not in left:
                for file in left:
                    self.remove(project, name, file)
                swept += 1
        return swept

    def _path(self, *names: str) -> str:
        return "/".join((self._root, *names))

    def _stamps(self, project: str, folder: str, names: Collection[str]) -> Mapping[str, Stamp]:
        """The stamps of a folder, as they were seen if that is not long ago and `names` are among them."""
        known = self._seen.find(project, folder, names)
        if known is not None and known.is_fresh:
            return known.stamps
        now = time.monotonic()
        try:
            stamps = self._list(self._path(project, folder))
        except StoreUnreachable:
            if known is None:
                raise
            return known.stamps
        self._seen.put(project, folder, Seen(now, stamps))
        return stamps

    def _make_folder(self, path: str) -> None:
        if self._makes_folders:
            self._fs.makedirs(path, exist_ok=True)

    def _list_project(self, project: str) -> dict[str, dict[str, Stamp]]:
        """The files of all folders of a project, which is one request for hundreds of versions."""
        now = time.monotonic()
        found: dict[str, dict[str, Stamp]] = {}
        for name, stamp in self._list(self._path(project)).items():
            folder, _, file = name.partition("/")
            if file:
                found.setdefault(folder, {})[file] = stamp
        self._seen.put_project(project, {name: Seen(now, stamps) for name, stamps in found.items()})
        return found

    def _list(self, base: str) -> dict[str, Stamp]:
        """The files below a path, by what follows it."""

        def find() -> Mapping[str, Mapping[str, Any]]:
            self._fs.invalidate_cache()
            return dict(self._fs.find(base, detail=True))

        try:
            found = self._asked.ask(find)
        except FileNotFoundError:
            return {}
        start = base.lstrip("/") + "/"
        below = {path.lstrip("/"): info for path, info in found.items()}
        # where nothing is below it, the path itself may be found as a folder, once a writer has begun there
        return {path[len(start) :]: _stamp(info) for path, info in below.items() if path.startswith(start)}

    def _fetch(self, path: str) -> bytes:
        return bytes(self._asked.ask(lambda: self._fs.cat_file(path)))

    def _create(self, path: str, content: bytes) -> None:
        """Raises FolderTaken where there is a file of another; ours may be there if an answer was lost."""
        try:
            self._asked.ask(lambda: self._fs.pipe_file(path, content, mode="create"))
        except FileExistsError:
            with suppress(FileNotFoundError):
                if self._fetch(path) == content:
                    return
            raise FolderTaken(path) from None
        except FileNotFoundError as error:  # the bucket itself is gone
            raise StoreUnreachable(one_line(error), self._place) from error

    def _require(self, base: str, claim: bytes) -> None:
        """Raises FolderTaken where a claim is not ours any more: we were given up for dead."""
        with suppress(FileNotFoundError):
            if self._fetch(f"{base}/{_CLAIM}") == claim:
                return
        raise FolderTaken(base)

    def _take_back(self, base: str, written: Mapping[str, bytes]) -> None:
        """Removes what is ours, the manifest first and the claim last, as far as the store answers."""
        with suppress(OSError):
            for name, content in reversed(list(written.items())):
                self._remove_ours(f"{base}/{name}", content)

    def _remove_ours(self, path: str, content: bytes) -> None:
        with suppress(FileNotFoundError):
            if self._fetch(path) == content:
                self._asked.ask(lambda: self._fs.rm_file(path))


def _is_claimed(stamps: Collection[str]) -> bool:
    return _CLAIM in stamps and MANIFEST_FILE not in stamps


def _claimed_at(claim: bytes) -> float:
    """Seconds since the epoch when a claim was made; 0 for one that cannot be read."""
    try:
        return float(claim.split()[-1])
    except (ValueError, IndexError):
        return 0.0


def _stamp(info: Mapping[str, Any]) -> Stamp:
    """The size comes last."""
    size = info.get("size")
    changing = (str(info[name]) for name in _CHANGING if name in info)
    return (*changing, _NO_SIZE if size is None else int(size))
