"""What the worker does: loops that are due, and the clock."""

from __future__ import annotations

import logging
import time

from backend.context import Context
from backend.errors import (
    BackendUnreachable,
    Busy,
    LabelStudioUnreachable,
    NextlabelError,
    NotConnected,
    NotFound,
)
from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Both, LogProgress, StoredProgress
from backend.workflows.project.workspace import Workspace, connected_workspaces, read_workspace

logger = logging.getLogger(__name__)

# After a failure the clock waits this long before it asks again.
_PATIENCE_S = 50.0


def run_pending(context: Context, project_id: int) -> None:
    """Runs loops of a project until no hint is left that is worth one."""
    while True:
        workspace = read_workspace(context, project_id)
        if workspace is None or not workspace.state.connected or not is_due(workspace):
            return
        try:
            with lease(workspace):
                _run_once(workspace)
        except Busy:
            # whoever holds the lease looks at the hints again when he is done
            return
        except NextlabelError as error:
            number = workspace.label_studio_id
            logger.warning("loop failed project=%s code=%s message=%s", number, error.code, error)
            if isinstance(error, NotConnected | NotFound):
                # the project or our row in it is gone; /setup and `connect` bring it back
                workspace.change(connected=False)
            if not isinstance(error, LabelStudioUnreachable | BackendUnreachable):
                # trying again in a minute would fail again: the timer looks later
                workspace.hints.forget(up_to=workspace.hints.newest())
            return


def tick(context: Context) -> None:
    """Every minute: projects that nobody looked at for long get a hint, and due ones a job."""
    now = time.time()
    for workspace in connected_workspaces(context):
        age_s = now - workspace.state.last_looked_at
        if age_s >= workspace.settings.retrain_every_minutes * 60:
            leave_hint(workspace, "timer")
        elif age_s >= _PATIENCE_S and is_due(workspace):
            context.jobs.enqueue(workspace.id)


def _run_once(workspace: Workspace) -> None:
    if not is_due(workspace):
        return
    stored = StoredProgress(workspace)
    try:
        _loop_and_tidy(workspace, stored)
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
