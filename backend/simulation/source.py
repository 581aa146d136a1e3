"""Where a simulation takes its texts from: a file or a project."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from backend.context import Context
from backend.errors import BadRequest
from backend.simulation.projects import read_project
from backend.simulation.rows import LabelledTexts, Wanted, read_labelled_file
from backend.terminal import plain


def read_source(context: Context, data: Path | None, project: int | None, wanted: Wanted) -> LabelledTexts:
    """Labelled texts of the file or the project; raises BadRequest unless it is one of them and enough."""
    if data is not None and project is None:
        texts = read_labelled_file(data, wanted)
    elif project is not None and data is None:
        texts = read_project(context, project)
    else:
        raise BadRequest(
            "A simulation needs a file or a project, one of them.",
            hint="Run: nextlabel simulate labels FILE, or: nextlabel simulate labels --project NUMBER",
        )
    texts.require_enough()
    return texts


def say_notes(console: Console, texts: LabelledTexts) -> None:
    """Says what was assumed and left out."""
    for note in texts.notes:
        console.print(plain(note), soft_wrap=True)
