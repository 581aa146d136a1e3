"""What the stores have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.database import Database

# The largest number that PostgreSQL's columns hold; SQLite fails on those of more than 63 bits.
_LARGEST = 2**31 - 1


class ProjectTable:
    """Rows of one project in one table; each method is a transaction of its own."""

    def __init__(self, database: Database, project_id: int) -> None:
        self._database = database
        self._project_id = project_id


def may_exist(number: int) -> bool:
    """Whether a row can have a number: people and programs ask for any."""
    return 1 <= number <= _LARGEST


def utc_now() -> datetime:
    """This moment as the database keeps moments: in UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
