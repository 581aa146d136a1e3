"""Worker processes: their signs of life, and what the living do for the dead."""

from __future__ import annotations

import threading
import time

from backend.context import Context
from backend.workflows.project.hints import is_due, leave_hint, wake
from backend.workflows.project.lease import take_over
from backend.workflows.project.machine import this_process
from backend.workflows.project.parking import parked_until
from backend.workflows.project.silence import Silence
from backend.workflows.project.workspace import Workspace, connected_workspaces

_BEAT_S = 5.0
_FORGET_WORKER_S = 3600.0
# A job is looked at within two seconds, unless all workers are busy.
_LOST_S = 5.0
_SIGN_OF_LIFE = "sign of life"

# What page and command line say where none lives, and what cures it.
NO_WORKER = "no worker is alive: answers are kept, but nothing is learned from them"
START_A_WORKER = "nextlabel start"
HOW_TO_START_ONE = f"Run: {START_A_WORKER}"


def beat_forever(context: Context, stop: threading.Event) -> None:
    """Every few seconds: says that this worker lives, and looks for loops of dead ones and for lost jobs.

    Ends only when it is told to: while the database fails, it tries again.
    """
    name, silence = this_process(), Silence()
    while True:
        _beat(context, name)
        with context.survived.failures_of("taking loops over"):
            for workspace in (*take_over(context), *silence.take_over(context)):
                leave_hint(workspace, "timer")
        with context.survived.failures_of("asking for jobs that were lost"):
            _ask_again(context)
        if stop.wait(_BEAT_S):
            break
    with context.survived.failures_of(_SIGN_OF_LIFE):
        context.workers.forget(name)


def living_workers(context: Context) -> list[str]:
    """Names of the workers seen lately."""
    return context.workers.living(context.database.now())


def _beat(context: Context, name: str) -> None:
    failed_before = context.survived.is_failing(_SIGN_OF_LIFE)
    with context.survived.failures_of(_SIGN_OF_LIFE):
        now = context.database.now()
        failures = context.survived.count
        device = context.settings.device
        context.workers.see(name, now, forget_before=now - _FORGET_WORKER_S, failures=failures, device=device)
        if failed_before:
            # while the database failed, hints may have been lost
            for workspace in connected_workspaces(context):
                leave_hint(workspace, "timer")


def _ask_again(context: Context) -> None:
    """Leaves a job where hints wait, and none that would answer them.

    Redis that was started anew has lost all, and a worker that was killed the one that it had just taken.
    """
    for row in context.projects.overlooked(before=time.time() - _LOST_S):
        if not context.jobs.is_empty():
            return
        workspace = Workspace(context, row)
        if is_due(workspace) and parked_until(workspace) is None:
            wake(workspace)
