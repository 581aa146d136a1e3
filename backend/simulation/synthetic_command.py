"""The sub-command `simulate synthetic`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.simulation.arguments import AsJson, ImageField, LabelField, OpenContext, TextField
from backend.terminal import TerminalProgress

_out = Console()
_err = Console(stderr=True)


def add_synthetic(simulate: typer.Typer, *, open_context: OpenContext) -> None:
    """Puts `synthetic` beside the other sub-commands of `simulate`."""

    @simulate.command(
        epilog="Examples:\n  nextlabel simulate synthetic mixed.csv\n"
        "  nextlabel simulate synthetic photos\n\n"
        "In a folder the folders of the classes stand in two: real/cats/1.png, synthetic/cats/1.png."
    )
    def synthetic(
        data: Annotated[
            Path,
            typer.Argument(
                help="CSV, TSV, JSON or JSON lines with text or image, label, source (real or synthetic) "
                "and, if there are, split, generator; or a folder. Labels may be lists."
            ),
        ],
        text_field: TextField = None,
        image_field: ImageField = None,
        label_field: LabelField = None,
        seed: Annotated[int, typer.Option(min=0, help="Draws the audit and what is resampled.")] = 0,
        as_json: AsJson = False,
    ) -> None:
        """Which synthetic items help, repeat or harm, what they lift, and what to make next."""
        with open_context() as context, TerminalProgress(_err) as progress:
            from backend.simulation.rows import Wanted
            from backend.simulation.source import read_sourced_source, say_notes
            from backend.simulation.synthetic import judge_rows, outcome_json
            from backend.simulation.synthetic_table import print_outcome

            wanted = Wanted(text_field, label_field, image_field=image_field)
            rows, notes = read_sourced_source(context, data, wanted, progress)
            say_notes(_err, notes)
            outcome = judge_rows(context, rows, dataset=data.stem, seed=seed, progress=progress)
        if as_json:
            sys.stdout.write(json.dumps(outcome_json(outcome)) + "\n")
            return
        print_outcome(_out, outcome)
