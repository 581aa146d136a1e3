"""What `simulate synthetic` found, for people."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from backend.simulation.pages import first_address
from backend.simulation.sourced_rows import SourcedText
from backend.simulation.synthetic import MeasuredLift, SyntheticOutcome
from backend.terminal import plain
from model.synthetic.items import HARMFUL, UNSURE, VERDICTS

SHOWN = 5  # items named for each of the two verdicts that ask for a person


def print_outcome(console: Console, outcome: SyntheticOutcome) -> None:
    """Tables: lifts, verdicts, the items that ask for a person, and what to make next."""
    realism = outcome.judgement.realism
    console.print(
        plain(
            f"{outcome.dataset}: {len(outcome.rows)} synthetic items judged by {outcome.taught} of "
            f"{outcome.taught + outcome.audit} real ones; lift measured on the other {outcome.audit}."
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
        shown = "\n".join(_shown(row) for _, row in chosen[:SHOWN])
        table.add_row(verdict, str(counts[verdict]), plain(shown))
    return table


def _shown(row: SourcedText) -> str:
    """What people know a line by: its id, and where its picture lies, else its text."""
    shown = first_address(row.pictures) or row.text
    return shown if shown == row.id else f"{row.id}: {shown[:60]}"


def _gaps(outcome: SyntheticOutcome) -> Table:
    table = Table("make next", "items", "errors", "all real", "kept synthetic", "like")
    for gap in outcome.gaps:
        like = ", ".join(str(outcome.real_ids[item - 1]) for item in gap.examples)
        name = outcome.space.names[gap.column]
        figures = (str(gap.count), f"{gap.error:.0%}", str(gap.real), str(gap.synthetic))
        table.add_row(plain(name), *figures, plain(like))
    return table
