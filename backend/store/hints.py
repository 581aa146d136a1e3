"""Hints that something may have changed in a project."""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from backend.database import Hint
from backend.store.table import ProjectTable

# By so many seconds the clocks of two machines may differ: a hint from further ahead was left while the date
# was, and says nothing of when it came.
_AHEAD_S = 60.0


class Hints(ProjectTable):
    """Hints that no loop has answered yet, by their number, which grows with time."""

    def add(self, kind: str) -> dict[str, int]:
        """Leaves a hint; returns how many of each kind wait now."""
        with self._database.session() as session:
            session.add(Hint(project_id=self._project_id, kind=kind, created_at=time.time()))
            session.flush()
            return self._count_kinds(session)

    def count_kinds(self) -> dict[str, int]:
        """How many of each kind wait."""
        with self._database.session() as session:
            return self._count_kinds(session)

    def count(self, kind: str | None = None) -> int:
        """How many wait, or how many of a kind."""
        query = select(func.count()).where(Hint.project_id == self._project_id)
        if kind is not None:
            query = query.where(Hint.kind == kind)
        with self._database.session() as session:
            return session.scalar(query) or 0

    def came_since(self, moment: float, *, but: Collection[str]) -> bool:
        """Whether one was left after a moment (seconds since 1970) that is of none of these kinds."""
        came = (Hint.created_at > moment, Hint.created_at <= time.time() + _AHEAD_S)
        mine = (Hint.project_id == self._project_id, *came, Hint.kind.not_in(but))
        with self._database.session() as session:
            return session.scalar(select(exists().where(*mine))) or False

    def newest(self) -> int:
        """Number of the newest hint, 0 without any: what a loop that starts now will have answered."""
        with self._database.session() as session:
            newest = session.scalar(select(func.max(Hint.id)).where(Hint.project_id == self._project_id))
        return newest or 0

    def forget(self, *, up_to: int, but: int = 0) -> None:
        """Takes away the hints that a loop has answered, `but` the newest so many, which it put off."""
        mine = (Hint.project_id == self._project_id, Hint.id <= up_to)
        put_off = select(Hint.id).where(*mine).order_by(Hint.id.desc()).limit(but)
        with self._database.session() as session:
            kept = session.scalars(put_off).all() if but else []
            session.execute(delete(Hint).where(*mine, Hint.id.not_in(kept)))

    def _count_kinds(self, session: Session) -> dict[str, int]:
        rows = session.execute(
            select(Hint.kind, func.count()).where(Hint.project_id == self._project_id).group_by(Hint.kind)
        )
        return {row[0]: row[1] for row in rows}
