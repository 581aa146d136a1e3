"""The places of the published queues, by version."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, select

from backend.database import Task, WindowTask
from backend.store.table import ProjectTable


class Windows(ProjectTable):
    """One window by version: which task stands at which place, and by which lane it came there."""

    def left(self, version: str | None, *, also: Collection[int] = ()) -> list[int]:
        """Tasks of a window that wait for their first answer, and those of `also`, in order."""
        with self._database.session() as session:
            rows = list(
                session.execute(
                    select(WindowTask.task_id, Task.outcome)
                    .join(
                        Task,
                        (Task.project_id == WindowTask.project_id) & (Task.task_id == WindowTask.task_id),
                    )
                    .where(
                        WindowTask.project_id == self._project_id,
                        WindowTask.version == version,
                        Task.is_labeled.is_(False),
                    )
                    .order_by(WindowTask.position)
                )
            )
        return [row.task_id for row in rows if not row.outcome or row.task_id in also]

    def of_lane(self, version: str | None, lane: str) -> set[int]:
        """Tasks that came into a window by a lane, whether they wait or not."""
        mine = select(WindowTask.task_id).where(
            WindowTask.project_id == self._project_id, WindowTask.version == version, WindowTask.lane == lane
        )
        with self._database.session() as session:
            return set(session.scalars(mine))

    def next_position(self, version: str) -> int:
        """The first free position behind a window."""
        with self._database.session() as session:
            last = session.scalar(
                select(func.max(WindowTask.position)).where(
                    WindowTask.project_id == self._project_id, WindowTask.version == version
                )
            )
        return 0 if last is None else last + 1

    def task_ids(self, version: str) -> set[int]:
        """All tasks of a window, whether they wait or not."""
        mine = select(WindowTask.task_id).where(
            WindowTask.project_id == self._project_id, WindowTask.version == version
        )
        with self._database.session() as session:
            return set(session.scalars(mine))

    def lines(self, version: str | None) -> dict[int, str]:
        """The lines of those tasks of a window that are still served and have no label."""
        rows = (
            select(WindowTask.task_id, WindowTask.line)
            .join(Task, (Task.project_id == WindowTask.project_id) & (Task.task_id == WindowTask.task_id))
            .where(
                WindowTask.project_id == self._project_id,
                WindowTask.version == version,
                Task.label.is_(None),
                Task.is_labeled.is_(False),
            )
        )
        with self._database.session() as session:
            return {row.task_id: row.line for row in session.execute(rows) if row.line}

    def add(self, version: str, places: Iterable[tuple[int, int, str, str]]) -> None:
        """Adds places to a window: position, task id, lane and line."""
        with self._database.session() as session:
            session.add_all(
                WindowTask(
                    project_id=self._project_id,
                    version=version,
                    task_id=task_id,
                    position=position,
                    lane=lane,
                    line=line,
                )
                for position, task_id, lane, line in places
            )

    def remove(self, version: str, task_ids: Collection[int]) -> None:
        """Takes some tasks out of a window."""
        with self._database.session() as session:
            session.execute(
                delete(WindowTask).where(
                    WindowTask.project_id == self._project_id,
                    WindowTask.version == version,
                    WindowTask.task_id.in_(task_ids),
                )
            )

    def clear(self, version: str) -> None:
        """Forgets the window of a version."""
        with self._database.session() as session:
            session.execute(
                delete(WindowTask).where(
                    WindowTask.project_id == self._project_id, WindowTask.version == version
                )
            )

    def keep_only(self, versions: Collection[str]) -> None:
        """Forgets the windows of all other versions."""
        with self._database.session() as session:
            session.execute(
                delete(WindowTask).where(
                    WindowTask.project_id == self._project_id, WindowTask.version.not_in(versions)
                )
            )
