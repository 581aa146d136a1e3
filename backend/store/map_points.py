"""The map of a project's pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select

from backend.database import MapPoint, Task
from backend.store.table import ProjectTable


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
            session.add_all(
                MapPoint(project_id=self._project_id, task_id=task_id, x=x, y=y) for task_id, x, y in points
            )

    def write_beliefs(self, beliefs: Mapping[int, tuple[str, float]]) -> None:
        """Writes beside points what a version believes of their tasks: a label, and how sure it is."""
        with self._database.session() as session:
            points = session.scalars(
                select(MapPoint).where(MapPoint.project_id == self._project_id).order_by(MapPoint.task_id)
            ).all()
            for point in points:
                if (belief := beliefs.get(point.task_id)) is not None:
                    point.predicted, point.confidence = belief

    def read_with_tasks(self, *, length: int) -> Sequence[Any]:
        """Every point from left to right with what is known of its task, and the beginning of its text."""
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
                    Task.shown,
                    func.substr(Task.content, 1, length).label("beginning"),
                )
                .join(Task, (Task.project_id == MapPoint.project_id) & (Task.task_id == MapPoint.task_id))
                .where(MapPoint.project_id == self._project_id)
                .order_by(MapPoint.x)
            ).all()
