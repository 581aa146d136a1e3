"""The sub-commands of `classes` that change labels which answers have: merge, rename, split, undo."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.errors import BadRequest
from backend.terminal import plain

if TYPE_CHECKING:
    from backend.workflows.findings.relabel import Preview, Wish
    from backend.workflows.findings.relabel_writes import Undone

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")]
Question = Annotated[
    str, typer.Option(help="Name of the question in the labeling config; without: the one that is answered.")
]
_MANY = 200  # tasks that are asked again, which is a day's work


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

            undone = undo_change(open_workspace(context, project_id), by=getpass.getuser())
        found = {"restored": undone.restored, "left": undone.left, "labels_kept": list(undone.kept)}
        shell.print_result(as_json, found, lambda: _print_undone(undone))


def _change(project_id: int, wish: Wish, *, yes: bool, as_json: bool) -> None:
    with shell.open_context() as context:
        from backend.workflows.findings.relabel import change_labels, preview_change
        from backend.workflows.project.workspace import open_workspace

        workspace = open_workspace(context, project_id)
        if not yes:
            if as_json:
                raise BadRequest("Nothing is written without a yes.", hint="Add --yes.")
            _print_preview(preview_change(workspace, wish), wish)
            if not typer.confirm("Go on?"):
                shell.out.print("Nothing was changed.")
                return
        count = change_labels(workspace, wish, by=getpass.getuser())
    if as_json:
        sys.stdout.write(json.dumps({"annotations": count}) + "\n")
        return
    shell.out.print(
        plain(
            f"Done: {_counted(count, 'annotation')} changed. The next loop learns from it. "
            f"To take it back: nextlabel classes undo {project_id}"
        ),
        soft_wrap=True,
    )


def _print_preview(preview: Preview, wish: Wish) -> None:
    for line in _preview_lines(preview, wish):
        shell.out.print(plain(line), soft_wrap=True)


def _preview_lines(preview: Preview, wish: Wish) -> list[str]:
    """What would be written, one sentence or two a line."""
    lines = []
    if preview.is_title:
        lines.append("Answers carry the label's alias, which stays: only what people read changes.")
    if preview.annotations or not preview.is_title:
        people = "1 person" if preview.people == 1 else f"{preview.people:,} people"
        lines.append(
            f"{_counted(preview.annotations, 'annotation')} of {_counted(preview.tasks, 'task')} by {people} "
            f"{'changes' if preview.annotations == 1 else 'change'}, and the labeling config."
        )
    if wish.kind == "split" and preview.annotations:
        lines += _split_lines(preview, wish)
    return lines


def _split_lines(preview: Preview, wish: Wish) -> list[str]:
    lines = []
    if preview.emptied and wish.asks_again:
        lines.append(
            f"{_counted(preview.emptied, 'annotation')} of these would be empty: they are taken out of Label "
            "Studio and kept here, and their tasks are asked again."
        )
    elif preview.emptied:
        lines.append(
            f"{_counted(preview.emptied, 'annotation')} of these would be empty. They stay in Label Studio, "
            "which never serves a task again to those who answered it, and to others only where several "
            "people answer a task. With --ask-again they are kept here instead, and asked again."
        )
    if preview.partly:
        lines.append(
            f"{_counted(preview.partly, 'annotation')} of these keep what else they say: their tasks are not "
            "served again to those who answered them. Open them in the Data Manager."
        )
    if wish.asks_again and preview.emptied >= _MANY:
        lines.append("That is much to answer anew: a person may be better off with new labels alone.")
    return lines


def _print_undone(undone: Undone) -> None:
    shell.out.print(plain(f"Taken back: {_counted(undone.restored, 'annotation')} as before."))
    if undone.left:
        shell.out.print(
            plain(
                f"{_counted(undone.left, 'annotation')} left: somebody changed them, or their task is gone."
            ),
            soft_wrap=True,
        )
    if undone.kept:
        names = ", ".join(repr(label) for label in undone.kept)
        shell.out.print(plain(f"The config keeps labels that answers have: {names}."), soft_wrap=True)
    if undone.is_edited:
        shell.out.print(
            plain(
                "The config was edited since: it got the old labels back, and nothing was taken out of it."
            ),
            soft_wrap=True,
        )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
