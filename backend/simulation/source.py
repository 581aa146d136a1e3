"""Where a simulation takes its texts from: a file or a project."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from backend.context import Context
from backend.errors import BadRequest
from backend.simulation.answered import AnsweredTexts
from backend.simulation.answered_file import read_answered_file
from backend.simulation.projects import read_answered_project, read_project
from backend.simulation.rows import LabelledTexts, Wanted, read_labelled_file
from backend.terminal import plain


def read_source(context: Context, data: Path | None, project: int | None, wanted: Wanted) -> LabelledTexts:
    """Labelled texts of the file or the project; raises BadRequest unless it is one of them and enough."""
    if data is not None and project is None:
        texts = read_labelled_file(data, wanted)
    elif project is not None and data is None:
        texts = read_project(context, project)
    else:
        raise _one_of_them()
    texts.require_enough()
    return texts


def read_answered_source(
    context: Context, data: Path | None, project: int | None, wanted: Wanted, *, kind: str = ""
) -> AnsweredTexts:
    """Texts of the file or the project with answers to all of its questions that have enough of them.

    Raises BadRequest unless it is one of them, and where no question has enough.
    """
    if data is not None and project is None:
        texts = read_answered_file(data, wanted, kind=kind)
    elif project is not None and data is None:
        texts = read_answered_project(context, project)
    else:
        raise _one_of_them()
    one_choice = texts.one_choice()
    if one_choice is not None:
        one_choice.require_enough()
        return texts
    return texts.with_enough()


def say_notes(console: Console, texts: LabelledTexts | AnsweredTexts) -> None:
    """Says what was assumed and left out."""
    for note in texts.notes:
        console.print(plain(note), soft_wrap=True)


def _one_of_them() -> BadRequest:
    return BadRequest(
        "A simulation needs a file or a project, one of them.",
        hint="Run: nextlabel simulate labels FILE, or: nextlabel simulate labels --project NUMBER",
    )
