"""When each worker process was last seen."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, or_, select

from backend.database import Database, Worker

# Seconds without a sign of life after which a worker counts as dead.
ALIVE_S = 30.0
# By so many a sign of life may lie ahead of the moment that somebody else read: of one that lies further
# ahead the date was set back since.
_AHEAD_S = 5.0


class Workers:
    """Worker processes by name; moments are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(
        self, name: str, now: float, *, forget_before: float, failures: int = 0, device: str = "cpu"
    ) -> None:
        """Writes down that a worker lives, and forgets those not seen for long."""
        with self._database.session() as session:
            session.merge(Worker(name=name, seen_at=now, failures=failures, device=device))
            is_gone = or_(Worker.seen_at < forget_before, Worker.seen_at > now + _AHEAD_S)
            session.execute(delete(Worker).where(is_gone))

    def forget(self, name: str) -> None:
        """Forgets a worker that has ended."""
        with self._database.session() as session:
            session.execute(delete(Worker).where(Worker.name == name))

    def forget_all(self) -> None:
        """Forgets all: those of a backup do not work with what is made of it."""
        with self._database.session() as session:
            session.execute(delete(Worker))

    def living(self, now: float) -> list[str]:
        """Names of the workers seen lately."""
        with self._database.session() as session:
            return list(session.scalars(select(Worker.name).where(_lives(now))))

    def has_quicker(self, now: float) -> bool:
        """Whether a worker lives that encodes on something else than a CPU."""
        with self._database.session() as session:
            found = select(Worker.name).where(_lives(now), Worker.device != "cpu").limit(1)
            return session.scalar(found) is not None

    def count_failures(self) -> int:
        """How often background threads of the workers failed and went on."""
        with self._database.session() as session:
            return session.scalar(select(func.coalesce(func.sum(Worker.failures), 0))) or 0


def _lives(now: float) -> ColumnElement[bool]:
    return Worker.seen_at.between(now - ALIVE_S, now + _AHEAD_S)
