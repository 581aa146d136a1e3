"""Puts the demonstration on pictures up: Label Studio, a project with uploads, the backend, its worker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from demo.emoji import INSTRUCTION, TITLE, TO_NAME, Emoji, load_emoji, write_config
from demo.label_studio_server import LabelStudioServer
from demo.processes import BackendProcesses
from demo.programs import describe_ended, start_programs, step
from demo.project import LabelingProject

# Label Studio writes eight digits and a dash before the name of an uploaded file.
_UPLOADED = re.compile(r"/[0-9a-f]{8}-(?P<key>[^/]+)\.png$")


@dataclass(frozen=True, slots=True)
class PictureStage:
    """Everything that runs, and the truth about the tasks."""

    label_studio: LabelStudioServer
    backend: BackendProcesses
    project: LabelingProject
    pictures: Sequence[Emoji]

    def find_answers(self) -> dict[int, str]:
        """The true label of every task that has one among the labels of the project, by task id."""
        known = {emoji.key: emoji.group for emoji in self.pictures if emoji.has_label}
        keys = {task["id"]: self.describe_task(task) for task in self.project.fetch_tasks()}
        return {task_id: known[key] for task_id, key in keys.items() if key in known}

    def describe_failure(self) -> str | None:
        """Which of the programs has ended, with its log; None while all run."""
        return describe_ended(self.label_studio, self.backend)

    def describe_task(self, task: Mapping[str, Any]) -> str:
        """What people know a task by: the name of its picture."""
        address = str(task["data"]["image"])
        found = _UPLOADED.search(address)
        if found is None:
            raise ValueError(f"{address} is not the address of an uploaded picture")
        return found["key"]

    @property
    def more_lines(self) -> tuple[str, ...]:
        """What to look at beside the first project: nothing."""
        return ()


@contextmanager
def set_picture_stage(folder: Path, console: Console) -> Iterator[PictureStage]:
    """Start everything in order, saying each step; whatever happens, everything is stopped on the way out."""
    with step(console, "1/5", "Reading the pictures (once: a download of 10 MB)") as note:
        pictures = load_emoji()
        without = sum(not emoji.has_label for emoji in pictures)
        note(f"{len(pictures)} emoji; no label of the project fits {without} of them")
    with start_programs(
        folder,
        console,
        creating="Creating a project and uploading the pictures",
        create=lambda client: (create_picture_project(client, pictures),),
    ) as running:
        (project,) = running.projects
        yield PictureStage(running.label_studio, running.backend, project, pictures)


def create_picture_project(client: httpx.Client, pictures: Sequence[Emoji]) -> LabelingProject:
    """The project of the demonstration, with instructions for people; not connected yet."""
    made = LabelingProject.create(
        client,
        title=TITLE,
        label_config=write_config(),
        tasks=[],
        expert_instruction=INSTRUCTION,
        show_instruction=True,
    )
    project = LabelingProject(client, made.id, to_name=TO_NAME)
    project.upload({f"{emoji.key}.png": emoji.picture for emoji in pictures})
    return project
