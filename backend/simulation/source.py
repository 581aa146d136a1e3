"""Where a simulation takes its texts and pictures from: a file, a folder or a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from backend.context import Context
from backend.errors import BadRequest
from backend.simulation.answered import AnsweredTexts
from backend.simulation.answered_file import read_answered_file
from backend.simulation.local_files import LocalFiles
from backend.simulation.projects import read_answered_project, read_project
from backend.simulation.rows import LabelledTexts, Wanted, read_labelled_file
from backend.simulation.seen import Row, see_rows
from backend.simulation.sourced_rows import SourcedText, read_sourced_file, require_both
from backend.terminal import plain
from backend.workflows.project.progress import Progress


def read_source(
    context: Context, data: Path | None, project: int | None, wanted: Wanted, progress: Progress
) -> LabelledTexts:
    """Labelled texts and pictures of the file or the project; pictures are encoded on the way.

    Raises BadRequest unless it is one of them and there is enough.
    """
    if data is not None and project is None:
        texts = read_labelled_file(data, wanted)
    elif project is not None and data is None:
        texts = read_project(context, project)
    else:
        raise _one_of_them()
    rows, left_out = _see(context, data, texts.name, texts.rows, progress)
    texts = replace(texts, rows=rows, notes=_and(texts.notes, left_out))
    texts.require_enough()
    return texts


def read_answered_source(
    context: Context,
    data: Path | None,
    project: int | None,
    wanted: Wanted,
    progress: Progress,
    *,
    kind: str = "",
) -> AnsweredTexts:
    """Texts and pictures of the file or the project, with answers to all questions that have enough of them.

    Pictures are encoded on the way. Raises BadRequest unless it is one of them, and where no question has
    enough.
    """
    if data is not None and project is None:
        texts = read_answered_file(data, wanted, kind=kind)
    elif project is not None and data is None:
        texts = read_answered_project(context, project)
    else:
        raise _one_of_them()
    rows, left_out = _see(context, data, texts.name, texts.rows, progress)
    told = " ".join(_and((texts.left_out,) if texts.left_out else (), left_out))
    texts = replace(texts, rows=rows, notes=_and(texts.notes, left_out), left_out=told)
    one_choice = texts.one_choice()
    if one_choice is not None:
        one_choice.require_enough()
        return texts
    return texts.with_enough()


def read_sourced_source(
    context: Context, data: Path, wanted: Wanted, progress: Progress
) -> tuple[list[SourcedText], tuple[str, ...]]:
    """Real and synthetic rows of a file or a folder, and sentences about what was assumed and left out.

    Pictures are encoded on the way. Raises as `read_sourced_file` does.
    """
    found, notes = read_sourced_file(data, wanted)
    rows, left_out = _see(context, data, data.name, found, progress)
    require_both(data, rows)
    return rows, _and(notes, left_out)


def _see(
    context: Context, data: Path | None, name: str, rows: Sequence[Row], progress: Progress
) -> tuple[list[Row], str]:
    """Rows whose pictures are read and encoded, and a sentence about those whose pictures cannot be read."""
    if not any(any(row.pictures) for row in rows):
        return list(rows), ""
    if data is not None:
        files = LocalFiles(data if data.is_dir() else data.parent)
        kept, left_out = see_rows(context, rows, files, progress)
    else:
        with context.media() as fetcher:
            kept, left_out = see_rows(context, rows, fetcher, progress)
    if not kept:
        raise BadRequest(
            f"{name}: no picture can be read. {left_out}",
            hint="Paths are relative to the file. An export of Label Studio names pictures that lie there: "
            "put them beside it, or simulate the project itself: --project NUMBER.",
        )
    return kept, left_out


def _and(notes: tuple[str, ...], note: str) -> tuple[str, ...]:
    return (*notes, note) if note else notes


def say_notes(console: Console, notes: Sequence[str]) -> None:
    """Says what was assumed and left out."""
    for note in notes:
        console.print(plain(note), soft_wrap=True)


def _one_of_them() -> BadRequest:
    return BadRequest(
        "A simulation needs a file or a project, one of them.",
        hint="Run: nextlabel simulate labels FILE, or: nextlabel simulate labels --project NUMBER",
    )
