"""The sub-command `simulate synthetic`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.simulation.arguments import AsJson, LabelField, OpenContext, TextField
from backend.terminal import TerminalProgress

_out = Console()
_err = Console(stderr=True)


def add_synthetic(simulate: typer.Typer, *, open_context: OpenContext) -> None:
    """Puts `synthetic` beside the other sub-commands of `simulate`."""

    @simulate.command(epilog="Examples:\n  nextlabel simulate synthetic mixed.csv")
    def synthetic(
        data: Annotated[
            Path,
            typer.Argument(
                help="CSV, TSV, JSON or JSON lines with text, label, source (real or synthetic) and, if "
                "there are, split, generator. Labels may be lists."
            ),
        ],
        text_field: TextField = None,
        label_field: LabelField = None,
        seed: Annotated[int, typer.Option(min=0, help="Draws the audit and what is resampled.")] = 0,
        as_json: AsJson = False,
    ) -> None:
        """Which synthetic items help, repeat or harm, what they lift, and what to make next."""
        with open_context() as context, TerminalProgress(_err) as progress:
            from backend.simulation.sourced_rows import read_sourced_texts
            from backend.simulation.synthetic import judge_rows, outcome_json
            from backend.simulation.synthetic_table import print_outcome

            rows = read_sourced_texts(data, text_field=text_field, label_field=label_field)
            outcome = judge_rows(context, rows, dataset=data.stem, seed=seed, progress=progress)
        if as_json:
            sys.stdout.write(json.dumps(outcome_json(outcome)) + "\n")
            return
        print_outcome(_out, outcome)
