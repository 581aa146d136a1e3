"""The map of a project's pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Update, bindparam, delete, func, insert, select, update

from backend.database import Base, MapPoint, Task
from backend.store.table import ProjectTable

# As many as a browser moves smoothly.
MOST_POINTS = 100_000
# Of a confidence, as the map shows it.
SHOWN_DIGITS = 2


class MapPoints(ProjectTable):
    """One point a task, for a sample of the tasks."""

    def count(self) -> int:
        """How many there are."""
        with self._database.session() as session:
            return session.scalar(select(func.count()).where(MapPoint.project_id == self._project_id)) or 0

    def task_ids(self) -> list[int]:
        """The tasks that have a point, in order."""
        with self._database.session() as session:
            return list(
                session.scalars(
                    select(MapPoint.task_id)
                    .where(MapPoint.project_id == self._project_id)
                    .order_by(MapPoint.task_id)
                )
            )

    def replace(self, points: Iterable[tuple[int, float, float]]) -> None:
        """Draws another map in place of the last one: task id, x and y."""
        with self._database.session() as session:
            session.execute(delete(MapPoint).where(MapPoint.project_id == self._project_id))
            rows = [
                {"project_id": self._project_id, "task_id": task_id, "x": x, "y": y}
                for task_id, x, y in points
            ]
            if rows:
                session.execute(insert(MapPoint), rows)

    def write_beliefs(self, beliefs: Mapping[int, tuple[str, float]]) -> None:
        """Writes beside points what a version believes of their tasks: a label, and how sure it is.

        What is shown alike, in whole percent, is not written again.
        """
        known = self._shown_beliefs()
        rows = [
            {"of_task": task_id, "predicted": label, "confidence": confidence}
            for task_id, (label, confidence) in beliefs.items()
            if known.get(task_id) != (label, round(confidence, SHOWN_DIGITS))
        ]
        with self._database.session() as session:
            if rows:
                session.connection().execute(self._update(), rows)

    def _update(self) -> Update:
        """Past the ORM, which is slower for many rows."""
        points = Base.metadata.tables[MapPoint.__tablename__]
        mine = (points.c.project_id == self._project_id, points.c.task_id == bindparam("of_task"))
        changed: dict[str, Any] = {name: bindparam(name) for name in ("predicted", "confidence")}
        return update(points).where(*mine).values(changed)

    def _shown_beliefs(self) -> dict[int, tuple[str | None, float | None]]:
        with self._database.session() as session:
            rows = session.execute(
                select(MapPoint.task_id, MapPoint.predicted, MapPoint.confidence).where(
                    MapPoint.project_id == self._project_id
                )
            )
            return {
                task_id: (label, None if confidence is None else round(confidence, SHOWN_DIGITS))
                for task_id, label, confidence in rows
            }

    def read_with_tasks(self) -> Sequence[Any]:
        """Every point from left to right with what is known of its task."""
        with self._database.session() as session:
            return session.execute(
                select(
                    MapPoint.task_id,
                    MapPoint.x,
                    MapPoint.y,
                    MapPoint.predicted,
                    MapPoint.confidence,
                    Task.label,
                    Task.is_synthetic,
                    Task.outcome,
                    Task.flag,
                )
                .join(Task, (Task.project_id == MapPoint.project_id) & (Task.task_id == MapPoint.task_id))
                .where(MapPoint.project_id == self._project_id)
                .order_by(MapPoint.x)
            ).all()
