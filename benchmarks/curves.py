"""Learning curves of several sets side by side, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

from benchmarks.runs import Run

COLUMNS = 4
# Colours that also colour-blind people tell apart (Okabe and Ito, 2008); the first is ours.
COLOURS = ("#D55E00", "#000000", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#8C6D31", "#7F7F7F")


def draw_sets(sets: Mapping[str, Mapping[str, Mapping[int, Run]]], path: Path, *, title: str) -> None:
    """One panel a set: for each order the mean over seeds, with the lowest and highest seed as a band."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = -(-len(sets) // COLUMNS) or 1
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 3.4 * rows), squeeze=False)
    orders = list(dict.fromkeys(order for ways in sets.values() for order in ways))
    colours = {order: COLOURS[place % len(COLOURS)] for place, order in enumerate(orders)}
    for panel in axes.flat[len(sets) :]:
        panel.set_axis_off()
    for panel, (name, ways) in zip(axes.flat, sets.items(), strict=False):
        for order, runs in ways.items():
            if runs:
                _draw_order(panel, list(runs.values()), order, colours[order], is_ours=order == orders[0])
        full = next(run.full for runs in ways.values() for run in runs.values())
        panel.axhline(full, color="#999999", linewidth=0.8, linestyle=":")
        panel.axhline(0.95 * full, color="#BBBBBB", linewidth=0.8, linestyle=":")
        panel.set_ylim(_bottom(ways), full + 0.02)
        panel.set_title(name, fontsize=10)
        panel.tick_params(labelsize=8)
    handles = {line.get_label(): line for panel in axes.flat for line in panel.get_legend_handles_labels()[0]}
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=5, frameon=False, fontsize=9)
    figure.suptitle(f"{title} (dotted: 100 and 95 % of what the whole pool gives)", fontsize=11)
    figure.tight_layout(rect=(0, 0.03 + 0.06 / rows, 1, 0.98))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_order(panel, runs: list[Run], order: str, colour: str, *, is_ours: bool) -> None:
    labels, table = runs[0].labels, np.array([run.accuracy for run in runs])
    panel.plot(
        labels, table.mean(axis=0), color=colour, label=order, linewidth=2.2 if is_ours else 1.2, zorder=3
    )
    panel.fill_between(labels, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.08, linewidth=0)


def _bottom(ways: Mapping[str, Mapping[int, Run]]) -> float:
    """Where the panel starts: the curves' beginnings say little and would press the rest together."""
    full = next(run.full for runs in ways.values() for run in runs.values())
    starts = [np.mean([run.accuracy[1] for run in runs.values()]) for runs in ways.values() if runs]
    return float(max(min(starts) - 0.03, 0.35 * full))
