"""Puts the demonstration up: Label Studio, two projects with tasks, the backend, its worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from demo.dataset import Document
from demo.label_studio_server import LabelStudioServer
from demo.processes import BackendProcesses
from demo.programs import describe_ended, start_programs, step
from demo.project import LabelingProject
from demo.quiz import INSTRUCTION, TITLE, load_questions, write_config
from demo.spells import INSTRUCTION as SPELLS_INSTRUCTION
from demo.spells import TITLE as SPELLS_TITLE
from demo.spells import Spell, load_spells, write_spell_config


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


@contextmanager
def set_stage(folder: Path, console: Console) -> Iterator[Stage]:
    """Start everything in order, saying each step; whatever happens, everything is stopped on the way out."""
    with step(console, "1/5", "Reading the texts (once: a download of 7 MB)") as note:
        documents = load_questions()
        without = sum(not document.has_label for document in documents)
        spells = load_spells()
        note(
            f"{len(documents)} quiz questions; no label of the project fits {without} of them. "
            f"{len(spells)} spells, with two questions about each"
        )
    with start_programs(
        folder,
        console,
        creating="Creating two projects and importing the tasks",
        create=lambda client: (create_project(client, documents), create_spell_project(client, spells)),
    ) as running:
        project, second = running.projects
        yield Stage(running.label_studio, running.backend, project, documents, second, spells)


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
