"""A bench's figures beside what was promised: printed as one table, kept as JSON and markdown."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine, read_load

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `reached` is None where nothing was promised."""

    what: str
    value: str
    target: str = ""
    reached: bool | None = None

    @property
    def verdict(self) -> str:
        """A word for the last column."""
        return {None: "", True: "reached", False: "missed"}[self.reached]


@dataclass(slots=True)
class Bench:
    """Collects figures while a bench runs; `raw` holds every single measurement."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    loads: list[float] = field(default_factory=lambda: [read_load()])
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line about where the bench is; notes the machine's load as well."""
        self.loads.append(read_load())
        sys.stderr.write(f"{time.monotonic() - self.started:6.0f} s  {text}\n")
        sys.stderr.flush()

    def add(self, what: str, value: str) -> None:
        """A figure that nothing was promised about."""
        self.figures.append(Figure(what, value))

    def at_most(self, what: str, value: float, *, limit: float, unit: str, note: str = "") -> None:
        """A figure that must not be above `limit`."""
        space = " " if unit.isalpha() else ""
        shown = f"{_number(value)}{space}{unit}{note}"
        self.figures.append(Figure(what, shown, f"≤ {limit:g}{space}{unit}", value <= limit))

    def check(self, what: str, value: str, *, target: str, reached: bool) -> None:
        """A figure with a promise of another kind."""
        self.figures.append(Figure(what, value, target, reached))

    def finish(self) -> None:
        """Print the table and write the results."""
        self.loads.append(read_load())
        _print(self)
        RESULTS.mkdir(exist_ok=True)
        about = describe_machine() | {"load": f"{min(self.loads)} to {max(self.loads)} during the run"}
        content = {"bench": self.name, "about": about} | {
            "figures": [asdict(figure) for figure in self.figures],
            "raw": self.raw,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (RESULTS / f"{self.name}.json").write_text(text, encoding="utf-8")
        (RESULTS / f"{self.name}.md").write_text(_markdown(self, about), encoding="utf-8")


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (in percent) of the values lie."""
    return float(np.percentile(values, share))


def median(values: list[float]) -> float:
    """The middle value."""
    return percentile(values, 50)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _print(bench: Bench) -> None:
    table = Table(title=bench.title, title_justify="left")
    for heading in ("figure", "measured", "target", ""):
        table.add_column(heading)
    for figure in bench.figures:
        table.add_row(figure.what, figure.value, figure.target, figure.verdict)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _markdown(bench: Bench, about: dict[str, str]) -> str:
    rows = [f"| {f.what} | {f.value} | {f.target} | {f.verdict} |" for f in bench.figures]
    notes = [f"- {name}: {text}" for name, text in about.items()]
    heading = ["| figure | measured | target | |", "|---|---|---|---|"]
    return "\n".join([f"# {bench.title}", "", *heading, *rows, "", *notes]) + "\n"
