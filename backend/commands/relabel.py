"""The sub-commands of `classes` that change labels which answers have: merge, rename, split, undo."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.errors import BadRequest
from backend.terminal import plain

if TYPE_CHECKING:
    from backend.workflows.findings.relabel import Wish

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")]
Question = Annotated[
    str, typer.Option(help="Name of the question in the labeling config; without: the main one.")
]


def add_relabelling(classes: typer.Typer) -> None:
    """Puts the sub-commands into `classes`."""
    _add_merge(classes)
    _add_rename(classes)
    _add_split(classes)
    _add_undo(classes)


def _add_merge(classes: typer.Typer) -> None:
    @classes.command()
    def merge(
        project_id: ProjectId,
        labels: Annotated[list[str], typer.Argument(help="The labels that go, and last the one that stays.")],
        question: Question = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Merge labels into another: answers get that label, the others leave the labeling config."""
        from backend.workflows.findings.relabel import Wish

        _change(project_id, Wish("merge", tuple(labels), question), yes=yes, as_json=as_json)


def _add_rename(classes: typer.Typer) -> None:
    @classes.command()
    def rename(
        project_id: ProjectId,
        old: Annotated[str, typer.Argument(help="What the label is called.")],
        new: Annotated[str, typer.Argument(help="What it shall be called.")],
        question: Question = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Rename a label, in the labeling config and in all answers."""
        from backend.workflows.findings.relabel import Wish

        _change(project_id, Wish("rename", (old, new), question), yes=yes, as_json=as_json)


def _add_split(classes: typer.Typer) -> None:
    @classes.command()
    def split(
        project_id: ProjectId,
        label: Annotated[str, typer.Argument(help="The label that goes.")],
        new: Annotated[list[str], typer.Argument(help="The labels that come in its place, two at least.")],
        ask_again: Annotated[
            bool,
            typer.Option(
                "--ask-again",
                help="Take answers that are empty then out of Label Studio (they are kept here), so that "
                "their tasks are asked again.",
            ),
        ] = False,
        question: Question = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Replace a label by several: answers that have it are emptied (they are kept here for `undo`)."""
        from backend.workflows.findings.relabel import Wish

        wish = Wish("split", (label, *new), question, asks_again=ask_again)
        _change(project_id, wish, yes=yes, as_json=as_json)


def _add_undo(classes: typer.Typer) -> None:
    @classes.command()
    def undo(project_id: ProjectId, as_json: AsJson = False) -> None:
        """Take the last merge, rename or split back, also one that was broken off in the middle."""
        with shell.open_context() as context:
            from backend.workflows.findings.relabel import undo_change
            from backend.workflows.project.workspace import open_workspace
            from backend.workflows.views.relabelling import undone_lines

            undone = undo_change(open_workspace(context, project_id), by=shell.who())
        found = {"restored": undone.restored, "left": undone.left, "labels_kept": list(undone.kept)}
        shell.print_result(as_json, found, lambda: _print_lines(undone_lines(undone)))


def _change(project_id: int, wish: Wish, *, yes: bool, as_json: bool) -> None:
    with shell.open_context() as context:
        from backend.workflows.findings.relabel import change_labels, preview_change
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.views.relabelling import done_words, preview_lines

        workspace = open_workspace(context, project_id)
        if not yes:
            if as_json:
                raise BadRequest("Nothing is written without a yes.", hint="Add --yes.")
            _print_lines(preview_lines(preview_change(workspace, wish), wish, ask_again="--ask-again"))
            if not typer.confirm("Go on?"):
                shell.out.print("Nothing was changed.")
                return
        count = change_labels(workspace, wish, by=shell.who())
    if as_json:
        sys.stdout.write(json.dumps({"annotations": count}) + "\n")
        return
    shell.out.print(
        plain(f"{done_words(count)} To take it back: nextlabel classes undo {project_id}"),
        soft_wrap=True,
    )


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        shell.out.print(plain(line), soft_wrap=True)
