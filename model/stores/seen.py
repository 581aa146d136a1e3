"""What was seen of folders elsewhere: the stamps of their files, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from model.stores import Stamp

_FRESH_S = 30.0  # a version never changes: damage may be noticed that much later


@dataclass(frozen=True, slots=True)
class Seen:
    """The files of a folder at an instant of the monotonic clock."""

    at: float
    stamps: Mapping[str, Stamp]

    @property
    def is_fresh(self) -> bool:
        """Whether it is believed without another look."""
        return time.monotonic() - self.at <= _FRESH_S


class SeenFolders:
    """The last look at each folder of all projects. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], Seen] = {}

    def find(self, project: str, folder: str, names: Collection[str]) -> Seen | None:
        """The last look at a folder, if all of some files were there then: others may have come since."""
        with self._lock:
            seen = self._seen.get((project, folder))
        return seen if seen is not None and all(name in seen.stamps for name in names) else None

    def of_project(self, project: str) -> dict[str, Mapping[str, Stamp]]:
        """The stamps of all folders of a project, as they were seen last."""
        with self._lock:
            return {name: seen.stamps for (owner, name), seen in self._seen.items() if owner == project}

    def put(self, project: str, folder: str, seen: Seen) -> None:
        """Keeps a look at one folder."""
        with self._lock:
            self._seen[project, folder] = seen

    def put_project(self, project: str, folders: Mapping[str, Seen]) -> None:
        """Keeps a look at all folders of a project, in place of what was seen of it."""
        with self._lock:
            others = {key: seen for key, seen in self._seen.items() if key[0] != project}
            self._seen = others | {(project, name): seen for name, seen in folders.items()}

    def forget(self, project: str, folder: str) -> None:
        """The next look at a folder is a new one."""
        with self._lock:
            self._seen.pop((project, folder), None)
