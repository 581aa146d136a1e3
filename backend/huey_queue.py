"""Which library runs the jobs: Huey on SQLite or Redis, jobs as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from huey import RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from huey.registry import Message
from huey.serializer import Serializer
from redis import ConnectionPool

_NAME = "nextlabel"
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


class Queue:
    """Jobs that wait, on disk or in Redis. `run` gets a project's row id; `tick` is called every minute."""

    def __init__(
        self, *, folder: Path, redis_url: str, run: Callable[[int], None], tick: Callable[[], None]
    ) -> None:
        self._huey = _open_queue(folder, redis_url)
        self._loop = self._huey.task(name="loop")(lambda project: run(project))
        self._huey.periodic_task(crontab(minute="*"), name="tick")(lambda: tick())

    def schedule(self, project: int, *, delay_s: float) -> None:
        """Leaves a job that becomes due after a while."""
        self._loop.schedule((project,), delay=delay_s)

    def close(self) -> None:
        """Gives the connection back; it is opened again when it is needed."""
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
