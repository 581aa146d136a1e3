"""The sub-command `simulate novelty`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from backend.simulation.arguments import (
    AsJson,
    Data,
    ImageField,
    LabelField,
    OpenContext,
    ProjectNumber,
    TextField,
    words,
)
from backend.terminal import TerminalProgress, plain

if TYPE_CHECKING:
    from backend.simulation.rows import Wanted

_out = Console()
_err = Console(stderr=True)


def add_novelty(simulate: typer.Typer, *, open_context: OpenContext) -> None:
    """Puts `novelty` beside the other sub-commands of `simulate`."""

    @simulate.command(
        epilog="Examples:\n  nextlabel simulate novelty questions.csv --novel-label other\n"
        "  nextlabel simulate novelty photos --hold-out-classes 2"
    )
    def novelty(
        data: Data = None,
        project: ProjectNumber = None,
        hold_out_classes: Annotated[
            int, typer.Option(min=1, help="Classes that nobody labels, drawn anew for each seed.")
        ] = 5,
        novel_label: Annotated[
            str | None, typer.Option(help="The label that stands for all that fits no class, like oos.")
        ] = None,
        labels_per_class: Annotated[
            int, typer.Option(min=0, help="Labels of each known class; 0 takes all.")
        ] = 10,
        alpha: Annotated[float, typer.Option(help="Promised rate of false alarms, between 0 and 1.")] = 0.05,
        seeds: Annotated[int, typer.Option(min=1, help="Runs.")] = 5,
        text_field: TextField = None,
        image_field: ImageField = None,
        label_field: LabelField = None,
        splits: Annotated[str, typer.Option(help="Splits to use beside train and test, with commas.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """How well tasks of a class that nobody has labelled are flagged, grouped and named."""
        with open_context() as context, TerminalProgress(_err) as progress:
            from backend.simulation.novelty import Options, novelty_json, simulate_novelty
            from backend.simulation.novelty_table import print_figures
            from backend.simulation.rows import Wanted
            from backend.simulation.source import read_source, say_notes

            wanted = Wanted(text_field, label_field, words(splits), image_field)
            texts = read_source(context, data, project, _with_novel(data, wanted, novel_label), progress)
            say_notes(_err, texts.notes)
            options = Options(
                held_out=hold_out_classes,
                novel_label=novel_label,
                labels_per_class=labels_per_class,
                alpha=_share(alpha),
                seeds=seeds,
            )
            figures = simulate_novelty(context, texts.rows, options, progress=progress)
        if as_json:
            sys.stdout.write(json.dumps(novelty_json(figures)) + "\n")
            return
        print_figures(_out, figures, options)


def _with_novel(data: Path | None, wanted: Wanted, novel_label: str | None) -> Wanted:
    """Without named splits, those that hold the novel label when neither train nor test has it."""
    from backend.simulation.rows import splits_with_label

    if novel_label is None or wanted.splits or data is None:
        return wanted
    splits = splits_with_label(data, novel_label, label_field=wanted.label_field)
    if splits:
        _err.print(plain(f"{novel_label!r} is taken from: {', '.join(splits)}."))
    return replace(wanted, splits=splits)


def _share(alpha: float) -> float:
    if not 0.0 < alpha < 1.0:
        raise typer.BadParameter(f"{alpha} is not between 0 and 1.", param_hint="--alpha")
    return alpha
