"""The history of a project: what each loop found, did and measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, select, update
from sqlalchemy.orm import Session

from backend.database import Loop
from backend.store.table import ProjectTable, may_exist, utc_now

# Outcomes of loops that did nothing, or nothing yet.
_QUIET = ("unchanged", "running")


class Loops(ProjectTable):
    """Loops by their number, which grows with time."""

    def begin(self, reason: str, *, interrupted: str) -> int:
        """A new row for a loop that begins, and its number; whatever still runs has failed: `interrupted`."""
        with self._database.session() as session:
            # we hold the lease: whoever began these was killed
            session.execute(
                update(Loop)
                .where(Loop.project_id == self._project_id, Loop.outcome == "running")
                .values(outcome="failed", error=interrupted)
            )
            loop = Loop(project_id=self._project_id, reason=reason, started_at=utc_now())
            session.add(loop)
            session.flush()
            return loop.id

    def end(
        self,
        loop_id: int,
        *,
        outcome: str,
        version: str | None,
        error: str | None,
        figures: dict[str, object],
    ) -> None:
        """Writes down how a loop ended."""
        with self._database.session() as session:
            loop = session.get_one(Loop, loop_id)
            loop.finished_at = utc_now()
            loop.outcome = outcome
            loop.version, loop.error = version, error
            loop.figures = figures

    def newest(self) -> Loop | None:
        """The last loop, which may still run."""
        with self._database.session() as session:
            return session.scalar(
                select(Loop).where(Loop.project_id == self._project_id).order_by(Loop.id.desc()).limit(1)
            )

    def numbers(self) -> dict[int, int]:
        """The place of every loop in its project, 1 for the first, by the loop's own number."""
        with self._database.session() as session:
            ids = session.scalars(
                select(Loop.id).where(Loop.project_id == self._project_id).order_by(Loop.id)
            )
            return {loop_id: number for number, loop_id in enumerate(ids, start=1)}

    def by_number(self, number: int) -> int | None:
        """The loop that has this place in its project; None where there is none."""
        if not may_exist(number):
            return None
        with self._database.session() as session:
            return session.scalar(
                select(Loop.id)
                .where(Loop.project_id == self._project_id)
                .order_by(Loop.id)
                .offset(number - 1)
                .limit(1)
            )

    def count_to(self, loop_id: int) -> int:
        """The place of a loop in its project, 1 for the first."""
        with self._database.session() as session:
            found = select(func.count()).where(Loop.project_id == self._project_id, Loop.id <= loop_id)
            return session.scalar(found) or 0

    def newest_ended(self) -> Any | None:
        """The last loop that ended, without its figures."""
        with self._database.session() as session:
            return session.execute(
                select(Loop.id, Loop.started_at, Loop.finished_at, Loop.outcome, Loop.error)
                .where(Loop.project_id == self._project_id, Loop.outcome != "running")
                .order_by(Loop.id.desc())
                .limit(1)
            ).first()

    def failing_since(self) -> datetime | None:
        """When the first of the failures since the last success began; None where the last loop succeeded."""
        with self._database.session() as session:
            mine = Loop.project_id == self._project_id
            well = select(func.max(Loop.id)).where(mine, Loop.outcome.not_in(("failed", "running")))
            return session.scalar(
                select(func.min(Loop.started_at)).where(
                    mine, Loop.outcome == "failed", Loop.id > func.coalesce(well.scalar_subquery(), 0)
                )
            )

    def all_eventful(self) -> Sequence[Loop]:
        """Every loop that did something, the oldest first."""
        with self._database.session() as session:
            return session.scalars(
                select(Loop)
                .where(Loop.project_id == self._project_id, Loop.outcome.not_in(_QUIET))
                .order_by(Loop.id)
            ).all()

    def newest_eventful(self, limit: int) -> Sequence[Loop]:
        """The last loops that did something, newest first."""
        with self._database.session() as session:
            return session.scalars(
                select(Loop)
                .where(Loop.project_id == self._project_id, Loop.outcome.not_in(_QUIET))
                .order_by(Loop.id.desc())
                .limit(limit)
            ).all()

    def published_version(self, loop_id: int) -> str | None:
        """The version that a loop published; None where it published none, or is another project's."""
        with self._database.session() as session:
            return session.scalar(
                select(Loop.version).where(
                    Loop.project_id == self._project_id, Loop.id == loop_id, Loop.outcome == "published"
                )
            )

    def published_versions(self) -> list[str | None]:
        """The version of each loop that published one, newest first; a version may come again."""
        with self._database.session() as session:
            return list(
                session.scalars(
                    select(Loop.version)
                    .where(
                        Loop.project_id == self._project_id,
                        Loop.outcome == "published",
                        Loop.version.is_not(None),
                    )
                    .order_by(Loop.id.desc())
                )
            )

    def publication_times(self) -> list[tuple[datetime, str]]:
        """When each loop that published a version was done, and that version, the oldest first."""
        with self._database.session() as session:
            rows = session.execute(
                select(Loop.finished_at, Loop.version)
                .where(
                    Loop.project_id == self._project_id,
                    Loop.outcome == "published",
                    Loop.finished_at.is_not(None),
                )
                .order_by(Loop.id)
            )
            return [(moment, str(version)) for moment, version in rows if moment is not None]

    def newest_published(self, limit: int) -> Sequence[Any]:
        """Version, times and figures of the last loops that published one, newest first."""
        with self._database.session() as session:
            return session.execute(
                select(Loop.version, Loop.finished_at, Loop.started_at, Loop.figures)
                .where(
                    Loop.project_id == self._project_id,
                    Loop.outcome == "published",
                    Loop.version.is_not(None),
                )
                .order_by(Loop.id.desc())
                .limit(limit)
            ).all()

    def newest_measured(self) -> Any | None:
        """Figures, version and times of the newest loop that measured signals."""
        with self._database.session() as session:
            return session.execute(
                select(Loop.figures, Loop.version, Loop.started_at, Loop.finished_at)
                .where(Loop.project_id == self._project_id, _figure(session, "signals").is_not(None))
                .order_by(Loop.id.desc())
                .limit(1)
            ).first()

    def newest_counted(self) -> dict[str, object] | None:
        """Figures of the newest loop that counted labels."""
        with self._database.session() as session:
            return session.scalar(
                select(Loop.figures)
                .where(Loop.project_id == self._project_id, _figure(session, "labels").is_not(None))
                .order_by(Loop.id.desc())
                .limit(1)
            )


def _figure(session: Session, name: str) -> ColumnElement[str | None]:
    """A figure of a loop as text. SQLite keeps damaged JSON, too, and fails on it; PostgreSQL keeps none."""
    figure: ColumnElement[str | None] = Loop.figures[name].as_string()
    if session.get_bind().dialect.name != "sqlite":
        return figure
    return case((func.json_valid(cast(Loop.figures, String)) == 1, figure), else_=None)
