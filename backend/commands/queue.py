"""Commands that renew the queue at once, or say what comes next."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.terminal import TerminalProgress


def add_queue(app: typer.Typer) -> None:
    """Puts `loop`, `publish` and `ask-next` into the command line."""
    app.command(epilog=shell.examples("loop 1"))(loop)
    app.command(epilog=shell.examples("publish 1", "publish 1 --all"))(publish)
    app.command("ask-next", epilog=shell.examples("ask-next 1 --tab 7    7 is in the address of the tab"))(
        ask_next
    )


def loop(project_id: ProjectId, as_json: AsJson = False) -> None:
    """Run one loop now: sync, train, rank, publish. The second does nothing."""
    with shell.open_context() as context:
        from backend import report
        from backend.workflows.loop import run_loop, tidy
        from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
        from backend.workflows.project.workspace import open_workspace

        workspace = open_workspace(context, project_id)
        workspace.decisions.add("loop-run", {}, by=shell.who())
        with TerminalProgress(shell.err) as progress, lease(workspace, wait_s=PEOPLE_WAIT_S):
            result = run_loop(workspace, reason="command", progress=progress)
        tidy(workspace)
        shell.print_result(as_json, report.loop_json(result), lambda: report.print_loop(shell.out, result))


def publish(
    project_id: ProjectId,
    everything: Annotated[
        bool, typer.Option("--all", help="Also pre-annotate every task outside the window.")
    ] = False,
) -> None:
    """Bring the queue in Label Studio up to date."""
    with shell.open_context() as context, TerminalProgress(shell.err) as progress:
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.publish_all import publish_project

        workspace = open_workspace(context, project_id)
        workspace.decisions.add("published", {"everything": everything}, by=shell.who())
        sent = publish_project(workspace, everything=everything, progress=progress)
    shell.out.print(f"The window is published; {sent} tasks outside it were pre-annotated.")


def ask_next(
    project_id: ProjectId,
    tab: Annotated[int, typer.Option(min=1, help="The number of a tab, from its address: ?tab=7.")],
) -> None:
    """Let the tasks of a tab of the Data Manager come next, the first 20 that wait."""
    with shell.open_context() as context:
        from backend.workflows.findings.selections import ask_tab_next
        from backend.workflows.project.workspace import open_workspace
        from backend.workflows.views.wording import counted

        count = ask_tab_next(open_workspace(context, project_id), tab, by=shell.who())
    shell.out.print(f"{counted(count, 'task')} of this tab will come first from the next order on.")
