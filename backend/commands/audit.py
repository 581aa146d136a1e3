"""The command that tells who did what."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from backend.commands import shell
from backend.commands.shell import AsJson
from backend.json_types import Json
from backend.terminal import plain


def add_audit(app: typer.Typer) -> None:
    """Puts `audit` into the command line."""
    app.command(epilog=shell.examples("audit", "audit 1 --last 200", "audit --json"))(audit)


def audit(
    project_id: Annotated[int | None, typer.Argument(help="One project; all without it.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many acts, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Tell who did what and when: every act of a person on the page or by a command."""
    with shell.open_context() as context:
        from backend.workflows.views.audit import read_acts

        acts = read_acts(context, last, label_studio_id=project_id)
    shell.print_result(as_json, {"acts": acts}, lambda: _print(acts))


def _print(acts: list[Json]) -> None:
    if not acts:
        shell.out.print("Nobody has done anything yet.")
        return
    table = Table(Column("when", no_wrap=True), "project", "who", "what")
    for act in acts:
        project = f"{act['project']} {act['title']}".strip()
        table.add_row(act["at"], plain(project), plain(act["by"]), plain(act["words"]))
    shell.out.print(table)
