"""The sub-command `simulate novelty`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.context import Context
from backend.simulation.novelty import Options, SeedFigures, novelty_json, simulate_novelty
from backend.simulation.rows import read_labelled_texts, splits_with_label
from backend.terminal import TerminalProgress, plain
from model.simulation.report import mean_interval

_out = Console()
_err = Console(stderr=True)


def add_novelty(
    simulate: typer.Typer, *, open_context: Callable[[], AbstractContextManager[Context]]
) -> None:
    """Puts `novelty` beside the other sub-commands of `simulate`."""

    @simulate.command()
    def novelty(
        data: Annotated[Path, typer.Argument(help="JSON lines with text, label and, if there is, split.")],
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
        label_field: Annotated[str, typer.Option(help="The field that holds the label.")] = "label",
        splits: Annotated[str, typer.Option(help="Splits to use beside train and test, with commas.")] = "",
        as_json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object and nothing else.")
        ] = False,
    ) -> None:
        """How well tasks of a class that nobody has labelled are flagged, grouped and named."""
        with open_context() as context, TerminalProgress(_err) as progress:
            wanted = tuple(word.strip() for word in splits.split(",") if word.strip())
            if novel_label is not None and not wanted:
                wanted = splits_with_label(data, novel_label, label_field=label_field)
                if wanted:
                    _err.print(plain(f"{novel_label!r} is taken from: {', '.join(wanted)}."))
            rows = read_labelled_texts(data, label_field=label_field, splits=wanted)
            options = Options(
                held_out=hold_out_classes,
                novel_label=novel_label,
                labels_per_class=labels_per_class,
                alpha=_share(alpha),
                seeds=seeds,
            )
            figures = simulate_novelty(context, rows, options, progress=progress)
        if as_json:
            sys.stdout.write(json.dumps(novelty_json(figures)) + "\n")
            return
        print_figures(_out, figures, options)


def print_figures(console: Console, figures: Sequence[SeedFigures], options: Options) -> None:
    """Means over seeds with intervals, and the names proposed in the first seed."""
    rows = {
        "AUROC": [one.auroc for one in figures],
        "FPR95": [one.fpr95 for one in figures],
        f"false alarms (promised {options.alpha:g})": [one.false_alarm_rate for one in figures],
        "novel items flagged": [one.recall for one in figures],
        "purity of the first groups": [one.purity for one in figures if one.purity is not None],
        "adjusted Rand index": [one.ari for one in figures if one.ari is not None],
        "novel classes in the first groups": [float(one.found) for one in figures],
        "tasks read to be sure of a class": [one.to_confirm for one in figures if one.to_confirm is not None],
        "large classes in the first 2 % of the queue": [
            one.in_front for one in figures if one.in_front is not None
        ],
    }
    table = Table("", "mean", "95 % interval")
    for name, values in rows.items():
        if not values:
            table.add_row(name, "–", "")
            continue
        found = mean_interval(values)
        table.add_row(name, f"{found.mean:.3f}", f"{found.low:.3f} to {found.high:.3f}")
    console.print(table)
    for reason in dict.fromkeys(one.reason for one in figures if one.reason):
        console.print(plain(f"{reason[:1].upper()}{reason[1:]}."))
    if figures[0].names:
        console.print(plain(f"Names of the first groups: {', '.join(figures[0].names)}."))


def _share(alpha: float) -> float:
    if not 0.0 < alpha < 1.0:
        raise typer.BadParameter(f"{alpha} is not between 0 and 1.", param_hint="--alpha")
    return alpha
