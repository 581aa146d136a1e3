"""One loop per project at a time: a lease in the database that a dead process cannot keep."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.errors import Busy
from backend.store.projects import Projects
from backend.workflows.project.workspace import Workspace

# How long a command that somebody typed waits for a loop that is running.
PEOPLE_WAIT_S = 120.0

_LEASE_S = 30.0
_RENEW_S = 10.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class _Owner:
    host: str
    pid: int
    thread: int

    @classmethod
    def here(cls) -> _Owner:
        return cls(socket.gethostname(), os.getpid(), threading.get_ident())

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.thread}"


@contextmanager
def lease(workspace: Workspace, *, wait_s: float = 0.0) -> Iterator[None]:
    """Holds a project for one loop, and reads its row again: whoever held it may have changed it.

    Raises Busy when somebody else holds it for longer than `wait_s`.
    """
    projects, project_id = workspace.context.projects, workspace.id
    owner = str(_Owner.here())
    deadline = time.monotonic() + wait_s
    while not _acquire(projects, project_id, owner):
        if time.monotonic() >= deadline:
            raise Busy(
                "Another loop of this project is running.", hint="Wait for it: python -m backend status"
            )
        time.sleep(_POLL_S)
    stop = threading.Event()
    keeper = threading.Thread(target=_renew, args=(projects, project_id, owner, stop), daemon=True)
    keeper.start()
    try:
        workspace.refresh()
        yield
    finally:
        stop.set()
        keeper.join()
        projects.release_lease(project_id, owner)


def is_running(workspace: Workspace) -> bool:
    """Whether somebody holds the project's lease: a loop, or a person who changes its queue."""
    row = workspace.state
    return row.lease_owner is not None and row.lease_until >= time.time()


def _acquire(projects: Projects, project_id: int, owner: str) -> bool:
    row = projects.get(project_id)
    holder = None if row is None else row.lease_owner
    dead = holder if holder and _is_dead(holder) else None
    return projects.take_lease(project_id, owner, seconds=_LEASE_S, dead_owner=dead)


def _is_dead(holder: str) -> bool:
    """Whether the holder was a process of this very machine that is gone (killed in the middle of a loop)."""
    try:
        host, pid, _thread = holder.rsplit("/", 2)
        if host == socket.gethostname():
            os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError, OverflowError):  # not ours to ask, or named in another way
        return False
    return False


def _renew(projects: Projects, project_id: int, owner: str, stop: threading.Event) -> None:
    while not stop.wait(_RENEW_S):
        projects.renew_lease(project_id, owner, seconds=_LEASE_S)
