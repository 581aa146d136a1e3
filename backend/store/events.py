"""Events of Label Studio as they arrive: each is on disk before it is answered, many in one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Table, bindparam, case, func, insert, select, update

from backend.database import Database, Hint, Project

_PROJECTS: Table = Project.metadata.tables[Project.__tablename__]
_HINTS: Table = Hint.metadata.tables[Hint.__tablename__]

# Made once: to build a statement takes longer than to run it.
_SEE = (
    update(_PROJECTS)
    .where(
        _PROJECTS.c.label_studio_id == bindparam("number"),
        _PROJECTS.c.created_stamp == bindparam("stamp"),
        _PROJECTS.c.connected,
    )
    .values(last_webhook_at=bindparam("moment"))
    .returning(_PROJECTS.c.id, _PROJECTS.c.overrides)
)
_FIRST_HINTS = (
    select(_HINTS.c.kind)
    .where(_HINTS.c.project_id == bindparam("project"))
    .order_by(_HINTS.c.id)
    .limit(bindparam("enough"))
    .subquery()
)
_WEIGH = select(func.count(), func.sum(case((_FIRST_HINTS.c.kind == "labels", 0), else_=1)))

# PostgreSQL's commit_delay: a commit takes some milliseconds, and costs the same for one event and for ten.
_GATHER_S = 0.002

_Rows: TypeAlias = dict[tuple[int, int], "Row[tuple[int, dict[str, Any]]] | None"]


@dataclass(frozen=True, slots=True)
class Event:
    """What arrived: a project's number and stamp, the kind of hint (None: nothing to do), and the moment."""

    number: int
    stamp: int
    kind: str | None
    moment: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of an event: the row of its project, and whether its request is to wake a worker.

    That is when the hints of the project are worth a loop; of the events that are written together, one does.
    """

    project: int
    wakes: bool


class _Waiting:
    """An event whose request waits until it is written, or until it is its turn to write for all who wait."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.is_written = False
        self.arrived: Arrived | None = None
        self.error: BaseException | None = None
        self.called = threading.Event()


class Events:
    """Takes events down. Those that arrive while others are written wait, and are then written together.

    The first who waits writes for all, as LevelDB's writers do: there is no thread whose end somebody must
    notice.
    """

    def __init__(self, database: Database, *, enough: Callable[[Mapping[str, object]], int]) -> None:
        """`enough` tells from a project's own settings how many labels are worth a loop."""
        self._database = database
        self._enough = enough
        self._guard = threading.Lock()
        self._is_writing = False
        self._last_count = 1
        self._waiting: list[_Waiting] = []

    def take(self, event: Event) -> Arrived | None:
        """Returns once the event is on disk; None where its project is not connected.

        Raises DatabaseUnavailable.
        """
        mine = _Waiting(event)
        with self._guard:
            self._waiting.append(mine)
            must_wait, self._is_writing = self._is_writing, True
        if must_wait:
            mine.called.wait()
        if not mine.is_written:
            self._write_all()
        if mine.error is not None:
            raise mine.error
        return mine.arrived

    def _write_all(self) -> None:
        """Writes what waits, and calls those who waited and the next who writes."""
        if len(self._waiting) < self._last_count:
            # of those who were just answered, many are about to come again
            time.sleep(_GATHER_S)
        with self._guard:
            batch, self._waiting = self._waiting, []
        self._last_count = len(batch)
        try:
            found = self._write([one.event for one in batch])
            for one, arrived in zip(batch, found, strict=True):
                one.arrived = arrived
        except BaseException as error:  # whatever it was: none of them is on disk
            for one in batch:
                one.error = error
            raise
        finally:
            with self._guard:
                following = self._waiting[:1]
                self._is_writing = bool(following)
            for one in batch:
                one.is_written = True
            for one in batch + following:
                one.called.set()

    def _write(self, events: Sequence[Event]) -> list[Arrived | None]:
        with self._database.durable() as connection:
            rows = _see_projects(connection, events)
            _append(connection, events, rows)
            connection.commit()
            # after the commit: of two processes that write at once, the later one sees the hints of both
            due = {
                row.id
                for row in rows.values()
                if row is not None and _is_due(connection, row.id, self._enough(row.overrides))
            }
        return _answers(events, rows, due)


def _see_projects(connection: Connection, events: Sequence[Event]) -> _Rows:
    """Writes down when each project last spoke; number and settings of its row, None where not connected."""
    last = {(event.number, event.stamp): event.moment for event in events}
    found: _Rows = {}
    # in one order, so that two processes never wait for each other
    for number, stamp in sorted(last):
        moment = last[number, stamp]
        seen = connection.execute(_SEE, {"number": number, "stamp": stamp, "moment": moment})
        found[number, stamp] = seen.first()
    return found


def _append(connection: Connection, events: Sequence[Event], rows: _Rows) -> None:
    hints = [
        {"project_id": row.id, "kind": event.kind, "created_at": event.moment}
        for event in events
        if event.kind is not None and (row := rows[event.number, event.stamp]) is not None
    ]
    if hints:
        connection.execute(insert(_HINTS), hints)


def _is_due(connection: Connection, project: int, enough: int) -> bool:
    """Whether a project's hints are worth a loop: one that is no label, or so many labels.

    The first so many tell, so that it costs the same however many wait.
    """
    count, others = connection.execute(_WEIGH, {"project": project, "enough": enough}).one()
    return bool(others) or count >= enough


def _answers(events: Sequence[Event], rows: _Rows, due: set[int]) -> list[Arrived | None]:
    """One for each event; of those of a project that is due, the first is to wake a worker."""
    found: list[Arrived | None] = []
    for event in events:
        row = rows[event.number, event.stamp]
        if row is None:
            found.append(None)
            continue
        wakes = event.kind is not None and row.id in due
        found.append(Arrived(row.id, wakes))
        if wakes:
            due.discard(row.id)
    return found
