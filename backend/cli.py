"""python -m backend …: what people type."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from backend import report
from backend.app import build_context, warm_up
from backend.class_commands import add_classes
from backend.context import Context
from backend.errors import BadRequest, NextlabelError
from backend.logs import start_logging
from backend.server import serve_http
from backend.settings import ProjectSettings, Settings
from backend.simulation.commands import add_simulate
from backend.skip_commands import add_skips
from backend.terminal import TerminalProgress, plain, print_whatever_the_encoding
from backend.workflows import work
from backend.workflows.connection.connect import ConnectOptions
from backend.workflows.connection.connect import connect as connect_project
from backend.workflows.connection.disconnect import disconnect as disconnect_project
from backend.workflows.connection.doctor import diagnose
from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.pull import pull_forever
from backend.workflows.project.workers import beat_forever
from backend.workflows.project.workspace import open_workspace
from backend.workflows.publish_all import publish_project
from backend.workflows.record import replay as replay_loop
from backend.workflows.serving.rollback import rollback as rollback_project
from backend.workflows.views.loop_records import loop_records, records_as_csv
from backend.workflows.views.status import all_statuses, project_status
from backend.workflows.views.versions import list_versions

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Nextlabel: an active-learning ML backend for Label Studio.",
    epilog="Start with `serve` and `worker` in two terminals, then `connect PROJECT_ID`.",
)
_out = Console()
_err = Console(stderr=True)

ProjectId = Annotated[int, typer.Argument(help="The number in the address of the Label Studio project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PORT).")] = None,
) -> None:
    """Answer Label Studio over HTTP. Needs a `worker` beside it to retrain."""
    with _people_errors():
        settings = _settings()
        # the process that answers opens them once more, where a fault would be a traceback of the server's
        build_context(settings).close()
        start_logging(settings.log_level)
        serve_http(host=host or settings.host, port=port or settings.port)


@app.command()
def worker() -> None:
    """Run the loops that webhooks, the timer and people ask for."""
    with _context(log=True) as context:
        stop = threading.Event()
        heart = threading.Thread(target=beat_forever, args=(context, stop), daemon=True)
        heart.start()
        puller = threading.Thread(target=pull_forever, args=(context, stop), daemon=True)
        puller.start()
        warm_up(context)
        with context.survived.failures_of("the clock"):
            work.tick(context)
        try:
            context.jobs.consume(workers=2)
        finally:
            stop.set()
            heart.join()
            puller.join()


@app.command()
def connect(
    project_id: ProjectId,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of this project alone, like queue_window=50. May be given several times. "
            f"There are: {', '.join(ProjectSettings.model_fields)}.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Add a line to the labeling config that says why a task stands out."),
    ] = False,
    require: Annotated[
        bool,
        typer.Option("--require", help="Let nobody submit an empty answer: required in the labeling config."),
    ] = False,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="The encoder of this project: english, multilingual, a folder or a hub name. Without it the "
            "one of before, or what the texts ask for."
        ),
    ] = None,
    pull: Annotated[
        bool | None,
        typer.Option(
            "--pull/--no-pull",
            help="For a Label Studio that cannot or may not call this machine: nothing is registered there; "
            "the worker asks it every few seconds what changed. Without either: as before.",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also say how long each part took.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect a project: register, publish the first queue, check the order. Safe to run again."""
    with _context() as context:
        overrides = _overrides(settings or [])
        with TerminalProgress(_err) as progress:
            result = connect_project(
                context,
                project_id,
                ConnectOptions(
                    overrides=overrides, explain=explain, require=require, encoder=encoder, pull=pull
                ),
                progress=progress,
            )
        _print(
            as_json, report.connect_json(result), lambda: report.print_connect(_out, result, verbose=verbose)
        )
    if not result.in_order:
        raise typer.Exit(1)


@app.command()
def disconnect(project_id: ProjectId) -> None:
    """Take back everything that `connect` put into Label Studio."""
    with _context() as context:
        for line in disconnect_project(open_workspace(context, project_id)):
            _out.print(plain(f"  {line}"))


@app.command()
def doctor(
    project_id: Annotated[
        int | None, typer.Argument(help="Also check the connection of this project.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every link from the token to the order; name the fault and the cure."""
    with _context() as context:
        findings = diagnose(context, project_id)
        rows = [finding.to_json() for finding in findings]
        _print(as_json, {"findings": rows}, lambda: report.print_findings(_out, findings))
    if any(finding.verdict == "fault" for finding in findings):
        raise typer.Exit(1)


@app.command()
def loop(project_id: ProjectId, as_json: AsJson = False) -> None:
    """Run one loop now: sync, train, rank, publish. The second does nothing."""
    with _context() as context:
        workspace = open_workspace(context, project_id)
        with TerminalProgress(_err) as progress, lease(workspace, wait_s=PEOPLE_WAIT_S):
            result = run_loop(workspace, reason="command", progress=progress)
        tidy(workspace)
        _print(as_json, report.loop_json(result), lambda: report.print_loop(_out, result))


@app.command()
def publish(
    project_id: ProjectId,
    everything: Annotated[
        bool, typer.Option("--all", help="Also pre-annotate every task outside the window.")
    ] = False,
) -> None:
    """Bring the queue in Label Studio up to date."""
    with _context() as context, TerminalProgress(_err) as progress:
        sent = publish_project(open_workspace(context, project_id), everything=everything, progress=progress)
    _out.print(f"The window is published; {sent} tasks outside it were pre-annotated.")


@app.command()
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
    with _context() as context:
        if project_id is None:
            if table is not None:
                raise BadRequest(
                    "--csv needs a project.", hint="Run: python -m backend status PROJECT --csv FILE"
                )
            rows = all_statuses(context)
            _print(as_json, {"projects": rows}, lambda: report.print_statuses(_out, rows))
            return
        workspace = open_workspace(context, project_id)
        row = project_status(workspace)
        records = loop_records(workspace) if as_json or table else []
        if table is not None:
            _write(table, records_as_csv(records))
        _print(as_json, row | {"loops": records}, lambda: report.print_statuses(_out, [row]))


@app.command()
def versions(project_id: ProjectId, as_json: AsJson = False) -> None:
    """List the model versions of a project, newest first."""
    with _context() as context:
        rows = list_versions(open_workspace(context, project_id))
        _print(as_json, {"versions": rows}, lambda: report.print_versions(_out, rows))


@app.command()
def rollback(
    project_id: ProjectId, version: Annotated[str, typer.Argument(help="A version that `versions` lists.")]
) -> None:
    """Let an earlier version serve again, until new labels come."""
    with _context() as context, TerminalProgress(_err) as progress:
        size = rollback_project(open_workspace(context, project_id), version, progress=progress)
    _out.print(plain(f"{version} serves again, with {size} tasks in its window."))


@app.command()
def replay(
    project_id: ProjectId,
    loop: Annotated[int, typer.Argument(help="Number of a loop, from `status PROJECT_ID --json`.")],
    as_json: AsJson = False,
) -> None:
    """Train and rank once more from a loop's record: head and order must be the same, bit for bit."""
    with _context() as context:
        found = replay_loop(open_workspace(context, project_id), loop)
        data = asdict(found) | {"exact": found.is_exact}
        _print(as_json, data, lambda: report.print_replay(_out, found))
    if not found.is_exact:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of `python -m backend`."""
    print_whatever_the_encoding()
    app(prog_name="python -m backend")


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_name(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise BadRequest(f"A setting is wrong. {faults}", hint="See README, Settings.") from None


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location).upper()


@contextmanager
def _context(*, log: bool = False) -> Iterator[Context]:
    with _people_errors():
        settings = _settings()
        start_logging(settings.log_level if log else "WARNING")
        yield build_context(settings)


@contextmanager
def _people_errors() -> Iterator[None]:
    """Turns our errors into two lines and exit code 1; Ctrl-C into 130."""
    try:
        yield
    except NextlabelError as error:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps(error.to_json()) + "\n")
        else:
            _err.print(plain(("Error:", "bold red"), f" {error.message}"), soft_wrap=True)
            if error.hint:
                _err.print(plain(("To fix it:", "bold"), f" {error.hint}"), soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _err.print("Stopped.")
        raise typer.Exit(130) from None


def _overrides(pairs: list[str]) -> dict[str, object]:
    overrides: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in ProjectSettings.model_fields:
            raise BadRequest(
                f"--set {pair}: expected NAME=VALUE. Names: {', '.join(ProjectSettings.model_fields)}."
            )
        overrides[name] = _value(value)
    try:
        ProjectSettings.model_validate(overrides)
    except ValidationError as error:
        fault = error.errors()[0]
        raise BadRequest(f"--set {_name(fault['loc']).lower()}: {fault['msg']}") from None
    return overrides


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadRequest(f"{path} can not be written: {error.strerror}.") from None


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print(as_json: bool, data: Any, people: Callable[[], None]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(data, default=str) + "\n")
        return
    people()


add_simulate(app, open_context=_context)
add_classes(app, open_context=_context)
add_skips(app, open_context=_context)
