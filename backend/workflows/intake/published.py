"""What is published: versions, and the places of the window."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.database import Loop, Task, WindowTask
from backend.workflows.project.workspace import Workspace


def published_versions(workspace: Workspace, *, limit: int) -> list[str]:
    """The versions published last, the active one first."""
    with workspace.database.session() as session:
        rows = session.scalars(
            select(Loop.version)
            .where(Loop.project_id == workspace.id, Loop.outcome == "published", Loop.version.is_not(None))
            .order_by(Loop.id.desc())
        )
        names = [workspace.state.active_version, *rows]
    return list(dict.fromkeys(name for name in names if name))[:limit]


def window_left(workspace: Workspace) -> list[int]:
    """Tasks of the active window that still wait, in order."""
    with workspace.database.session() as session:
        return list(
            session.scalars(
                select(WindowTask.task_id)
                .join(Task, (Task.project_id == WindowTask.project_id) & (Task.task_id == WindowTask.task_id))
                .where(
                    WindowTask.project_id == workspace.id,
                    WindowTask.version == workspace.state.active_version,
                    Task.is_labeled.is_(False),
                    Task.is_skipped.is_(False),
                )
                .order_by(WindowTask.position)
            )
        )


def next_position(workspace: Workspace) -> int:
    """The first free position behind the active window."""
    with workspace.database.session() as session:
        last = session.scalar(
            select(func.max(WindowTask.position)).where(
                WindowTask.project_id == workspace.id, WindowTask.version == workspace.state.active_version
            )
        )
    return 0 if last is None else last + 1
