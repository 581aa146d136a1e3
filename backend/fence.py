"""Whoever lost a project writes nothing more for it, however late he wakes.

A process can be frozen between the question whether it still holds a project and its next write, for
longer than its lease lasts. So each transaction of a holder asks once more before it commits, with the row of
the project locked until it has: a lease needs a fence at the place that is written to (Kleppmann, "How to do
distributed locking", 2016).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from backend.errors import LeaseLost

_HELD: ContextVar[tuple[int, str] | None] = ContextVar("held", default=None)

_HOLDER = "SELECT lease_owner FROM projects WHERE id = :project"
# Nobody can take the project until the transaction has ended. One that has only read asks nothing: the lock
# would make PostgreSQL sync it to disk.
_HOLDER_ON_POSTGRESQL = f"{_HOLDER} AND pg_current_xact_id_if_assigned() IS NOT NULL FOR SHARE"


@contextmanager
def fenced(project: int, owner: str) -> Iterator[None]:
    """While the block runs, what this thread writes is refused once `owner` does not hold the project."""
    outer = _HELD.set((project, owner))
    try:
        yield
    finally:
        _HELD.reset(outer)


def check_fence(session: Session) -> None:
    """To be called before a transaction is committed. Raises LeaseLost where it is not to be."""
    held = _HELD.get()
    if held is None:
        return
    project, owner = held
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # who has written keeps all others from writing until he commits
        if not _has_written(connection):
            return
        statement = _HOLDER
    else:
        statement = _HOLDER_ON_POSTGRESQL
    row = connection.execute(text(statement), {"project": project}).first()
    if row is not None and row.lease_owner != owner:
        raise lease_lost()


def _has_written(connection: Connection) -> bool:
    driver = connection.connection.dbapi_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction


def lease_lost() -> LeaseLost:
    """What is said to whoever lost a project."""
    return LeaseLost(
        "Another worker took this project over, so nothing more was written.",
        hint="It looks at the same hints; see: nextlabel status",
    )
