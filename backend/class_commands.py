"""The sub-commands of `classes`: what a person decides about groups of novel tasks."""

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
from backend.workflows.findings.classes import add_class, reject_group
from backend.workflows.intake.earlier_findings import list_groups
from backend.workflows.project.workspace import open_workspace

_out = Console()

ProjectId = Annotated[int, typer.Argument(help="The number in the address of the Label Studio project.")]
GroupNumber = Annotated[int, typer.Argument(help="The number of a group, from `classes list`.")]


def add_classes(app: typer.Typer, *, open_context: Callable[[], AbstractContextManager[Context]]) -> None:
    """Puts `classes` into the command line; `open_context` also turns errors into words."""
    classes = typer.Typer(
        no_args_is_help=True, help="Look at possible new classes, add one, or say that it is none."
    )
    app.add_typer(classes, name="classes")

    @classes.command("list")
    def list_them(
        project_id: ProjectId,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object and nothing else.")
        ] = False,
    ) -> None:
        """Groups of tasks that seem to belong to a class the project does not have."""
        with open_context() as context:
            groups = list_groups(open_workspace(context, project_id))
        if as_json:
            sys.stdout.write(json.dumps({"groups": groups}) + "\n")
            return
        if not groups:
            _out.print("No group of tasks stands out.")
            return
        table = Table("group", "proposed name", "tasks", "most typical tasks")
        for group in groups:
            typical = ", ".join(str(task_id) for task_id in group["typical"])
            table.add_row(str(group["group"]), plain(group["name"]), str(group["size"]), typical)
        _out.print(table)

    @classes.command()
    def add(
        project_id: ProjectId,
        group: GroupNumber,
        name: Annotated[str | None, typer.Option(help="Name of the class; the proposed one without.")] = None,
    ) -> None:
        """Make a group a class: its label joins the labeling config, its tasks are asked first."""
        with open_context() as context:
            label = add_class(open_workspace(context, project_id), group, name=name, by=getpass.getuser())
        _out.print(plain(f"{label!r} is a label now. The next loop asks for the tasks of its group first."))

    @classes.command()
    def reject(project_id: ProjectId, group: GroupNumber) -> None:
        """Say that a group is no class: tasks like it are not shown as new again."""
        with open_context() as context:
            reject_group(open_workspace(context, project_id), group, by=getpass.getuser())
        _out.print(plain(f"Group {group} is no class. Tasks like it will not be flagged again."))
