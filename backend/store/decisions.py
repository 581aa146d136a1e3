"""What people decided about a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from backend.database import Database, Decision, Project
from backend.store.table import ProjectTable, utc_now

# What people did that decides nothing about labels or order: kept for `audit` alone.
ACTS = frozenset({"connected", "disconnected", "loop-asked", "loop-run", "published", "tab-made"})


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
                select(Decision)
                .where(Decision.project_id == self._project_id, Decision.kind.not_in(ACTS))
                .order_by(Decision.id)
            ).all()

    def newest(self, limit: int) -> Sequence[Decision]:
        """The last decisions, newest first."""
        with self._database.session() as session:
            return session.scalars(
                select(Decision)
                .where(Decision.project_id == self._project_id, Decision.kind.not_in(ACTS))
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


def newest_acts(
    database: Database, limit: int, *, label_studio_id: int | None = None
) -> list[tuple[Decision, Project]]:
    """What people did, decisions among it, newest first, of all projects or of those that had one number."""
    query = select(Decision, Project).join(Project, Project.id == Decision.project_id)
    if label_studio_id is not None:
        query = query.where(Project.label_studio_id == label_studio_id)
    with database.session() as session:
        rows = session.execute(query.order_by(Decision.id.desc()).limit(limit))
        return [(decision, project) for decision, project in rows]


def new_decision(project_id: int, kind: str, details: Mapping[str, object], *, by: str) -> Decision:
    """A decision of this moment that is not kept yet."""
    return Decision(
        project_id=project_id, decided_at=utc_now(), decided_by=by, kind=kind, details=dict(details)
    )
