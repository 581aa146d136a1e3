"""Hosts that do not answer: after a few silences in a row nobody waits for them any more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from backend.label_studio.media.errors import NotAsked, TooSlow

# Two rounds of as many threads as fetch: one slow moment of a host silences nothing.
MOST_SILENCES: Final = 16


class SilentHosts:
    """Counts silences in a row by origin (scheme, host, port). Safe to be used by several threads."""

    def __init__(self, most: int = MOST_SILENCES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._silences = Counter[tuple[str, str, int]]()

    @contextmanager
    def asking(self, origin: tuple[str, str, int]) -> Iterator[None]:
        """One question to a host; raises NotAsked where too many before were in vain."""
        with self._lock:
            is_silent = self._silences[origin] >= self._most
        if is_silent:
            raise NotAsked(f"its host was silent {self._most} times in a row")
        was_silent = False
        try:
            yield
        except TooSlow:
            was_silent = True
            raise
        finally:
            with self._lock:
                self._silences[origin] = self._silences[origin] + 1 if was_silent else 0
