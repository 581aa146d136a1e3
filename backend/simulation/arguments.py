"""Arguments that the sub-commands of `simulate` share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from backend.context import Context

OpenContext = Callable[[], "AbstractContextManager[Context]"]

Data = Annotated[
    Path | None,
    typer.Argument(
        help="A file of labelled texts or pictures: CSV, TSV, JSON, JSON lines, an export of Label Studio; "
        "or a folder with a folder of pictures for each class. With a column split, train is labelled and "
        "test measures."
    ),
]
ProjectNumber = Annotated[
    int | None,
    typer.Option("--project", help="In place of a file: what is labelled in this project of Label Studio."),
]
TextField = Annotated[
    str | None, typer.Option(help="The column that holds the texts; guessed and said without it.")
]
ImageField = Annotated[
    str | None,
    typer.Option(
        help="The column that holds pictures, as paths relative to the file; guessed and said without it."
    ),
]
LabelField = Annotated[
    str | None, typer.Option(help="The column that holds the label; guessed and said without it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def words(text: str) -> tuple[str, ...]:
    """What stands between commas, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
