"""What the worker does: loops that are due, and the clock."""

from __future__ import annotations

import logging
import time

from backend.context import Context
from backend.errors import Busy, NextlabelError, NotConnected, NotFound, RowGone, UnsupportedConfig
from backend.log_fields import log_scope
from backend.tracing import span
from backend.workflows.loop import HINTS, run_loop, tidy
from backend.workflows.project.failures import unforeseen
from backend.workflows.project.hints import is_due, leave_hint, wake
from backend.workflows.project.lease import give_back, lease
from backend.workflows.project.progress import Both, LogProgress, StoredProgress, UntilPublishing
from backend.workflows.project.registration import is_gone
from backend.workflows.project.vector_upkeep import keep_vectors
from backend.workflows.project.workspace import (
    Workspace,
    connected_workspaces,
    is_disconnected,
    read_workspace,
)

logger = logging.getLogger(__name__)

# After a failure the clock waits this long before it asks again.
_PATIENCE_S = 50.0


def run_pending(context: Context, project_id: int) -> None:
    """Runs loops of a project until no hint is left that is worth one, and cleans up behind them.

    Ends early once the process is to stop, at a place where the next loop can begin anew.
    """
    while not context.stopping.is_set():
        workspace = read_workspace(context, project_id)
        if workspace is None or not workspace.state.connected or not is_due(workspace):
            return
        with log_scope(project=workspace.label_studio_id):
            if not _run_and_clean_up(workspace):
                return


def _run_and_clean_up(workspace: Workspace) -> bool:
    """Whether all went well, so that the hints are to be looked at again."""
    seen = workspace.hints.newest()
    try:
        with lease(workspace):
            _run_once(workspace)
        # without the lease: people may press buttons meanwhile
        _clean_up(workspace)
    except Busy:
        # whoever holds the lease looks at the hints again when he is done
        return False
    except NextlabelError as error:
        if is_disconnected(workspace):
            logger.info("loop ended project=%s: it was disconnected", workspace.label_studio_id)
            workspace.hints.forget(up_to=seen)
            return False
        _log_failure(workspace, error.code, error.message)
        _take_failure(workspace, error, seen=seen)
        return False
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        _log_failure(workspace, "unforeseen", unforeseen(error))
        return False
    return True


def tick(context: Context) -> None:
    """Every minute: projects that nobody looked at for long get a hint, and due ones a job."""
    now = time.time()
    for workspace in connected_workspaces(context):
        with context.survived.failures_of(f"the clock of project {workspace.label_studio_id}"):
            age_s = now - workspace.state.last_looked_at
            if age_s >= workspace.settings.retrain_every_minutes * 60:
                leave_hint(workspace, "timer")
            elif age_s >= _PATIENCE_S and is_due(workspace):
                wake(workspace)
            elif age_s >= _PATIENCE_S and _has_pictures_to_try(workspace, now):
                leave_hint(workspace, "timer")
    with context.survived.failures_of("keeping vectors in order"):
        keep_vectors(context)


def hand_over(context: Context) -> None:
    """What a worker does last: gives back what it holds, and asks whoever comes next for what is due."""
    with context.survived.failures_of("handing over"):
        give_back(context)
        for workspace in connected_workspaces(context):
            if is_due(workspace):
                wake(workspace)


def _has_pictures_to_try(workspace: Workspace, now: float) -> bool:
    """Whether a picture that could not be read is to be tried again."""
    at = workspace.pictures.next_retry()
    return at is not None and at <= now


def _log_failure(workspace: Workspace, code: str, message: str) -> None:
    logger.warning("loop failed project=%s code=%s message=%s", workspace.label_studio_id, code, message)


def _take_failure(workspace: Workspace, error: NextlabelError, *, seen: int) -> None:
    """Keeps the hints for the clock's next try, unless only a change in Label Studio can help."""
    if isinstance(error, RowGone):
        return
    if isinstance(error, NotConnected | NotFound):
        if not _ask_whether_gone(workspace):
            return
        # /setup and `connect` bring it back
        workspace.change(connected=False)
    elif not isinstance(error, UnsupportedConfig):
        return
    workspace.hints.forget(up_to=seen)


def _ask_whether_gone(workspace: Workspace) -> bool:
    remote = workspace.context.label_studio()
    try:
        return is_gone(workspace, remote)
    finally:
        remote.close()


def _run_once(workspace: Workspace) -> None:
    # whoever held the project until now may have disconnected it
    if not workspace.state.connected or not is_due(workspace):
        return
    number, stored = workspace.label_studio_id, StoredProgress(workspace)
    progress = UntilPublishing(Both(LogProgress(logger, number), stored), workspace.context.stopping)
    try:
        with span("loop", project=number):
            report = run_loop(workspace, reason=HINTS, progress=progress)
    finally:
        stored.clear()
    logger.info("loop done project=%s outcome=%s version=%s", number, report.outcome, report.version)


def _clean_up(workspace: Workspace) -> None:
    swept = tidy(workspace)
    if swept:
        logger.info("swept project=%s predictions=%s", workspace.label_studio_id, swept)
