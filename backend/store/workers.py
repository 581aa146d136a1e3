"""When each worker process was last seen."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from backend.database import Database, Worker

# Seconds without a sign of life after which a worker counts as dead.
ALIVE_S = 30.0


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
            session.execute(delete(Worker).where(Worker.seen_at < forget_before))

    def forget(self, name: str) -> None:
        """Forgets a worker that has ended."""
        with self._database.session() as session:
            session.execute(delete(Worker).where(Worker.name == name))

    def forget_all(self) -> None:
        """Forgets all: those of a backup do not work with what is made of it."""
        with self._database.session() as session:
            session.execute(delete(Worker))

    def seen_since(self, moment: float) -> list[str]:
        """Names of the workers seen since."""
        with self._database.session() as session:
            return list(session.scalars(select(Worker.name).where(Worker.seen_at >= moment)))

    def has_quicker_since(self, moment: float) -> bool:
        """Whether a worker was seen since that encodes on something else than a CPU."""
        with self._database.session() as session:
            found = select(Worker.name).where(Worker.seen_at >= moment, Worker.device != "cpu").limit(1)
            return session.scalar(found) is not None

    def count_failures(self) -> int:
        """How often background threads of the workers failed and went on."""
        with self._database.session() as session:
            return session.scalar(select(func.coalesce(func.sum(Worker.failures), 0))) or 0
