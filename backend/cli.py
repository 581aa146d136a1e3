"""nextlabel … (or python -m backend …): what people type, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from backend import __version__
from backend.commands import shell
from backend.commands.audit import add_audit
from backend.commands.backups import add_backups
from backend.commands.classes import add_classes
from backend.commands.connecting import add_connecting
from backend.commands.history import add_history
from backend.commands.queue import add_queue
from backend.commands.running import add_running
from backend.commands.skips import add_skips
from backend.simulation.commands import add_simulate
from backend.terminal import print_whatever_the_encoding

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Nextlabel: an active-learning ML backend for Label Studio.",
    epilog=shell.examples(
        "start        everything on this machine; then, in another terminal:",
        "connect 1    1 is the number in the address of your project",
        "status       how good is it, what waits?",
        "doctor 1     is something in the way?",
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        shell.out.print(f"nextlabel {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What comes before a command."""


add_running(app)
add_connecting(app)
add_queue(app)
add_history(app)
add_audit(app)
add_simulate(app, open_context=shell.open_scratch_context)
add_classes(app)
add_skips(app)
add_backups(app)


def main() -> None:
    """Entry point of `nextlabel` and of `python -m backend`."""
    print_whatever_the_encoding()
    app(prog_name="nextlabel")
