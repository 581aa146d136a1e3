"""Asks one address again and again, as Label Studio would, and notes how long each answer took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

import httpx

PAUSE_S = 0.02
TIMEOUT_S = 10.0


class Probe:
    """Asks while it is entered; `seconds` by name, and `failures` for answers that were not 2xx."""

    def __init__(self, questions: dict[str, Callable[[httpx.Client], httpx.Response]]) -> None:
        self.seconds: dict[str, list[float]] = {name: [] for name in questions}
        self.failures = 0
        self._questions = questions
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self) -> None:
        # Label Studio opens a connection for each call; so do we.
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(trust_env=False, timeout=TIMEOUT_S, limits=limits) as client:
            while not self._stop.is_set():
                for name, question in self._questions.items():
                    started = time.perf_counter()
                    try:
                        good = question(client).is_success
                    except httpx.TransportError:
                        good = False
                    self.seconds[name].append(time.perf_counter() - started)
                    self.failures += not good
                    self._stop.wait(PAUSE_S)

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
