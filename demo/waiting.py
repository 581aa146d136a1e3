"""Waits for a state with a deadline; nothing here or in the tests sleeps for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
POLL_INTERVAL_S = 0.2


def wait_for(look: Callable[[], Found | None], what: str, *, timeout_s: float = 60.0) -> Found:
    """The first result of `look()` that is neither None nor False; raises TimeoutError that names `what`."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {timeout_s:.0f} s")
        time.sleep(POLL_INTERVAL_S)
