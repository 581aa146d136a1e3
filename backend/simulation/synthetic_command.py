"""The sub-command `simulate synthetic`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.context import Context
from backend.simulation.sourced_rows import read_sourced_texts
from backend.simulation.synthetic import MeasuredLift, SyntheticOutcome, judge_rows, outcome_json
from backend.terminal import TerminalProgress, plain
from model.synthetic.items import HARMFUL, UNSURE, VERDICTS

SHOWN = 5  # items named for each of the two verdicts that ask for a person
_out = Console()
_err = Console(stderr=True)


def add_synthetic(
    simulate: typer.Typer, *, open_context: Callable[[], AbstractContextManager[Context]]
) -> None:
    """Puts `synthetic` beside the other sub-commands of `simulate`."""

    @simulate.command()
    def synthetic(
        data: Annotated[
            Path,
            typer.Argument(help="JSON lines with text, label, source and, if there are, split, generator."),
        ],
        label_field: Annotated[str, typer.Option(help="The field that holds the label.")] = "label",
        seed: Annotated[int, typer.Option(min=0, help="Draws the audit and what is resampled.")] = 0,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object and nothing else.")
        ] = False,
    ) -> None:
        """Which synthetic items help, repeat or harm, what they lift, and what to make next."""
        with open_context() as context, TerminalProgress(_err) as progress:
            rows = read_sourced_texts(data, label_field=label_field)
            outcome = judge_rows(context, rows, dataset=data.stem, seed=seed, progress=progress)
        if as_json:
            sys.stdout.write(json.dumps(outcome_json(outcome)) + "\n")
            return
        print_outcome(_out, outcome)


def print_outcome(console: Console, outcome: SyntheticOutcome) -> None:
    """Tables: lifts, verdicts, the items that ask for a person, and what to make next."""
    realism = outcome.judgement.realism
    console.print(
        plain(
            f"{outcome.dataset}: {len(outcome.rows)} synthetic items judged by {outcome.taught} real ones; "
            f"lift measured on {outcome.audit} audit labels."
        )
    )
    console.print(
        f"A classifier tells real from synthetic with {realism.accuracy:.1%} accuracy "
        f"(p = {realism.p_value:.2g}).",
        highlight=False,
    )
    if outcome.new_classes:
        console.print(plain(f"No real item is labelled {', '.join(outcome.new_classes)}."))
    console.print(_lifts(outcome))
    console.print(_verdicts(outcome))
    console.print(_gaps(outcome))
    for words in outcome.stop:
        console.print(plain(f"Stop: {words}"))


def _lifts(outcome: SyntheticOutcome) -> Table:
    table = Table("kept", "items", "lift on audit labels", "on held-out items")
    rows = {"all": outcome.lift, "helpful only": outcome.helpful_only, **outcome.groups}
    for name, found in rows.items():
        table.add_row(plain(name), str(found.lift.items), found.lift.words, _true(found))
    return table


def _true(found: MeasuredLift) -> str:
    return "" if found.true is None else f"{100 * found.true:+.1f}"


def _verdicts(outcome: SyntheticOutcome) -> Table:
    items = outcome.judgement.items
    counts = Counter(item.verdict for item in items)
    table = Table("verdict", "items", "such as")
    for verdict in VERDICTS:
        chosen = [pair for pair in zip(items, outcome.rows, strict=True) if pair[0].verdict == verdict]
        if verdict == HARMFUL:
            chosen.sort(key=lambda pair: pair[0].value)
        if verdict == UNSURE:
            chosen.sort(key=lambda pair: -pair[0].review_order)
        shown = "\n".join(f"{row.id}: {row.text[:60]}" for _, row in chosen[:SHOWN])
        table.add_row(verdict, str(counts[verdict]), plain(shown))
    return table


def _gaps(outcome: SyntheticOutcome) -> Table:
    table = Table("make next", "items", "errors", "real", "kept synthetic", "like")
    for gap in outcome.gaps:
        like = ", ".join(str(outcome.real_ids[item - 1]) for item in gap.examples)
        name = outcome.space.names[gap.column]
        figures = (str(gap.count), f"{gap.error:.0%}", str(gap.real), str(gap.synthetic))
        table.add_row(plain(name), *figures, plain(like))
    return table
