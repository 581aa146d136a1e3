"""A request's turn to compute, which it gives back while it waits for what another process works out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TURNS: ContextVar[threading.BoundedSemaphore | None] = ContextVar("turns", default=None)


def take_part(turns: threading.BoundedSemaphore | None) -> None:
    """Says of which turns this request holds one; None once it holds none."""
    _TURNS.set(turns)


@contextmanager
def waiting() -> Iterator[None]:
    """While this lasts, somebody else has the turn of this request; whoever holds none is not concerned."""
    turns = _TURNS.get()
    if turns is None:
        yield
        return
    turns.release()
    try:
        yield
    finally:
        turns.acquire()
