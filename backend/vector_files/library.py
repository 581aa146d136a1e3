"""The folder of all vectors: one shelf for each encoder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from shutil import rmtree
from typing import Final

import numpy as np

from backend.vector_files.index import pack_keys
from backend.vector_files.segment import Keys, Mask
from backend.vector_files.shelf import NAME_FILE, Found, Shelf
from backend.vector_files.sweeping import Swept, sweep_folders, sweep_number

# Each takes 16 bytes of memory for a vector, and three files where it is written to.
_MOST_OPEN: Final = 32


class VectorFiles:
    """Vectors as bytes by encoder and by the SHA-256 of what was encoded, in hex."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        # the one that was used last comes last
        self._shelves: dict[str, Shelf] = {}

    def are_known(self, encoder: str, keys: Sequence[str]) -> Mask:
        """Which of some keys (n,) have a vector."""
        return self._shelf(encoder).find(pack_keys(keys)).is_there

    def read(self, encoder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The vectors of those of some keys that have one."""
        found = self._shelf(encoder).find(pack_keys(keys))
        rows = np.empty((len(keys), found.width), dtype=np.uint8)
        came = found.fill(rows, sweep=sweep_number(self.folder))
        return {keys[at]: rows[at].tobytes() for at in np.flatnonzero(came).tolist()}

    def find(self, encoder: str, keys: Sequence[str]) -> Found:
        """Where the vectors of keys (n,) lie."""
        return self._shelf(encoder).find(pack_keys(keys))

    def width(self, encoder: str) -> int:
        """Length in bytes of most vectors of an encoder; 0 where there is none. Raises OSError."""
        return self._shelf(encoder).width()

    def fill(self, found: Found, rows: Keys) -> Mask:
        """Copies what was found into `rows` (n, width); which came (n,)."""
        return found.fill(rows, sweep=sweep_number(self.folder))

    def write(self, encoder: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps vectors by their keys. Raises OSError."""
        if not vectors:
            return
        keys = pack_keys(list(vectors))
        shelf = self._shelf(encoder)
        self._name(shelf.folder, encoder)
        shelf.append(keys, list(vectors.values()), sweep=sweep_number(self.folder))

    def sync(self, encoder: str) -> None:
        """Waits until what this process wrote of an encoder outlives a power cut."""
        self._shelf(encoder).sync()

    def forget(self, encoder: str) -> None:
        """Drops every vector of an encoder; who writes more of them meanwhile begins anew."""
        with self._lock:
            shelf = self._shelves.pop(encoder, None)
        if shelf is not None:
            shelf.close()
        rmtree(self._folder(encoder), ignore_errors=True)

    def sweep(self, *, today: date) -> Swept | None:
        """Drops what nobody uses any more, at most once a day; None where nothing was to be done."""
        self.close()  # what this process writes to would be left out
        return sweep_folders(self.folder, today=today)

    def close(self) -> None:
        """Gives back the files that this process appends to."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()

    def _shelf(self, encoder: str) -> Shelf:
        with self._lock:
            shelf = self._shelves.pop(encoder, None) or Shelf(self._folder(encoder))
            self._shelves[encoder] = shelf
            if len(self._shelves) > _MOST_OPEN:
                self._shelves.pop(next(iter(self._shelves))).close()
            return shelf

    def _folder(self, encoder: str) -> Path:
        return self.folder / hashlib.sha256(encoder.encode()).hexdigest()[:32]

    def _name(self, folder: Path, encoder: str) -> None:
        path = folder / NAME_FILE
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{encoder}\n", encoding="utf-8")
