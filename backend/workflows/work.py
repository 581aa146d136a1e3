"""What the worker does: loops that are due, and the clock."""

from __future__ import annotations

import logging
import time

from sqlalchemy import select

from backend.context import Context
from backend.database import Project
from backend.errors import (
    BackendUnreachable,
    Busy,
    LabelStudioUnreachable,
    NextlabelError,
    NotConnected,
    NotFound,
)
from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.hints import forget_hints, is_due, last_hint, leave_hint
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Both, LogProgress, StoredProgress
from backend.workflows.project.workspace import Workspace

logger = logging.getLogger(__name__)

# After a failure the clock waits this long before it asks again.
_PATIENCE_S = 50.0


def run_pending(context: Context, project_id: int) -> None:
    """Runs loops of a project until no hint is left that is worth one."""
    while True:
        project = _read(context, project_id)
        if project is None or not project.connected or not is_due(context, project):
            return
        try:
            with lease(context, project_id):
                _run_once(context, project_id)
        except Busy:
            # whoever holds the lease looks at the hints again when he is done
            return
        except NextlabelError as error:
            logger.warning(
                "loop failed project=%s code=%s message=%s", project.label_studio_id, error.code, error
            )
            if isinstance(error, NotConnected | NotFound):
                # the project or our row in it is gone; /setup and `connect` bring it back
                _set_aside(context, project_id)
            if not isinstance(error, LabelStudioUnreachable | BackendUnreachable):
                # trying again in a minute would fail again: the timer looks later
                forget_hints(context, project, up_to=last_hint(context, project))
            return


def tick(context: Context) -> None:
    """Every minute: projects that nobody looked at for long get a hint, and due ones a job."""
    now = time.time()
    with context.database.session() as session:
        projects = session.scalars(select(Project).where(Project.connected)).all()
    for project in projects:
        age_s = now - project.last_looked_at
        if age_s >= project_settings(context, project).retrain_every_minutes * 60:
            leave_hint(context, project, "timer")
        elif age_s >= _PATIENCE_S and is_due(context, project):
            context.jobs.enqueue(project.id)


def _run_once(context: Context, project_id: int) -> None:
    project = _read(context, project_id)
    if project is None or not is_due(context, project):
        return
    stored = StoredProgress(context, project_id)
    try:
        _loop_and_tidy(context, project, stored)
    finally:
        stored.clear()


def _loop_and_tidy(workspace: Workspace, stored: StoredProgress) -> None:
    number = workspace.label_studio_id
    progress = Both(LogProgress(logger, number), stored)
    report = run_loop(workspace, reason="hints", progress=progress)
    logger.info("loop done project=%s outcome=%s version=%s", number, report.outcome, report.version)
    if report.outcome == "published":
        stored.stage("removing old predictions")
        swept = tidy(workspace)
        logger.info("swept project=%s predictions=%s", number, swept)


def _set_aside(context: Context, project_id: int) -> None:
    with context.database.session() as session:
        session.get_one(Project, project_id).connected = False


def _read(context: Context, project_id: int) -> Project | None:
    with context.database.session() as session:
        return session.get(Project, project_id)
