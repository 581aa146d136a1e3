"""The sub-commands of `classes`: what a person decides about groups of novel tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from backend.commands import shell
from backend.commands.relabel import add_relabelling
from backend.commands.shell import AsJson, ProjectId
from backend.json_types import Json
from backend.terminal import plain

GroupNumber = Annotated[int, typer.Argument(help="The number of a group, from `classes list`.")]


_EXAMPLES = (
    "classes list 1",
    "classes add 1 2 --name refunds",
    "classes reject 1 2",
    "classes merge 1 cats dogs pets",
    'classes rename 1 pets "house pets"',
    "classes split 1 complaint billing delivery --ask-again",
    "classes undo 1",
)


def add_classes(app: typer.Typer) -> None:
    """Puts `classes` into the command line."""
    classes = typer.Typer(
        no_args_is_help=True,
        help="Look at possible new classes, add one; merge, rename or split those that there are.",
        epilog=shell.examples(*_EXAMPLES),
    )
    app.add_typer(classes, name="classes")
    add_relabelling(classes)
    _add_list(classes)
    _add_decisions(classes)


def _add_list(classes: typer.Typer) -> None:
    @classes.command("list")
    def list_them(project_id: ProjectId, as_json: AsJson = False) -> None:
        """Groups of tasks that seem to belong to a class the project does not have."""
        with shell.open_context() as context:
            from backend.workflows.intake.earlier_findings import list_groups
            from backend.workflows.project.workspace import open_workspace

            groups = list_groups(open_workspace(context, project_id))
        shell.print_result(as_json, {"groups": groups}, lambda: _print(groups))


def _add_decisions(classes: typer.Typer) -> None:
    @classes.command()
    def add(
        project_id: ProjectId,
        group: GroupNumber,
        name: Annotated[str | None, typer.Option(help="Name of the class; the proposed one without.")] = None,
    ) -> None:
        """Make a group a class: its label joins the labeling config, its tasks are asked first."""
        with shell.open_context() as context:
            from backend.workflows.findings.classes import add_class
            from backend.workflows.project.workspace import open_workspace

            label = add_class(open_workspace(context, project_id), group, name=name, by=shell.who())
        shell.out.print(
            plain(f"{label!r} is a label now. The next loop asks for the tasks of its group first.")
        )

    @classes.command()
    def reject(project_id: ProjectId, group: GroupNumber) -> None:
        """Say that a group is no class: tasks like it are not shown as new again."""
        with shell.open_context() as context:
            from backend.workflows.findings.classes import reject_group
            from backend.workflows.project.workspace import open_workspace

            reject_group(open_workspace(context, project_id), group, by=shell.who())
        shell.out.print(plain(f"Group {group} is no class. Tasks like it will not be flagged again."))


def _print(groups: Sequence[Json]) -> None:
    if not groups:
        shell.out.print("No group of tasks stands out.")
        return
    table = Table("group", "proposed name", "tasks", "most typical tasks")
    for group in groups:
        typical = ", ".join(str(task_id) for task_id in group["typical"])
        table.add_row(str(group["group"]), plain(group["name"]), str(group["size"]), typical)
    shell.out.print(table)
