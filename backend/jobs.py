"""The queue of loops: how they are asked for, and the clock.

A job carries only a project's id; what is to be done is found out by the loop itself. A job that is lost
(a worker killed half-way) costs a minute: the hints it was for stay in the database and the clock asks again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from backend.errors import QueueUnavailable

if TYPE_CHECKING:
    from backend.huey_queue import Queue

# Webhooks come in bursts: wait a moment, so that one loop answers them all.
DEBOUNCE_S = 0.5


class Jobs:
    """Starts loops in the worker process. The queue is opened when it is first needed.

    Whatever needs it raises QueueUnavailable where it cannot be opened.
    """

    def __init__(self, *, folder: Path, redis_url: str = "", database_url: str = "") -> None:
        """Where the jobs are: see `huey_queue.Queue`; an empty address is none."""
        self._folder = folder
        self._redis_url = redis_url
        self._database_url = database_url
        self._bound: tuple[Callable[[int], None], Callable[[], None]] | None = None
        self._due_at: dict[int, float] = {}

    def bind(self, *, run: Callable[[int], None], tick: Callable[[], None]) -> None:
        """Says what a job does; called once, where the parts are put together.

        `run` gets a project's row id; `tick` is called every minute.
        """
        self._bound = run, tick

    def enqueue(self, project: int) -> None:
        """Asks a worker to look at a project soon. Raises QueueUnavailable.

        Where this process has left a job that is not due yet, that one does: it looks when it is due.
        """
        if self._bound is None:
            raise RuntimeError("bind() comes before enqueue()")
        queue, now = self._queue, time.monotonic()
        if now < self._due_at.get(project, 0.0):
            return
        with _named_errors():
            queue.schedule(project, delay_s=DEBOUNCE_S)
        # from before it was left: in doubt one job too many
        self._due_at[project] = now + DEBOUNCE_S

    def is_empty(self) -> bool:
        """Whether no job waits. Raises QueueUnavailable."""
        queue = self._queue
        with _named_errors():
            return queue.is_empty()

    def open(self) -> None:
        """Opens the queue now, for those who would rather know at once that it cannot be."""
        _ = self._queue

    def close(self) -> None:
        """Gives the connection back; the queue opens it again when it is needed."""
        if "_queue" in self.__dict__:
            self._queue.close()

    def consume(self, *, workers: int, stopping: Event) -> None:
        """Runs jobs until the process is told to stop; sets `stopping` then, and lets those that run end."""
        self._queue.consume(workers=workers, stopping=stopping)

    @cached_property
    def _queue(self) -> Queue:
        from backend.huey_queue import Queue  # status and versions ask for no job

        if self._bound is None:
            raise RuntimeError("bind() comes before consume()")
        run, tick = self._bound
        try:
            return Queue(
                folder=self._folder,
                redis_url=self._redis_url,
                database_url=self._database_url,
                run=run,
                tick=tick,
            )
        except (sqlite3.Error, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise QueueUnavailable(
                f"The queue of jobs cannot be opened: {reason}.",
                hint="Is REDIS_URL right? Without one the queue is in PostgreSQL, else the file jobs.db in "
                "DATA_DIR, which holds nothing that is not found again: move a damaged one away.",
            ) from error


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever Redis, PostgreSQL, SQLite or the network raise
        raise QueueUnavailable(
            f"The queue of jobs does not answer ({type(error).__name__}).",
            hint="Is Redis or PostgreSQL running and its address right, or has the disk of DATA_DIR space?",
        ) from error
