"""Puts the demonstration up: Label Studio, two projects with tasks, the backend, its worker."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from demo.child_process import ProgramError, prefer_port
from demo.dataset import Document
from demo.label_studio_server import (
    LABEL_STUDIO_VERSION,
    TEMPLATE_FOLDER,
    LabelStudioServer,
    require_label_studio,
)
from demo.processes import BackendProcesses
from demo.project import LabelingProject
from demo.quiz import INSTRUCTION, TITLE, load_questions, write_config
from demo.spells import INSTRUCTION as SPELLS_INSTRUCTION
from demo.spells import TITLE as SPELLS_TITLE
from demo.spells import Spell, load_spells, write_spell_config

LABEL_STUDIO_PORT = 8080
BACKEND_PORT = 9090


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and the truth about the tasks: of the quiz, and of the spells."""

    label_studio: LabelStudioServer
    backend: BackendProcesses
    project: LabelingProject
    documents: Sequence[Document]
    spells: LabelingProject
    known_spells: Sequence[Spell]

    def find_spells(self) -> dict[int, Spell]:
        """The spell of every task of the second project, by task id."""
        known = {spell.key: spell for spell in self.known_spells}
        return {task["id"]: known[task["data"]["spell"]] for task in self.spells.fetch_tasks()}

    def find_answers(self) -> dict[int, str]:
        """The true label of every task that has one among the labels of the project, by task id."""
        known = {document.key: document.group for document in self.documents if document.has_label}
        keys = {task["id"]: task["data"]["document"] for task in self.project.fetch_tasks()}
        return {task_id: known[key] for task_id, key in keys.items() if key in known}

    def describe_failure(self) -> str | None:
        """Which of the programs has ended, with its log; None while all run."""
        return describe_ended(self.label_studio, self.backend)

    def describe_task(self, task: Mapping[str, Any]) -> str:
        """What people know a task by: the beginning of its text."""
        return f"{task['data']['text'][:26]}…"

    @property
    def more_lines(self) -> tuple[str, ...]:
        """What to look at beside the first project."""
        return (f"two questions  [bold]{self.label_studio.url}/projects/{self.spells.id}/data[/bold]",)


def describe_ended(label_studio: LabelStudioServer, backend: BackendProcesses) -> str | None:
    """Which of the programs has ended, with its log; None while all run."""
    for child in (label_studio.child, backend.web, backend.worker):
        if not child.is_running:
            return f"{child.name} has ended.\n{child.describe_log()}"
    return None


@contextmanager
def set_stage(folder: Path, console: Console) -> Iterator[Stage]:
    """Start everything in order, saying each step; whatever happens, everything is stopped on the way out."""
    with ExitStack() as running:
        with step(console, "1/5", "Reading the texts (once: a download of 7 MB)") as note:
            documents = load_questions()
            without = sum(not document.has_label for document in documents)
            spells = load_spells()
            note(
                f"{len(documents)} quiz questions; no label of the project fits {without} of them. "
                f"{len(spells)} spells, with two questions about each"
            )
        label_studio = LabelStudioServer(folder / "label-studio", port=prefer_port(LABEL_STUDIO_PORT))
        require_label_studio(label_studio.python)
        with step(
            console, "2/5", f"Starting Label Studio {LABEL_STUDIO_VERSION}{first_start_note()}"
        ) as note:
            running.enter_context(label_studio)
            note(label_studio.url)
        with step(console, "3/5", "Creating two projects and importing the tasks") as note:
            client = running.enter_context(label_studio.connect())
            project = create_project(client, documents)
            second = create_spell_project(client, spells)
            note(f"projects {project.id} and {second.id}")
        with step(console, "4/5", "Starting the backend and its worker") as note:
            backend = start_backend(folder / "backend", label_studio)
            running.enter_context(backend)
            note(backend.url)
        with step(console, "5/5", "Connecting the projects: the same command as for yours"):
            connect_project(backend, project.id, console)
            connect_project(backend, second.id, console)
        yield Stage(label_studio, backend, project, documents, second, spells)


def start_backend(folder: Path, label_studio: LabelStudioServer) -> BackendProcesses:
    """The backend of a demonstration, its web process on the usual port where that is free."""
    return BackendProcesses(
        folder, label_studio_url=label_studio.url, api_key=label_studio.token, port=prefer_port(BACKEND_PORT)
    )


def create_project(client: httpx.Client, documents: Sequence[Document]) -> LabelingProject:
    """The project of the demonstration, with instructions for people; not connected yet."""
    return LabelingProject.create(
        client,
        title=TITLE,
        label_config=write_config(),
        tasks=[{"text": document.text, "document": document.key} for document in documents],
        expert_instruction=INSTRUCTION,
        show_instruction=True,
    )


def create_spell_project(client: httpx.Client, spells: Sequence[Spell]) -> LabelingProject:
    """The second project of the demonstration, of two questions; not connected yet."""
    return LabelingProject.create(
        client,
        title=SPELLS_TITLE,
        label_config=write_spell_config(),
        tasks=[{"text": spell.text, "spell": spell.key} for spell in spells],
        expert_instruction=SPELLS_INSTRUCTION,
        show_instruction=True,
    )


def connect_project(backend: BackendProcesses, project_id: int, console: Console) -> None:
    """Runs the command that people run; raises ProgramError where it ends badly."""
    console.print(f"  [bold]$ nextlabel connect {project_id} --explain[/bold]")
    command = [sys.executable, "-m", "backend", "connect", str(project_id), "--explain"]
    done = subprocess.run(command, cwd=backend.folder, env=backend.terminal_environment(), check=False)
    if done.returncode != 0:
        raise ProgramError(f"`connect` ended with {done.returncode}.\n{backend.web.describe_log()}")


def first_start_note() -> str:
    """What is said of Label Studio's start where it is the first one."""
    return "" if TEMPLATE_FOLDER.exists() else " (first start: about a minute)"


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
