"""What `simulate novelty` found, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from backend.simulation.novelty import Options, SeedFigures
from backend.terminal import plain
from model.simulation.report import FEWEST_SEEDS, mean_interval


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
        between = f"{found.low:.3f} to {found.high:.3f}" if len(values) >= FEWEST_SEEDS else "–"
        table.add_row(name, f"{found.mean:.3f}", between)
    console.print(table)
    if len(figures) < FEWEST_SEEDS:
        console.print(f"An interval needs {FEWEST_SEEDS} seeds or more.")
    for reason in dict.fromkeys(one.reason for one in figures if one.reason):
        console.print(plain(f"{reason[:1].upper()}{reason[1:]}."))
    if figures[0].names:
        console.print(plain(f"Names of the first groups: {', '.join(figures[0].names)}."))
