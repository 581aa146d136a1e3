"""Which library runs the jobs: Huey on Redis, PostgreSQL or SQLite, jobs as JSON."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event

import psycopg
from huey import PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import PostgresStorage
from redis import ConnectionPool

from backend.postgres import connect, is_postgresql, turn_key

_NAME = "nextlabel"
# Its tables in PostgreSQL are jobs_task, jobs_schedule and so on.
_TABLES = "jobs"
# A loop that has begun to publish ends within this time; Kubernetes kills after 30 s.
STOP_S = 20.0
_CHECK_S = 10.0
_POLL_S = 0.2
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# While nothing answers, a worker asks ten times a second, and the library logs a traceback each time.
_UNANSWERED = "Error "
_SAID_AGAIN_S = 60.0
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


class _NowAndThen(logging.Filter):
    """Lets a failure that repeats itself through once a minute, as one line without its traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be logged."""
        kind = record.exc_info[0] if record.exc_info else None
        if kind is None or not record.msg.startswith(_UNANSWERED):
            return True
        now = time.monotonic()
        if now < self._said_at.get(record.msg, -_SAID_AGAIN_S) + _SAID_AGAIN_S:
            return False
        self._said_at[record.msg] = now
        record.msg, record.args = "%s error=%s", (record.getMessage(), kind.__name__)
        record.exc_info = None
        return True


class Queue:
    """Jobs that wait, where all who run them find them.

    `run` gets a project's row id; `tick` is called every minute.
    """

    def __init__(
        self,
        *,
        folder: Path,
        redis_url: str,
        database_url: str,
        run: Callable[[int], None],
        tick: Callable[[], None],
    ) -> None:
        """Jobs are in Redis where there is one, else in PostgreSQL, else in a file of the folder.

        So machines that share a database always share its jobs.
        """
        self._huey = _open_queue(folder, redis_url, database_url)
        self._loop = self._huey.task(name="loop")(lambda project: run(project))
        self._huey.periodic_task(crontab(minute="*"), name="tick")(lambda: tick())

    def schedule(self, project: int, *, delay_s: float) -> None:
        """Leaves a job that becomes due after a while."""
        self._loop.schedule((project,), delay=delay_s)

    def is_empty(self) -> bool:
        """Whether no job waits, for its turn or for its moment."""
        return not (self._huey.pending_count() or self._huey.scheduled_count())

    def close(self) -> None:
        """Gives the connection back; it is opened again when it is needed."""
        self._huey.storage.close()

    def consume(self, *, workers: int, stopping: Event) -> None:
        """Runs jobs until the process is told to stop; sets `stopping` then, and lets those that run end.

        They have as long as whoever stops us waits; a second signal ends everything at once.
        """
        consumer = self._huey.create_consumer(
            workers=workers,
            worker_type="thread",
            initial_delay=0.1,
            max_delay=0.2,
            scheduler_interval=1,
            shutdown_timeout=STOP_S,
        )
        failures = _NowAndThen()
        for process in (consumer.worker_class, consumer.scheduler_class):
            logging.getLogger(f"huey.consumer.{process.process_name}").addFilter(failures)
        consumer.start()
        told = _listen_for_signals()
        checked = time.monotonic()
        while not told:
            time.sleep(_POLL_S)
            if time.monotonic() - checked > _CHECK_S:
                checked = time.monotonic()
                consumer.check_worker_health()
        stopping.set()
        consumer.stop(graceful=True)


def _listen_for_signals() -> list[int]:
    """Holds a signal once one came. A handler must not touch an event that its own thread may wait for."""
    told: list[int] = []

    def take(number: int, _frame: object) -> None:
        if told:
            raise KeyboardInterrupt
        told.append(number)

    for number in _SIGNALS:
        signal.signal(number, take)
    return told


def _open_queue(folder: Path, redis_url: str, database_url: str) -> Huey:
    options = {"results": False, "serializer": JsonSerializer(), "utc": True}
    if redis_url:
        pool = ConnectionPool.from_url(redis_url, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S)
        return RedisHuey(_NAME, connection_pool=pool, **options)
    if is_postgresql(database_url):
        _make_tables(database_url)
        opened = partial(connect, database_url)
        return PostgresHuey(_NAME, connection=opened, table_prefix=_TABLES, create_tables=False, **options)
    folder.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(_NAME, filename=str(folder / "jobs.db"), **options)


def _make_tables(database_url: str) -> None:
    """Two processes that make the same table at once would disturb each other, "if not exists" or not."""
    storage = PostgresStorage(_NAME, table_prefix=_TABLES, create_tables=False)
    try:
        with connect(database_url) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [turn_key("jobs")])
            for statement in storage.ddl:
                connection.execute(statement)
    except psycopg.Error as error:
        raise ConnectionError(str(error)) from error
