"""How good the model is after so many labels: our order against random ones, on eight classes of posts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Bench
from benchmarks.simulation import WAYS, Accuracies, Simulation, open_backend
from benchmarks.texts import draw_classes

SEEDS = 5
REPEATS = 4
BUDGETS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
SHOWN = (0, 10, 20, 40, 60, 90)
OURS, RANDOM, MARGIN, PLAIN = (way.name for way in WAYS)
RESAMPLES = 10_000

Values = NDArray[np.float64]


def main() -> None:
    """Run the bench."""
    bench = Bench("accuracy", "Accuracy on unseen posts of eight classes, by labels given")
    found: dict[str, list[list[list[Accuracies]]]] = {way.name: [] for way in WAYS}
    complete: list[float] = []
    bench.say(f"{SEEDS} draws of 600 tasks, {REPEATS} projects each")
    with open_backend() as context:
        for seed in range(SEEDS):
            draw = draw_classes(seed)
            for way in WAYS:
                found[way.name].append([])
            for repeat in range(REPEATS):
                simulation = Simulation(context, draw, repeat=repeat)
                for way in WAYS:
                    found[way.name][seed].append(simulation.run(way, BUDGETS))
                if repeat == 0:
                    complete.append(simulation.measure_all())
                simulation.close()
            bench.say(f"draw {seed + 1} of {SEEDS}: {', '.join(draw.labels)}")
    unseen = {name: _table(rows, "unseen") for name, rows in found.items()}
    unlabelled = {name: _table(rows, "unlabelled") for name, rows in found.items()}
    for name, values in unseen.items():
        bench.add(f"{name}: after {_join(map(str, SHOWN))} labels", _curve(values))
    bench.add("ours, on the tasks not labelled yet", _curve(unlabelled[OURS]))
    bench.add("every task labelled (600 labels)", f"{np.mean(complete):.3f}")
    _compare(bench, unseen)
    bench.raw = {
        "budgets": BUDGETS,
        "unseen [draw][project][budget]": {name: values.tolist() for name, values in unseen.items()},
        "unlabelled [draw][project][budget]": {name: values.tolist() for name, values in unlabelled.items()},
        "all labelled [draw]": complete,
    }
    bench.finish()


def _compare(bench: Bench, unseen: dict[str, Values]) -> None:
    at60, at90 = BUDGETS.index(60), BUDGETS.index(90)
    for rival in (RANDOM, PLAIN):
        gain = unseen[OURS][:, :, at60] - unseen[rival][:, :, at90]
        low, high = _interval(gain)
        shown = f"{gain.mean():+.3f} (95 % interval {low:+.3f} to {high:+.3f})"
        # Reached only where chance alone would hardly do it.
        bench.check(f"ours at 60 labels − {rival} at 90", shown, target="interval > 0", reached=low > 0)
    for rival in (RANDOM, MARGIN, PLAIN):
        gain = unseen[OURS][:, :, at60] - unseen[rival][:, :, at60]
        low, high = _interval(gain)
        bench.add(
            f"ours − {rival}, both at 60 labels",
            f"{gain.mean():+.3f} (95 % interval {low:+.3f} to {high:+.3f})",
        )


def _interval(gain: Values) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of gains (draw, project): draws first, then projects in them."""
    rng = np.random.default_rng(0)
    draws, projects = gain.shape
    chosen = rng.integers(draws, size=(RESAMPLES, draws, 1))
    within = rng.integers(projects, size=(RESAMPLES, draws, projects))
    means = gain[chosen, within].mean(axis=(1, 2))
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _table(rows: list[list[list[Accuracies]]], field: str) -> Values:
    """(draw, project, budget); not a number where there is no model."""
    values = [[[getattr(point, field) for point in run] for run in runs] for runs in rows]
    return np.array(values, dtype=float)


def _curve(values: Values) -> str:
    means = values.mean(axis=(0, 1))
    return _join("–" if np.isnan(m := means[BUDGETS.index(b)]) else f"{m:.3f}" for b in SHOWN)


def _join(parts: Iterable[str]) -> str:
    return " / ".join(parts)


if __name__ == "__main__":
    main()
