"""The sub-commands of `simulate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.context import Context
from backend.errors import BadRequest
from backend.simulation.labels import DEFAULT, RANDOM, Options, Outcome, needed, outcome_json, run_strategies
from backend.simulation.novelty_command import add_novelty
from backend.simulation.plot import draw_curves, require_plot_file
from backend.simulation.rows import read_labelled_texts
from backend.simulation.synthetic_command import add_synthetic
from backend.terminal import TerminalProgress, plain
from model.records import REPRESENTATIONS, Representation
from model.simulation.report import area_under, paired_difference
from model.simulation.run import AUTO, Plan

_out = Console()
_err = Console(stderr=True)


def add_simulate(app: typer.Typer, *, open_context: Callable[[], AbstractContextManager[Context]]) -> None:
    """Puts `simulate` into the command line; `open_context` also turns errors into words."""
    simulate = typer.Typer(no_args_is_help=True, help="Measure on data whose answers are known.")
    app.add_typer(simulate, name="simulate")
    add_novelty(simulate, open_context=open_context)
    add_synthetic(simulate, open_context=open_context)

    @simulate.command()
    def labels(
        data: Annotated[Path, typer.Argument(help="JSON lines with text, label and, if there is, split.")],
        strategies: Annotated[str, typer.Option(help="Beside default and random, with commas.")] = "margin",
        budgets: Annotated[str, typer.Option(help="Numbers of labels, with commas.")] = "20,50,100,200",
        batch: Annotated[int, typer.Option(min=1, help="Labels between trainings.")] = 10,
        seeds: Annotated[int, typer.Option(min=1, help="Runs of each strategy.")] = 5,
        noise: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of wrong answers.")] = 0.0,
        label_field: Annotated[str, typer.Option(help="The field that holds the label.")] = "label",
        splits: Annotated[str, typer.Option(help="Splits to use beside train and test.")] = "",
        names: Annotated[bool, typer.Option(help="Let label names speak before there are labels.")] = True,
        representation: Annotated[str, typer.Option(help=f"auto, {', '.join(REPRESENTATIONS)}.")] = AUTO,
        plot: Annotated[Path | None, typer.Option(help="Draw the curves: .png, .svg or .pdf.")] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object and nothing else.")
        ] = False,
    ) -> None:
        """How many labels each strategy needs. `start+then` is a strategy too: `random+margin`."""
        with open_context() as context, TerminalProgress(_err) as progress:
            if plot is not None:
                require_plot_file(plot)
            options = Options(
                strategies=_known_strategies(strategies),
                budgets=_numbers(budgets),
                batch=batch,
                seeds=seeds,
                noise=noise,
                audit_share=context.settings.audit_share,
                with_names=names,
                representation=_known_representation(representation),
            )
            rows = read_labelled_texts(data, label_field=label_field, splits=_words(splits))
            outcome = run_strategies(context, rows, options, dataset=data.stem, progress=progress)
            if plot is not None:
                draw_curves(outcome, plot)
        if as_json:
            sys.stdout.write(json.dumps(outcome_json(outcome)) + "\n")
            return
        print_outcome(_out, outcome)


def print_outcome(console: Console, outcome: Outcome) -> None:
    """A table, the default first, each with its difference to random in area under the curve."""
    seeds = len(outcome.full)
    console.print(
        plain(
            f"{outcome.dataset}: {outcome.pool_size} in the pool, {outcome.test_size} held out, "
            f"{fmean(outcome.full):.1%} right after labeling all; {seeds} seeds."
        )
    )
    table = Table(
        "strategy", *(f"{budget}" for budget in outcome.budgets), "n90", "n95", "area", "over random"
    )
    baseline = [area_under(curve) for curve in outcome.curves[RANDOM]]
    figures = outcome_json(outcome)["strategies"]
    for name, curves in outcome.curves.items():
        areas = [area_under(curve) for curve in curves]
        gain = paired_difference(areas, baseline)
        over = "" if name == RANDOM else f"{gain.mean:+.1%} ({gain.low:+.1%} … {gain.high:+.1%})"
        accuracies = [f"{fmean(values):.1%}" for values in figures[name]["accuracy"]]
        wanted = [_mean_or_never(needed(outcome, name, share), outcome) for share in (0.90, 0.95)]
        style = "bold" if name == DEFAULT else None
        table.add_row(name, *accuracies, *wanted, f"{fmean(areas):.1%}", over, style=style)
    console.print(table)


def _mean_or_never(values: list[float | None], outcome: Outcome) -> str:
    reached = [value for value in values if value is not None]
    if len(reached) < len(values):
        return f"> {max(outcome.budgets)}"
    return f"{fmean(reached):.0f}"


def _known_strategies(text: str) -> tuple[str, ...]:
    names = tuple(name for name in _words(text) if name != DEFAULT)
    try:
        for name in names:
            Plan(name, batch=1, budget=1, audit_share=0.0, seed=0)
    except ValueError as error:
        raise BadRequest(f"--strategies: {error}.") from None
    return names


def _known_representation(text: str) -> Representation | None:
    """None for the one that the labels choose."""
    for name in REPRESENTATIONS:
        if name == text:
            return name
    if text != AUTO:
        expected = ", ".join((AUTO, *REPRESENTATIONS))
        raise BadRequest(f"--representation {text}: expected one of {expected}.")
    return None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = sorted({int(word) for word in _words(text)})
    except ValueError:
        raise BadRequest(f"--budgets {text}: expected whole numbers with commas.") from None
    if not numbers or numbers[0] < 1:
        raise BadRequest(f"--budgets {text}: expected numbers of 1 or more.")
    return tuple(numbers)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
