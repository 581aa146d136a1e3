"""What the stores have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.database import Database


class ProjectTable:
    """Rows of one project in one table; each method is a transaction of its own."""

    def __init__(self, database: Database, project_id: int) -> None:
        self._database = database
        self._project_id = project_id


def utc_now() -> datetime:
    """This moment as the database keeps moments: in UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
