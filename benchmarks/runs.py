"""Runs of strategies on exercises, each kept as soon as it is done, so that a bench can be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.json_lines import JsonLines
from model.simulation.report import Interval, area_under, labels_needed, mean_interval
from model.simulation.run import Curve


@dataclass(frozen=True, slots=True)
class Key:
    """Which run it is."""

    dataset: str
    strategy: str
    protocol: str
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """A learning curve, the accuracy that the whole pool gives, and what it cost in seconds of CPU."""

    key: Key
    labels: list[int]
    accuracy: list[float]
    full: float
    cpu_s: float

    @property
    def curve(self) -> Curve:
        """The curve as the report takes it."""
        return Curve(labels=self.labels, accuracy=self.accuracy)

    @property
    def area(self) -> float:
        """Mean accuracy from no label to the last."""
        return area_under(self.curve)

    def cut(self, budget: int) -> Run:
        """The same run, ended at the last training within a budget of labels."""
        kept = sum(count <= budget for count in self.labels)
        return replace(self, labels=self.labels[:kept], accuracy=self.accuracy[:kept])

    def needed(self, share: float) -> float | None:
        """Labels to a share of the accuracy of the whole pool; None when the budget did not suffice."""
        return labels_needed(self.curve, share * self.full)

    def capped(self, share: float) -> float:
        """The same, with the whole budget where it did not suffice."""
        needed = self.needed(share)
        return float(self.labels[-1]) if needed is None else needed

    def raw(self) -> dict[str, object]:
        """Everything that was measured, for the JSON of the results."""
        return {
            "set": self.key.dataset,
            "order": self.key.strategy,
            "protocol": self.key.protocol,
            "seed": self.key.seed,
            "n90": self.needed(0.90),
            "n95": self.needed(0.95),
            "area": round(self.area, 5),
            "full": round(self.full, 5),
            "labels": self.labels,
            "accuracy": [round(value, 4) for value in self.accuracy],
            "cpu_s": self.cpu_s,
        }


class Ledger:
    """All runs of a bench, in a file of JSON lines that grows."""

    def __init__(self, path: Path) -> None:
        self._lines = JsonLines(path)
        runs = [Run(**row | {"key": Key(**row["key"])}) for row in self._lines.rows]
        self.runs = {run.key: run for run in runs}

    def do(self, key: Key, full: float, work: Callable[[], Curve]) -> bool:
        """Do a run unless it is there; tells whether it was done now."""
        if key in self.runs:
            return False
        started = time.process_time()
        curve = work()
        run = Run(key, curve.labels, curve.accuracy, full, round(time.process_time() - started, 2))
        self.runs[key] = run
        self._lines.append(asdict(run))
        return True

    def of(self, dataset: str, strategy: str, protocol: str) -> dict[int, Run]:
        """The runs of a strategy by seed."""
        return {
            key.seed: run
            for key, run in sorted(self.runs.items(), key=lambda pair: pair[0].seed)
            if (key.dataset, key.strategy, key.protocol) == (dataset, strategy, protocol)
        }


def mean_needed(runs: Iterable[Run], share: float) -> float:
    """Mean labels over seeds, the budget counting where it did not suffice."""
    return float(np.mean([run.capped(share) for run in runs]))


def show_needed(runs: Sequence[Run], share: float) -> str:
    """The mean with its interval, and a sign when it is too low for some seeds' sake."""
    found = mean_interval([run.capped(share) for run in runs])
    above = "" if all(run.needed(share) is not None for run in runs) else "> "
    return f"{above}{found.mean:.0f} ({found.low:.0f} to {found.high:.0f})"


def show_difference(interval: Interval, form: str) -> str:
    """A difference with its sign and its interval."""
    return f"{interval.mean:+{form}} ({interval.low:+{form}} to {interval.high:+{form}})"
