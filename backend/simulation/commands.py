"""The sub-commands of `simulate`."""

from __future__ import annotations

import typer

from backend.simulation.arguments import OpenContext
from backend.simulation.labels_command import add_labels
from backend.simulation.novelty_command import add_novelty
from backend.simulation.synthetic_command import add_synthetic


def add_simulate(app: typer.Typer, *, open_context: OpenContext) -> None:
    """Puts `simulate` into the command line; `open_context` also turns errors into words."""
    simulate = typer.Typer(no_args_is_help=True, help="Measure on data whose answers are known.")
    app.add_typer(simulate, name="simulate")
    add_novelty(simulate, open_context=open_context)
    add_synthetic(simulate, open_context=open_context)
    add_labels(simulate, open_context=open_context)
