"""Copies of files from elsewhere, kept on the local disk up to a size and checked by their hash."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from pathlib import Path

_DIGEST_BYTES = 32  # of SHA-256, in front of each content


class FileCache:
    """Files by a key in one folder, which many processes share; the least recently used ones make room.

    It is a help and no more: what it cannot write or read is simply not there.
    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        """Keep at most `most_bytes` in all under `folder`, which need not exist yet."""
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, key: str) -> bytes | None:
        """The content of a key; None where there is none that is what was put."""
        path = self._folder / key
        try:
            found = path.read_bytes()
            os.utime(path)  # it was used now
        except OSError:
            return None
        content = found[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != found[:_DIGEST_BYTES]:
            with suppress(OSError):
                path.unlink()
            return None
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keeps a content under a key of letters and digits, unless it alone is too large."""
        if len(content) + _DIGEST_BYTES > self._most_bytes:
            return
        aside = self._folder / f".writing-{uuid.uuid4().hex}"
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_bytes(hashlib.sha256(content).digest() + content)
                aside.replace(self._folder / key)
            finally:
                aside.unlink(missing_ok=True)
            self._make_room()

    def _make_room(self) -> None:
        """What killed writers left counts, and is the first to go once it is the oldest."""
        kept = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process made room, too
                found = path.stat()
                kept.append((found.st_mtime_ns, found.st_size, path))
        size = sum(each for _, each, _ in kept)
        for _, each, path in sorted(kept):
            if size <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            size -= each
