"""What `simulate labels` found, for people."""

from __future__ import annotations

from statistics import fmean

from rich.console import Console
from rich.table import Table

from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.simulation.labels import DEFAULT, FULL, RANDOM, Outcome
from backend.simulation.labels_json import mean_figures, needed, outcome_json
from backend.terminal import plain
from model.simulation.report import FEWEST_SEEDS, area_under, paired_difference


def print_outcome(console: Console, outcome: Outcome) -> None:
    """The table, and what its words mean."""
    print_table(console, outcome)
    for line in explain_table(outcome):
        console.print(plain(line))


def print_table(console: Console, outcome: Outcome) -> None:
    """A row a strategy, the default first, each with its difference to random in area under the curve.

    Of several questions first their mean, then each.
    """
    seeds = len(outcome.full)
    right = "right" if outcome.kind == SINGLE_CHOICE else _what_counts(outcome)
    console.print(
        plain(
            f"{outcome.dataset}: {outcome.pool_size} in the pool, {outcome.test_size} held out, "
            f"{fmean(outcome.full):.1%} {right} after labeling all; "
            f"{'1 seed' if seeds == 1 else f'{seeds} seeds'}."
        )
    )
    console.print(_table(outcome))
    for name, part in outcome.parts.items():
        console.print(
            plain(f"{name} ({part.kind}): {fmean(part.full):.1%} {_what_counts(part)} after labeling all.")
        )
        console.print(_table(part))


def explain_table(outcome: Outcome) -> list[str]:
    """What stands in the columns, in sentences."""
    full, most = fmean(outcome.full), max(outcome.budgets)
    budgets = ", ".join(map(str, outcome.budgets))
    if outcome.parts:
        counted = (
            "the share of held-out answers that are right after so many items, on average of all questions"
        )
    elif outcome.kind == SINGLE_CHOICE:
        counted = "held-out items that are right after so many labels"
    else:
        counted = f"{_what_counts(outcome)}, of those to held-out items, after so many labels"
    last = " by the last of the questions" if outcome.parts else ""
    lines = [
        f"{budgets}: {counted}.",
        f"n90, n95: labels that are needed{last} for 90 % ({0.9 * full:.1%}) and 95 % ({0.95 * full:.1%}) of "
        f"what the whole pool gives ({full:.1%}, called full in plots and JSON); > {most}: not reached.",
        f"area: mean accuracy on the way to {most} labels; over random: its difference to labeling in random "
        f"order{_of_seeds(outcome)}. Below 0 chance was better.",
    ]
    return [*lines, *_beyond_pool(outcome), *_further_figures(outcome)]


def _beyond_pool(outcome: Outcome) -> list[str]:
    """Which of the budgets that were asked for are no column."""
    if not outcome.beyond:
        return []
    budgets = " and ".join(f"{budget:,}" for budget in outcome.beyond)
    return [
        f"Left out: {budgets} labels, more than the {outcome.pool_size:,} in the pool; the whole pool stands "
        "in their place."
    ]


def _table(outcome: Outcome) -> Table:
    table = Table(
        "strategy", *(f"{budget}" for budget in outcome.budgets), "n90", "n95", "area", "over random"
    )
    baseline = [area_under(curve) for curve in outcome.curves[RANDOM]]
    figures = outcome_json(outcome)["strategies"]
    for name, curves in outcome.curves.items():
        areas = [area_under(curve) for curve in curves]
        gain = paired_difference(areas, baseline)
        between = f" ({gain.low:+.1%} … {gain.high:+.1%})" if len(areas) >= FEWEST_SEEDS else ""
        over = "" if name == RANDOM else f"{gain.mean:+.1%}{between}"
        accuracies = [f"{fmean(values):.1%}" for values in figures[name]["accuracy"]]
        wanted = [_mean_or_never(needed(outcome, name, share), outcome) for share in (0.90, 0.95)]
        style = "bold" if name == DEFAULT else None
        table.add_row(name, *accuracies, *wanted, f"{fmean(areas):.1%}", over, style=style)
    return table


def _of_seeds(outcome: Outcome) -> str:
    """What the difference to chance comes with: one or two seeds say little of how much it varies."""
    seeds = len(outcome.full)
    if seeds >= FEWEST_SEEDS:
        return ", with the 95 % interval over seeds"
    return f"; of {'one seed' if seeds == 1 else f'{seeds} seeds'} without an interval"


def _what_counts(outcome: Outcome) -> str:
    """What accuracy is the share of; of numbers how near is near enough."""
    if outcome.parts:
        return "right, on average of the questions,"
    return outcome.metric + (f" (off by {outcome.tolerance:.3g} at most)" if outcome.tolerance else "")


def _further_figures(outcome: Outcome) -> list[str]:
    """Other figures of each question, after the last label and of the whole pool."""
    most, lines = max(outcome.budgets), []
    for name, part in (outcome.parts or {"": outcome}).items():
        full = mean_figures(part, FULL)
        for strategy in (DEFAULT, RANDOM):
            found = mean_figures(part, strategy)
            said = [f"{what} {value:.3g} (full {full.get(what, 0):.3g})" for what, value in found.items()]
            if said:
                lines.append(f"{f'{name}, ' if name else ''}{strategy}, after {most}: {', '.join(said)}.")
    return lines


def _mean_or_never(values: list[float | None], outcome: Outcome) -> str:
    reached = [value for value in values if value is not None]
    if len(reached) < len(values):
        return f"> {max(outcome.budgets)}"
    return f"{fmean(reached):.0f}"
