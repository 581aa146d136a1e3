"""Worker processes and their signs of life."""

from __future__ import annotations

import os
import socket
import threading
import time

from backend.context import Context

_BEAT_S = 5.0
_ALIVE_S = 30.0
_FORGET_WORKER_S = 3600.0


def beat_forever(context: Context, stop: threading.Event) -> None:
    """Tells the database every few seconds that this worker lives."""
    name = f"{socket.gethostname()}/{os.getpid()}"
    while True:
        now = time.time()
        context.workers.see(name, now, forget_before=now - _FORGET_WORKER_S)
        if stop.wait(_BEAT_S):
            break
    context.workers.forget(name)


def living_workers(context: Context) -> list[str]:
    """Names of the workers seen lately."""
    return context.workers.seen_since(time.time() - _ALIVE_S)
