"""What `simulate labels` found, for machines."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from backend.json_types import Json
from backend.simulation.labels import DEFAULT, FULL, Outcome
from model.simulation.report import accuracy_at, area_under, audit_at, labels_needed
from model.simulation.run import Curve
from model.task_type import Figure


def outcome_json(outcome: Outcome) -> Json:
    """The figures; `metric` names what accuracy is the share of, n90 and n95 are labels to 90 and 95 % of the
    accuracy of the whole pool.

    Of several questions each has the same under `questions`; accuracy and area are the mean over them, n90
    and n95 the labels until the last of them is there, and there is no audit of all.
    """
    found: Json = {"dataset": outcome.dataset, **_figures(outcome)}
    if outcome.parts:
        found["questions"] = {
            name: {"kind": part.kind, **_figures(part)} for name, part in outcome.parts.items()
        }
    return found


def needed(outcome: Outcome, name: str, share: float) -> list[float | None]:
    """Labels (by seed) that a strategy needs for a share of what the whole pool gives, in all questions."""
    if outcome.parts:
        by_question = [needed(part, name, share) for part in outcome.parts.values()]
        return [_last(values) for values in zip(*by_question, strict=True)]
    curves = outcome.curves[name]
    return [labels_needed(curve, share * full) for curve, full in zip(curves, outcome.full, strict=True)]


def mean_figures(outcome: Outcome, name: str) -> dict[str, float]:
    """Means over seeds of the further figures of a strategy; those that no seed has are left out."""
    values: dict[str, list[float]] = {}
    for of_seed in outcome.figures.get(name, []):
        for figure in of_seed:
            if figure.value is not None:
                values.setdefault(figure.name, []).append(figure.value)
    return {what: fmean(found) for what, found in values.items()}


def _figures(outcome: Outcome) -> Json:
    budgets = outcome.budgets
    found: Json = {
        "metric": outcome.metric,
        "n_pool": outcome.pool_size,
        "n_test": outcome.test_size,
        "full_accuracy": fmean(outcome.full),
        "budgets": list(budgets),
        "strategies": {
            name: {
                "accuracy": _by_budget([accuracy_at(curve, budgets) for curve in curves]),
                "n90": needed(outcome, name, 0.90),
                "n95": needed(outcome, name, 0.95),
                "area": [area_under(curve) for curve in curves],
                "rank_seconds": [fmean(curve.rank_seconds) for curve in curves],
                "representation": [curve.representation[-1] for curve in curves],
            }
            for name, curves in outcome.curves.items()
        },
        "audit": _audit_json(outcome.curves[DEFAULT], budgets),
    }
    if outcome.figures:
        found["figures"] = {name: _by_name(seeds) for name, seeds in outcome.figures.items()}
        found["full_figures"] = found["figures"].pop(FULL)
    if outcome.tolerance:
        found["tolerance"] = outcome.tolerance
    return found


def _by_name(seeds: Sequence[tuple[Figure, ...]]) -> Json:
    names = dict.fromkeys(figure.name for figures in seeds for figure in figures)
    found = [{figure.name: figure.value for figure in figures} for figures in seeds]
    return {name: [figures.get(name) for figures in found] for name in names}


def _last(values: Sequence[float | None]) -> float | None:
    reached = [value for value in values if value is not None]
    return max(reached) if len(reached) == len(values) else None


def _by_budget(by_seed: list[list[float]]) -> list[list[float]]:
    return [list(values) for values in zip(*by_seed, strict=True)]


def _audit_json(curves: list[Curve], budgets: Sequence[int]) -> Json:
    """Per budget and seed: what the audit said, and what the test items say of the same head."""
    said = [audit_at(curve, budgets) for curve in curves]
    columns: Json = {
        name: [[None if point is None else point[place] for point in row] for row in zip(*said, strict=True)]
        for place, name in enumerate(("estimate", "low", "high"))
    }
    return columns | {"true": _by_budget([accuracy_at(curve, budgets) for curve in curves])}
