"""Commands about what has been: status, versions, and back to an earlier one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.errors import BadRequest, NotFound
from backend.terminal import TerminalProgress, plain

if TYPE_CHECKING:
    from backend.workflows.project.workspace import Workspace


def add_history(app: typer.Typer) -> None:
    """Puts `status`, `versions`, `rollback` and `replay` into the command line."""
    app.command(epilog=shell.examples("status", "status 1", "status 1 --csv loops.csv"))(status)
    app.command(epilog=shell.examples("versions 1"))(versions)
    app.command(epilog=shell.examples("rollback 1 nl-000004"))(rollback)
    app.command(epilog=shell.examples("replay 1 12"))(replay)


def status(
    project_id: Annotated[
        int | None, typer.Argument(help="One project; all connected ones without it.")
    ] = None,
    as_json: AsJson = False,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write the record of every loop to this file: a row a loop.")
    ] = None,
) -> None:
    """Show what is connected, which version serves, how good it is; the record of every loop with --json."""
    with shell.open_context() as context:
        from backend import report
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.views.loop_records import loop_records, records_as_csv
        from backend.workflows.views.status import all_statuses, project_status

        if project_id is None:
            if table is not None:
                raise BadRequest("--csv needs a project.", hint="Run: nextlabel status PROJECT --csv FILE")
            rows = all_statuses(context)
            shell.print_result(as_json, {"projects": rows}, lambda: report.print_statuses(shell.out, rows))
            return
        workspace = open_workspace(context, project_id)
        row = project_status(workspace)
        records = loop_records(workspace) if as_json or table else []
        if table is not None:
            _write(table, records_as_csv(records))
        shell.print_result(as_json, row | {"loops": records}, lambda: report.print_statuses(shell.out, [row]))


def versions(project_id: ProjectId, as_json: AsJson = False) -> None:
    """List the model versions of a project, newest first."""
    with shell.open_context() as context:
        from backend import report
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.views.versions import list_versions

        rows = list_versions(open_workspace(context, project_id))
        shell.print_result(as_json, {"versions": rows}, lambda: report.print_versions(shell.out, rows))


def rollback(
    project_id: ProjectId, version: Annotated[str, typer.Argument(help="A version that `versions` lists.")]
) -> None:
    """Let an earlier version serve again, until new labels come."""
    with shell.open_context() as context, TerminalProgress(shell.err) as progress:
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.serving.stored import require_version

        workspace = open_workspace(context, project_id)
        require_version(workspace, version)
        # from here on vectors are read and the pool is ordered
        from backend.workflows.serving.rollback import rollback as rollback_project

        size = rollback_project(workspace, version, progress=progress)
        workspace.decisions.add("rollback", {"version": version}, by=shell.who())
    shell.out.print(plain(f"{version} serves again, with {size} tasks in its window."))


def replay(
    project_id: ProjectId,
    loop: Annotated[
        int,
        typer.Argument(help="Number of a loop in its project: 12 is the twelfth; `status` shows the last."),
    ],
    as_json: AsJson = False,
) -> None:
    """Train and rank once more from a loop's record: head and order must be the same, bit for bit."""
    with shell.open_context() as context:
        from backend.workflows.project.workspace import open_workspace

        workspace = open_workspace(context, project_id)
        from backend import report
        from backend.workflows.record import replay as replay_loop

        found = replay_loop(workspace, _loop_id(workspace, loop))
        data = asdict(found) | {"exact": found.is_exact, "number": loop}
        shell.print_result(as_json, data, lambda: report.print_replay(shell.out, found, number=loop))
    if not found.is_exact:
        raise typer.Exit(1)


def _loop_id(workspace: Workspace, number: int) -> int:
    found = workspace.loops.by_number(number)
    if found is None:
        count = len(workspace.loops.numbers())
        raise NotFound(
            f"Project {workspace.label_studio_id} has no loop {number}.",
            hint=f"It has had {count}: take one from 1 to {count}." if count else "It has had none yet.",
        )
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadRequest(f"{path} can not be written: {error.strerror}.") from None
