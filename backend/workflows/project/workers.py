"""Worker processes and their signs of life."""

from __future__ import annotations

import os
import socket
import threading
import time

from sqlalchemy import delete, select

from backend.context import Context
from backend.database import Worker

_BEAT_S = 5.0
_ALIVE_S = 30.0
_FORGET_WORKER_S = 3600.0


def beat_forever(context: Context, stop: threading.Event) -> None:
    """Tells the database every few seconds that this worker lives."""
    name = f"{socket.gethostname()}/{os.getpid()}"
    while True:
        now = time.time()
        with context.database.session() as session:
            session.merge(Worker(name=name, seen_at=now))
            session.execute(delete(Worker).where(Worker.seen_at < now - _FORGET_WORKER_S))
        if stop.wait(_BEAT_S):
            break
    with context.database.session() as session:
        session.execute(delete(Worker).where(Worker.name == name))


def living_workers(context: Context) -> list[str]:
    """Names of the workers seen lately."""
    with context.database.session() as session:
        return list(session.scalars(select(Worker.name).where(Worker.seen_at >= time.time() - _ALIVE_S)))
