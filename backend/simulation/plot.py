"""Learning curves as a picture."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np

from backend.errors import BadRequest
from backend.simulation.labels import DEFAULT, Outcome
from model.simulation.report import accuracy_at

SUFFIXES = (".png", ".svg", ".pdf")
_POINTS = 200


def require_plot_file(path: Path) -> None:
    """Raises BadRequest when no picture can be written there."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadRequest(f"--plot {path}: the name must end in {', '.join(SUFFIXES)}.")
    if not path.resolve().parent.is_dir():
        raise BadRequest(f"--plot {path}: the folder does not exist.")


def draw_curves(outcome: Outcome, path: Path) -> None:
    """Accuracy by labels: the mean of each strategy, with a band from the lowest seed to the highest."""
    from matplotlib.figure import Figure  # takes half a second to load, and few runs draw

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    places = np.linspace(0, max(outcome.budgets), _POINTS).round().astype(int).tolist()
    for name, curves in outcome.curves.items():
        values = np.array([accuracy_at(curve, places) for curve in curves])
        (line,) = axes.plot(
            places, values.mean(axis=0), label=name, linewidth=2.5 if name == DEFAULT else 1.2
        )
        axes.fill_between(
            places, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.12, linewidth=0
        )
    axes.axhline(fmean(outcome.full), color="grey", linestyle=":", linewidth=1, label="whole pool")
    axes.set(xlabel="labels", ylabel="accuracy", title=outcome.dataset, xlim=(0, max(outcome.budgets)))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
