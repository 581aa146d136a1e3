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
from backend.workflows.project.parking import parked_until
from backend.workflows.project.progress import Both, LogProgress, StoredProgress, UntilPublishing
from backend.workflows.project.registration import is_gone
from backend.workflows.project.turns import place, waiting
from backend.workflows.project.vector_upkeep import keep_vectors
from backend.workflows.project.workspace import Workspace, connected_workspaces, is_disconnected

logger = logging.getLogger(__name__)

# After a failure the clock waits this long before it asks again.
_PATIENCE_S = 50.0
# After so long a thread looks at the queue again.
_TURN_S = 20.0
# What a loop may raise beside our own errors; the worker goes on with other projects.
_UNFORESEEN = (
    *(OSError, ValueError, ArithmeticError, LookupError),
    *(TypeError, AttributeError, RuntimeError, MemoryError),
)


def run_pending(context: Context, project_id: int) -> None:
    """A worker's turn: runs loops of projects that are due until none is, and cleans up behind each.

    The one looked at longest ago comes first, whichever left the job: so all of them get as many turns. Ends
    after some seconds, so that the clock gets its turn too, and early once the process is to stop.
    """
    ends_at, failed = time.monotonic() + _TURN_S, set[int]()
    while not context.stopping.is_set() and _run_next(context, failed):
        if time.monotonic() >= ends_at:
            for workspace in waiting(context, but=failed):
                wake(workspace)
                break
            return


def _run_next(context: Context, failed: set[int]) -> bool:
    """Runs the loop that is due and was waited for longest; False where there is none that may run.

    Whose loop fails, or is somebody else's, joins `failed`.
    """
    for workspace in waiting(context, but=failed):
        with log_scope(project=workspace.label_studio_id), place(workspace) as is_free:
            if not is_free:
                continue
            if not _run_and_clean_up(workspace):
                failed.add(workspace.id)
            return True
    return False


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
    except _UNFORESEEN as error:
        _log_failure(workspace, "unforeseen", unforeseen(error))
        return False
    return True


def tick(context: Context) -> None:
    """Every minute: projects that nobody looked at for long get a hint, and due ones a job."""
    now = time.time()
    for workspace in connected_workspaces(context):
        with context.survived.failures_of(f"the clock of project {workspace.label_studio_id}"):
            _ask_for_loop(workspace, now)
    with context.survived.failures_of("keeping vectors in order"):
        keep_vectors(context)


def _ask_for_loop(workspace: Workspace, now: float) -> None:
    age_s = now - workspace.state.last_looked_at
    if age_s < 0:
        # the clock was set back
        workspace.change(last_looked_at=0.0)
        age_s = now
    if age_s < _PATIENCE_S or parked_until(workspace) is not None:
        return
    if is_due(workspace):
        wake(workspace)
    elif age_s >= workspace.settings.retrain_every_minutes * 60 or _has_pictures_to_try(workspace, now):
        leave_hint(workspace, "timer")


def hand_over(context: Context) -> None:
    """What a worker does last: gives back what it holds, and asks whoever comes next for what is due."""
    with context.survived.failures_of("handing over"):
        give_back(context)
        for workspace in connected_workspaces(context):
            if is_due(workspace):
                wake(workspace)


def _has_pictures_to_try(workspace: Workspace, now: float) -> bool:
    """Whether a picture that could not be read is to be tried again."""
    at = workspace.pictures.next_retry(now=now)
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
