"""What `simulate labels` found, for people."""

from __future__ import annotations

from statistics import fmean

from rich.console import Console
from rich.table import Table

from backend.simulation.labels import DEFAULT, RANDOM, Outcome, needed, outcome_json
from backend.terminal import plain
from model.simulation.report import area_under, paired_difference


def print_outcome(console: Console, outcome: Outcome) -> None:
    """The table, and what its words mean."""
    print_table(console, outcome)
    for line in explain_table(outcome):
        console.print(plain(line))


def print_table(console: Console, outcome: Outcome) -> None:
    """A row a strategy, the default first, each with its difference to random in area under the curve."""
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


def explain_table(outcome: Outcome) -> list[str]:
    """What stands in the columns, in sentences."""
    full, most = fmean(outcome.full), max(outcome.budgets)
    return [
        f"{', '.join(map(str, outcome.budgets))}: held-out texts that are right after so many labels.",
        f"n90, n95: labels that are needed for 90 % ({0.9 * full:.1%}) and 95 % ({0.95 * full:.1%}) of what "
        f"labeling the whole pool gives ({full:.1%}, called full in plots and JSON); > {most}: not reached.",
        f"area: mean accuracy on the way to {most} labels; over random: its difference to labeling in random "
        "order, with the 95 % interval over seeds. Below 0 chance was better.",
    ]


def _mean_or_never(values: list[float | None], outcome: Outcome) -> str:
    reached = [value for value in values if value is not None]
    if len(reached) < len(values):
        return f"> {max(outcome.budgets)}"
    return f"{fmean(reached):.0f}"
