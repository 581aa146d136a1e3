"""What people decided about a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from backend.database import Decision
from backend.store.table import ProjectTable, utc_now


class Decisions(ProjectTable):
    """Decisions in the order in which they were taken."""

    def add(self, kind: str, details: Mapping[str, object], *, by: str) -> None:
        """Writes a decision of this moment down."""
        with self._database.session() as session:
            session.add(new_decision(self._project_id, kind, details, by=by))

    def read_all(self) -> Sequence[Decision]:
        """Every decision, the oldest first."""
        with self._database.session() as session:
            return session.scalars(
                select(Decision).where(Decision.project_id == self._project_id).order_by(Decision.id)
            ).all()

    def newest(self, limit: int) -> Sequence[Decision]:
        """The last decisions, newest first."""
        with self._database.session() as session:
            return session.scalars(
                select(Decision)
                .where(Decision.project_id == self._project_id)
                .order_by(Decision.id.desc())
                .limit(limit)
            ).all()

    def moments(self, kind: str) -> Sequence[datetime]:
        """When each decision of a kind was taken."""
        with self._database.session() as session:
            return session.scalars(
                select(Decision.decided_at).where(
                    Decision.project_id == self._project_id, Decision.kind == kind
                )
            ).all()


def new_decision(project_id: int, kind: str, details: Mapping[str, object], *, by: str) -> Decision:
    """A decision of this moment that is not kept yet."""
    return Decision(
        project_id=project_id, decided_at=utc_now(), decided_by=by, kind=kind, details=dict(details)
    )
