"""Starts what a demonstration runs on: Label Studio, its projects, the backend and its worker, connected."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from demo.child_process import ProgramError, prefer_port
from demo.label_studio_server import (
    LABEL_STUDIO_VERSION,
    TEMPLATE_FOLDER,
    LabelStudioServer,
    require_label_studio,
)
from demo.processes import BackendProcesses
from demo.project import LabelingProject

LABEL_STUDIO_PORT = 8080
BACKEND_PORT = 9090


@dataclass(frozen=True, slots=True)
class Programs:
    """What runs, and the projects that are connected, in the order in which they were made."""

    label_studio: LabelStudioServer
    backend: BackendProcesses
    projects: Sequence[LabelingProject]


@contextmanager
def start_programs(
    folder: Path,
    console: Console,
    *,
    creating: str,
    create: Callable[[httpx.Client], Sequence[LabelingProject]],
) -> Iterator[Programs]:
    """The second step to the fifth, each said; whatever happens, everything is stopped on the way out.

    `create` makes the projects with their tasks; `creating` says so.
    """
    label_studio = LabelStudioServer(folder / "label-studio", port=prefer_port(LABEL_STUDIO_PORT))
    require_label_studio(label_studio.python)
    with ExitStack() as running:
        with step(
            console, "2/5", f"Starting Label Studio {LABEL_STUDIO_VERSION}{_first_start_note()}"
        ) as note:
            running.enter_context(label_studio)
            note(label_studio.url)
        with step(console, "3/5", creating) as note:
            projects = create(running.enter_context(label_studio.connect()))
            named = "project" if len(projects) == 1 else "projects"
            note(f"{named} {' and '.join(str(project.id) for project in projects)}")
        with step(console, "4/5", "Starting the backend and its worker") as note:
            backend = running.enter_context(_prepare_backend(folder / "backend", label_studio))
            note(backend.url)
        with step(console, "5/5", f"Connecting the {named}: the same command as for yours"):
            for project in projects:
                _connect(backend, project.id, console)
        yield Programs(label_studio, backend, projects)


def describe_ended(label_studio: LabelStudioServer, backend: BackendProcesses) -> str | None:
    """Which of the programs has ended, with its log; None while all run."""
    for child in (label_studio.child, backend.web, backend.worker):
        if not child.is_running:
            return f"{child.name} has ended.\n{child.describe_log()}"
    return None


class Note:
    """Takes the sentence that a step leaves behind."""

    text = "done"

    def __call__(self, text: str) -> None:
        """Takes it."""
        self.text = text


@contextmanager
def step(console: Console, number: str, title: str) -> Iterator[Note]:
    """Says that a step begins, and when it is done what it leaves behind and how long it took."""
    note = Note()
    started = time.monotonic()
    console.print(f"[bold cyan]{number}[/bold cyan] {title}", highlight=False)
    yield note
    console.print(f"    {note.text} [dim]({time.monotonic() - started:.1f} s)[/dim]", highlight=False)


def _prepare_backend(folder: Path, label_studio: LabelStudioServer) -> BackendProcesses:
    """The backend of a demonstration, its web process on the usual port where that is free."""
    return BackendProcesses(
        folder, label_studio_url=label_studio.url, api_key=label_studio.token, port=prefer_port(BACKEND_PORT)
    )


def _connect(backend: BackendProcesses, project_id: int, console: Console) -> None:
    """Runs the command that people run; raises ProgramError where it ends badly."""
    console.print(f"  [bold]$ nextlabel connect {project_id} --explain[/bold]")
    command = [sys.executable, "-m", "backend", "connect", str(project_id), "--explain"]
    done = subprocess.run(command, cwd=backend.folder, env=backend.terminal_environment(), check=False)
    if done.returncode != 0:
        raise ProgramError(f"`connect` ended with {done.returncode}.\n{backend.web.describe_log()}")


def _first_start_note() -> str:
    """What is said of Label Studio's start where it is the first one."""
    return "" if TEMPLATE_FOLDER.exists() else " (first start: about a minute)"
