"""The sub-commands of `skips`: what a person decides about tasks that people skip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.terminal import plain

if TYPE_CHECKING:
    from backend.workflows.views.skips import SkipsView

_NAMED = 3  # tasks of a group that its row names
GroupNumber = Annotated[int, typer.Argument(help="The number of a group, from `skips list`.")]


def add_skips(app: typer.Typer) -> None:
    """Puts `skips` into the command line."""
    skips = typer.Typer(
        no_args_is_help=True,
        help="Look at what people skip, say what becomes of it, open some again.",
        epilog=shell.examples(
            "skips list 1",
            "skips answer 1 2 class --name encryption",
            "skips answer 1 2 exclude",
            "skips reopen 1 3",
        ),
    )
    app.add_typer(skips, name="skips")
    _add_list(skips)
    _add_answer(skips)
    _add_reopen(skips)


def _add_list(skips: typer.Typer) -> None:
    @skips.command("list")
    def list_them(project_id: ProjectId, as_json: AsJson = False) -> None:
        """Tasks like skipped ones that wait for an answer, and skipped ones that may fit a label now."""
        with shell.open_context() as context:
            from backend.workflows.project.workspace import open_workspace
            from backend.workflows.views.skips import read_skips

            view = read_skips(open_workspace(context, project_id))
        shell.print_result(as_json, view.to_json(), lambda: _print(view))


def _add_answer(skips: typer.Typer) -> None:
    @skips.command()
    def answer(
        project_id: ProjectId,
        group: GroupNumber,
        what: Annotated[
            str,
            typer.Argument(
                help="class (a new label, or one there is), exclude (not for this project), ask (as before)."
            ),
        ],
        name: Annotated[str, typer.Option(help="Name of the class; the proposed one without.")] = "",
    ) -> None:
        """Say once what becomes of tasks like those of a group."""
        with shell.open_context() as context:
            from backend.workflows.findings.skip_answers import answer_skips
            from backend.workflows.project.workspace import open_workspace
            from backend.workflows.views.wording import SETTLED

            workspace = open_workspace(context, project_id)
            settled = answer_skips(workspace, group, what, name=name, by=shell.who())
        shell.out.print(plain(SETTLED[what].format(label=settled.name)))


def _add_reopen(skips: typer.Typer) -> None:
    @skips.command()
    def reopen(project_id: ProjectId, group: GroupNumber) -> None:
        """Take the skips of tasks back that look like a class made later, so that they are asked again."""
        with shell.open_context() as context:
            from backend.workflows.findings.skip_answers import reopen_skips
            from backend.workflows.project.workspace import open_workspace
            from backend.workflows.views.wording import counted

            count = reopen_skips(open_workspace(context, project_id), group, by=shell.who())
        shell.out.print(plain(f"{counted(count, 'skipped task')} will be asked again."))


def _print(view: SkipsView) -> None:
    if not view.questions and not view.reopenings:
        shell.out.print("Nothing that people skipped waits for an answer.")
        return
    table = Table("group", "what", "proposed name", "some of the tasks")
    for question in view.questions:
        typical = ", ".join(map(str, question.typical[:_NAMED]))
        table.add_row(str(question.number), question.words, plain(question.name), typical)
    for again in view.reopenings:
        table.add_row(str(again.number), plain(again.words), plain(again.label), "")
    shell.out.print(table)
