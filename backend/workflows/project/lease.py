"""One loop per project at a time: a lease in the database that a dead process cannot keep."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from backend.context import Context
from backend.errors import Busy, LeaseLost
from backend.fence import fenced, lease_lost
from backend.store.projects import Projects
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.machine import this_machine, this_process, this_thread
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace, is_disconnected

# How long a command that somebody typed waits for a loop that is running.
PEOPLE_WAIT_S = 120.0

# Of a dead holder on another machine: within half a minute somebody else goes on with its loop.
_LEASE_S = 20.0
_RENEW_S = 5.0
_POLL_S = 0.2


@contextmanager
def lease(workspace: Workspace, *, wait_s: float = 0.0, progress: Progress | None = None) -> Iterator[None]:
    """Holds a project for one loop, and reads its row again: whoever held it may have changed it.

    `progress` is told when somebody else has to be waited for. Raises Busy when somebody else holds it for
    longer than `wait_s`.
    """
    context, project_id = workspace.context, workspace.id
    projects = context.projects
    owner = this_thread()
    deadline = time.monotonic() + wait_s
    while not _acquire(projects, project_id, owner):
        if time.monotonic() >= deadline:
            raise Busy("Another loop of this project is running.", hint="Wait for it: nextlabel status")
        if progress is not None:
            progress.stage("waiting for a loop of this project to end")
            progress = None
        time.sleep(_POLL_S)
    stop = threading.Event()
    keeper = threading.Thread(target=_renew, args=(context, project_id, owner, stop), daemon=True)
    keeper.start()
    try:
        workspace.refresh()
        with fenced(project_id, owner):
            yield
    except LeaseLost:
        # what it had just asked of Label Studio may have come after the writes of whoever took over
        with context.survived.failures_of("asking for another look"):
            if not is_disconnected(workspace):
                leave_hint(workspace, "timer")
        raise
    finally:
        stop.set()
        keeper.join()
        with context.survived.failures_of("giving a project back"):
            projects.release_lease(project_id, owner)


def check_lease(workspace: Workspace) -> None:
    """Called by the holder before it writes. Raises LeaseLost when somebody else took the project over."""
    owner = this_thread()
    if not workspace.context.projects.renew_lease(workspace.id, owner, seconds=_LEASE_S):
        raise lease_lost()


def is_held_by_another(workspace: Workspace) -> bool:
    """Whether somebody else than this thread holds the project at this moment."""
    workspace.refresh()
    return is_running(workspace) and workspace.state.lease_owner != this_thread()


def take_over(context: Context) -> list[Workspace]:
    """Frees the projects whose holders have died or were not heard of in time, and returns them."""
    projects, freed = context.projects, []
    for row in projects.held():
        holder, until = str(row.lease_owner), row.lease_until
        is_over = _is_dead(holder) or not projects.is_live(until)
        if is_over and projects.break_lease(row.id, holder, until=until):
            freed.append(Workspace(context, row))
    return freed


def give_back(context: Context) -> None:
    """Frees what threads of this process hold, which then write nothing more: it is about to end."""
    ours = f"{this_process()}/"
    for row in context.projects.held():
        if str(row.lease_owner).startswith(ours):
            context.projects.release_lease(row.id, str(row.lease_owner))


def is_running(workspace: Workspace) -> bool:
    """Whether somebody holds the project's lease: a loop, or a person who changes its queue."""
    row = workspace.state
    if row.lease_owner is None:
        return False
    return workspace.context.projects.is_live(row.lease_until)


def _acquire(projects: Projects, project_id: int, owner: str) -> bool:
    holder = projects.read(project_id).lease_owner
    dead = holder if holder and _is_dead(holder) else None
    return projects.take_lease(project_id, owner, seconds=_LEASE_S, dead_owner=dead)


def _is_dead(holder: str) -> bool:
    """Whether the holder was a process of this very machine that is gone (killed in the middle of a loop)."""
    try:
        host, pid, _thread = holder.rsplit("/", 2)
        if host == this_machine():
            os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError, OverflowError):  # not ours to ask, or named in another way
        return False
    return False


def _renew(context: Context, project_id: int, owner: str, stop: threading.Event) -> None:
    while not stop.wait(_RENEW_S):
        with context.survived.failures_of("keeping a project"):
            context.projects.renew_lease(project_id, owner, seconds=_LEASE_S)
