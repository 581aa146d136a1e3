"""Calls to a storage elsewhere, whatever it raises; one that did not answer is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from model.stores import StoreUnreachable

_SILENT_S = 5.0  # each try may take as long as the client waits

T = TypeVar("T")


class Asked:
    """Asks one storage, from many threads."""

    def __init__(self, place: str) -> None:
        """`place` is what people call the storage."""
        self._place = place
        self._silent_until, self._why = 0.0, ""

    def ask(self, call: Callable[[], T]) -> T:
        """What a call gives. Raises FileNotFoundError and FileExistsError, StoreUnreachable for all else."""
        if time.monotonic() < self._silent_until:
            raise StoreUnreachable(self._why, self._place)
        try:
            return call()
        except (FileNotFoundError, FileExistsError):
            raise
        except Exception as error:
            self._silent_until, self._why = time.monotonic() + _SILENT_S, one_line(error)
            raise StoreUnreachable(self._why, self._place) from error

    def forgive(self) -> None:
        """The next call asks, whatever the last one did."""
        self._silent_until = 0.0


def one_line(error: BaseException) -> str:
    """What went wrong, without what libraries put behind it."""
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
