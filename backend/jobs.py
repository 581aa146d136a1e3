"""The queue of loops: which library runs them, how they are started, and the clock.

A job carries only a project's id; what is to be done is found out by the loop itself. A job that is lost
(a worker killed half-way) costs a minute: the hints it was for stay in the database and the clock asks again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from huey import RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from huey.registry import Message
from huey.serializer import Serializer
from redis import ConnectionPool

from backend.errors import QueueUnavailable

_NAME = "nextlabel"

# Webhooks come in bursts: wait a moment, so that one loop answers them all.
DEBOUNCE_S = 0.5
# A Redis that is cut off keeps nobody waiting for longer; the queue itself waits one second at a time.
_REDIS_S = 5.0


class JsonSerializer(Serializer):  # type: ignore[misc]  # huey ships no types
    """Jobs as JSON: the library's default is pickle, and loading one can run code."""

    def _serialize(self, data: Message) -> bytes:
        fields = data._asdict()
        fields["eta"] = data.eta.isoformat() if data.eta else None
        fields["expires"] = fields["expires_resolved"] = None
        return json.dumps(fields).encode()

    def _deserialize(self, data: bytes) -> Message:
        fields = json.loads(data)
        fields["eta"] = datetime.fromisoformat(fields["eta"]) if fields["eta"] else None
        fields["args"] = tuple(fields["args"])
        return Message(**fields)


class Jobs:
    """Starts loops in the worker process. `run` gets a project's row id; `tick` is called every minute.

    Raises QueueUnavailable where the queue cannot be opened.
    """

    def __init__(self, *, folder: Path, redis_url: str = "") -> None:
        try:
            self._huey = _open_queue(folder, redis_url)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise QueueUnavailable(
                f"The queue of jobs cannot be opened: {error}.",
                hint="Is REDIS_URL right? Without one the queue is the file jobs.db in DATA_DIR, which holds "
                "nothing that is not found again: move a damaged one away.",
            ) from error
        self._loop: Callable[..., object] | None = None

    def bind(self, *, run: Callable[[int], None], tick: Callable[[], None]) -> None:
        """Says what a job does; called once, where the parts are put together."""
        self._loop = self._huey.task(name="loop")(lambda project: run(project))
        self._huey.periodic_task(crontab(minute="*"), name="tick")(lambda: tick())

    def enqueue(self, project: int) -> None:
        """Asks a worker to look at a project soon. Raises QueueUnavailable."""
        if self._loop is None:
            raise RuntimeError("bind() comes before enqueue()")
        try:
            self._loop.schedule((project,), delay=DEBOUNCE_S)  # type: ignore[attr-defined]
        except Exception as error:  # whatever Redis, SQLite or the network raise
            raise QueueUnavailable(
                f"The queue of jobs does not answer ({type(error).__name__}).",
                hint="Is Redis running and REDIS_URL right, or has the disk of DATA_DIR space?",
            ) from error

    def close(self) -> None:
        """Gives the connection back; the queue opens it again when it is needed."""
        self._huey.storage.close()

    def consume(self, *, workers: int) -> None:
        """Runs jobs until the process is told to stop."""
        consumer = self._huey.create_consumer(
            workers=workers, worker_type="thread", initial_delay=0.1, max_delay=0.2, scheduler_interval=1
        )
        consumer.run()


def _open_queue(folder: Path, redis_url: str) -> Huey:
    options = {"results": False, "serializer": JsonSerializer(), "utc": True}
    if redis_url:
        pool = ConnectionPool.from_url(redis_url, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S)
        return RedisHuey(_NAME, connection_pool=pool, **options)
    folder.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(_NAME, filename=str(folder / "jobs.db"), **options)
