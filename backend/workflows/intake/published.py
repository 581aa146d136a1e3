"""What is published: versions, and the places of the window."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.context import Context
from backend.database import Loop, Project, Task, WindowTask


def published_versions(context: Context, project: Project, *, limit: int) -> list[str]:
    """The versions published last, the active one first."""
    with context.database.session() as session:
        rows = session.scalars(
            select(Loop.version)
            .where(Loop.project_id == project.id, Loop.outcome == "published", Loop.version.is_not(None))
            .order_by(Loop.id.desc())
        )
        names = [project.active_version, *rows]
    return list(dict.fromkeys(name for name in names if name))[:limit]


def window_left(context: Context, project: Project) -> list[int]:
    """Tasks of the active window that still wait, in order."""
    with context.database.session() as session:
        return list(
            session.scalars(
                select(WindowTask.task_id)
                .join(Task, (Task.project_id == WindowTask.project_id) & (Task.task_id == WindowTask.task_id))
                .where(
                    WindowTask.project_id == project.id,
                    WindowTask.version == project.active_version,
                    Task.is_labeled.is_(False),
                    Task.is_skipped.is_(False),
                )
                .order_by(WindowTask.position)
            )
        )


def next_position(context: Context, project: Project) -> int:
    """The first free position behind the active window."""
    with context.database.session() as session:
        last = session.scalar(
            select(func.max(WindowTask.position)).where(
                WindowTask.project_id == project.id, WindowTask.version == project.active_version
            )
        )
    return 0 if last is None else last + 1
