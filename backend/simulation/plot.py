"""Learning curves as a picture."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from backend.errors import BadRequest
from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.simulation.labels import DEFAULT, Outcome
from backend.simulation.labels_table import explain_table, print_table
from model.simulation.report import accuracy_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf", ".html")
_POINTS = 200
_COLUMNS = 110  # characters of the table on the page
_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: labels and accuracy</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem; font-family: system-ui, sans-serif; }}
svg {{ width: 100%; height: auto; background: #fff; }}
pre {{ overflow-x: auto; font-size: .8rem; }}
</style>
<h1>{title}</h1>
"""


def require_plot_file(path: Path) -> None:
    """Raises BadRequest when no picture can be written there."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadRequest(f"--plot {path}: the name must end in {', '.join(SUFFIXES)}.")
    if not path.resolve().parent.is_dir():
        raise BadRequest(f"--plot {path}: the folder does not exist.")


def draw_curves(outcome: Outcome, path: Path) -> None:
    """Accuracy by labels: the mean of each strategy, with a band from the lowest seed to the highest.

    Of several questions one picture below the other, their mean first.
    """
    from matplotlib.figure import Figure  # takes half a second to load, and few runs draw

    shown = {outcome.dataset: outcome} | {
        f"{name} ({part.kind})": part for name, part in outcome.parts.items()
    }
    figure = Figure(figsize=(8, 5 * len(shown)), layout="constrained")
    for place, (title, part) in enumerate(shown.items(), start=1):
        _draw(part, figure.add_subplot(len(shown), 1, place), title)
    try:
        if path.suffix.lower() == ".html":
            path.write_text(_page(outcome, figure), encoding="utf-8")
        else:
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise BadRequest(f"--plot {path} can not be written: {error.strerror}.") from None


def _draw(outcome: Outcome, axes: Axes, title: str) -> None:
    places = np.linspace(0, max(outcome.budgets), _POINTS).round().astype(int).tolist()
    for name, curves in outcome.curves.items():
        values = np.array([accuracy_at(curve, places) for curve in curves])
        (line,) = axes.plot(
            places, values.mean(axis=0), label=name, linewidth=2.5 if name == DEFAULT else 1.2
        )
        axes.fill_between(
            places, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.12, linewidth=0
        )
    axes.axhline(fmean(outcome.full), color="grey", linestyle=":", linewidth=1, label="full: the whole pool")
    label = "accuracy" if outcome.kind == SINGLE_CHOICE else outcome.metric
    axes.set(xlabel="labels", ylabel=label, title=title, xlim=(0, max(outcome.budgets)))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _page(outcome: Outcome, figure: Figure) -> str:
    """The picture, the table and what its words mean, in one file that needs no network."""
    drawing, table = io.StringIO(), io.StringIO()
    figure.savefig(drawing, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    print_table(Console(file=table, width=_COLUMNS, no_color=True), outcome)
    svg = drawing.getvalue()
    words = "".join(f"<p>{escape(line)}</p>\n" for line in explain_table(outcome))
    head = _HEAD.format(title=escape(outcome.dataset))
    return f"{head}{svg[svg.index('<svg') :]}\n<pre>{escape(table.getvalue())}</pre>\n{words}"
