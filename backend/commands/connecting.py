"""Commands that bring a project to the backend, check it, and take it away."""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperCommand

from backend.commands import shell
from backend.commands.shell import AsJson, ProjectId
from backend.errors import BadRequest
from backend.terminal import TerminalProgress, plain

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of this project alone, of those listed below. May be given several times.",
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Show a line above each task: why it comes, and how sure the pre-annotation is. Changes the "
        "labeling config; where the main question is one choice, it makes an answer required there too.",
    ),
]
Link = Annotated[
    bool, typer.Option("--link", help="Add the dashboard's address to the project's description.")
]
Require = Annotated[
    bool,
    typer.Option(
        "--require",
        help="Let nobody submit an empty answer: required in the labeling config. Not where an empty answer "
        "says something, as of <Pairwise>.",
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        help="The encoder of this project: english, multilingual, a folder or a hub name. Without it the "
        "one of before, or what the texts ask for."
    ),
]

Pull = Annotated[
    bool | None,
    typer.Option(
        "--pull/--no-pull",
        help="For a Label Studio that cannot or may not call this machine: nothing is registered there; "
        "the worker asks it every few seconds what changed. Without either: as before.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Also say how long each part took.")]


class ConnectCommand(TyperCommand):
    """`connect`, whose help explains every setting of a project: these are read for the help alone."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Puts the settings below the rest."""
        super().format_help(ctx, formatter)
        from backend.settings import ProjectSettings

        table = Table("setting", "default", "meaning", title="Settings for --set", title_justify="left")
        for name, field in ProjectSettings.model_fields.items():
            table.add_row(name, plain(str(field.default)), plain(field.description or ""))
        shell.out.print(table)


def add_connecting(app: typer.Typer) -> None:
    """Puts `connect`, `disconnect` and `doctor` into the command line."""
    usual = (
        "connect 1",
        "connect 1 --explain --require",
        "connect 1 --set queue_window=50 --set strategy=margin",
    )
    app.command(cls=ConnectCommand, epilog=shell.examples(*usual))(connect)
    app.command(epilog=shell.examples("disconnect 1"))(disconnect)
    app.command(epilog=shell.examples("doctor", "doctor 1"))(doctor)


def connect(
    project_id: ProjectId,
    settings: Settings = None,
    explain: Explain = False,
    require: Require = False,
    link: Link = False,
    encoder: EncoderName = None,
    pull: Pull = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Connect a project: register, publish the first queue, check the order. Safe to run again."""
    with shell.open_context() as context:
        overrides = _overrides(settings or [])
        from backend import report
        from backend.workflows.connection.connect import ConnectOptions
        from backend.workflows.connection.connect import connect as connect_project

        options = ConnectOptions(
            overrides=overrides,
            explain=explain,
            require=require,
            link=link,
            encoder=encoder,
            pull=pull,
            by=shell.who(),
        )
        with TerminalProgress(shell.err) as progress:
            result = connect_project(context, project_id, options, progress=progress)
        data = report.connect_json(result)
        shell.print_result(as_json, data, lambda: report.print_connect(shell.out, result, verbose=verbose))
    if not result.in_order:
        raise typer.Exit(1)


def disconnect(project_id: ProjectId) -> None:
    """Take back everything that `connect` put into Label Studio."""
    with shell.open_context() as context:
        from backend.workflows.connection.disconnect import disconnect as disconnect_project
        from backend.workflows.project.workspace import open_workspace

        workspace = open_workspace(context, project_id)
        workspace.decisions.add("disconnected", {}, by=shell.who())
        with TerminalProgress(shell.err) as progress:
            done = disconnect_project(workspace, progress=progress)
        for line in done:
            shell.out.print(plain(f"  {line}"))
        shell.out.print(f"Project {project_id} is disconnected.")


def doctor(
    project_id: Annotated[
        int | None, typer.Argument(help="Also check the connection of this project.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every link from the token to the order; name the fault and the cure."""
    with shell.open_context() as context:
        from backend import report
        from backend.workflows.connection.doctor import diagnose

        findings = diagnose(context, project_id)
        rows = [finding.to_json() for finding in findings]
        shell.print_result(as_json, {"findings": rows}, lambda: report.print_findings(shell.out, findings))
    if any(finding.verdict == "fault" for finding in findings):
        raise typer.Exit(1)


def _overrides(pairs: list[str]) -> dict[str, object]:
    from pydantic import ValidationError

    from backend.settings import ProjectSettings

    overrides: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        known = list(ProjectSettings.model_fields)
        if equals and name not in known and (near := difflib.get_close_matches(name.lower(), known, n=1)):
            raise BadRequest(
                f"--set {pair}: there is no setting {name!r}.",
                hint=f"Did you mean {near[0]}? All of them: nextlabel connect --help",
            )
        if not equals or name not in known:
            raise BadRequest(
                f"--set {pair}: expected NAME=VALUE. Names: {', '.join(known)}.",
                hint="What each means: nextlabel connect --help",
            )
        overrides[name] = _value(value)
    try:
        ProjectSettings.model_validate(overrides)
    except ValidationError as error:
        fault = error.errors()[0]
        raise BadRequest(
            f"--set {shell.setting_name(fault['loc']).lower()}: {shell.fault_words(fault)}",
            hint="What each means: nextlabel connect --help",
        ) from None
    return overrides


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
