"""The sub-commands of `skips`: what a person decides about tasks that people skip."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.context import Context
from backend.terminal import plain
from backend.workflows.findings.skip_answers import answer_skips, reopen_skips
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.skips import SkipsView, read_skips
from backend.workflows.views.wording import SETTLED, counted

_out = Console()

ProjectId = Annotated[int, typer.Argument(help="The number in the address of the Label Studio project.")]
GroupNumber = Annotated[int, typer.Argument(help="The number of a group, from `skips list`.")]


def add_skips(app: typer.Typer, *, open_context: Callable[[], AbstractContextManager[Context]]) -> None:
    """Puts `skips` into the command line; `open_context` also turns errors into words."""
    skips = typer.Typer(
        no_args_is_help=True, help="Look at what people skip, say what becomes of it, open some again."
    )
    app.add_typer(skips, name="skips")

    @skips.command("list")
    def list_them(
        project_id: ProjectId,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object and nothing else.")
        ] = False,
    ) -> None:
        """Tasks like skipped ones that wait for an answer, and skipped ones that may fit a label now."""
        with open_context() as context:
            view = read_skips(open_workspace(context, project_id))
        if as_json:
            sys.stdout.write(json.dumps(view.to_json()) + "\n")
        else:
            _print(view)

    @skips.command()
    def answer(
        project_id: ProjectId,
        group: GroupNumber,
        answer: Annotated[
            str,
            typer.Argument(help="class (make it a label), exclude (not for this project), ask (as before)."),
        ],
        name: Annotated[str, typer.Option(help="Name of the class; the proposed one without.")] = "",
    ) -> None:
        """Say once what becomes of tasks like those of a group."""
        with open_context() as context:
            workspace = open_workspace(context, project_id)
            settled = answer_skips(workspace, group, answer, name=name, by=getpass.getuser())
        _out.print(plain(SETTLED[answer].format(label=settled.name)))

    @skips.command()
    def reopen(project_id: ProjectId, group: GroupNumber) -> None:
        """Take the skips of tasks back that look like a class made later, so that they are asked again."""
        with open_context() as context:
            count = reopen_skips(open_workspace(context, project_id), group, by=getpass.getuser())
        _out.print(plain(f"{counted(count, 'skipped task')} will be asked again."))


def _print(view: SkipsView) -> None:
    if not view.questions and not view.reopenings:
        _out.print("Nothing that people skipped waits for an answer.")
        return
    table = Table("group", "what", "proposed name", "some of the tasks")
    for question in view.questions:
        typical = ", ".join(map(str, question.typical))
        table.add_row(str(question.number), question.words, plain(question.name), typical)
    for again in view.reopenings:
        table.add_row(str(again.number), plain(again.words), plain(again.label), "")
    _out.print(table)
