"""What people see on a terminal: lines whose names are never markup, and progress."""

from __future__ import annotations

import sys
import time
from io import TextIOWrapper
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import TimeRemainingColumn as TimeLeftColumn
from rich.text import Text

from backend.visible import visible

_TELL_EVERY_S = 10.0


def plain(*parts: str | tuple[str, str]) -> Text:
    """A line as it is: no part is markup, whatever people call their labels. A pair: a part and its style.

    Control characters are shown by their codes: they would steer the terminal.
    """
    pairs = [part if isinstance(part, tuple) else (part, "") for part in parts]
    return Text.assemble(*((visible(text), style) for text, style in pairs))


def print_whatever_the_encoding() -> None:
    """A character that the terminal's encoding does not have is printed by its code, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class TerminalProgress:
    """A `Progress` for people; used as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeLeftColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._name, self._done, self._total, self._told_at, self._begun_at = "", 0, 0, 0.0, 0.0

    def __enter__(self) -> TerminalProgress:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Begins a stage; the one before it is done."""
        if total == 0:
            return
        if not self._console.is_terminal:
            self._console.print(plain(f"… {name}" + (f" ({total:,})" if total else "")))
            self._name, self._done, self._total = name, 0, total or 0
            self._told_at = self._begun_at = time.monotonic()
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total)

    def advance(self, steps: int) -> None:
        """Moves the bar; without a terminal a line now and then says how far a long stage is."""
        if self._task is not None:
            self._bar.advance(self._task, steps)
        self._done += steps
        if self._total and self._done < self._total and time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            far = _how_far(self._done, self._total, self._told_at - self._begun_at)
            self._console.print(plain(f"… {self._name}: {far}"), soft_wrap=True)


class _Rate(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        """Empty while nothing is known."""
        return Text(f"{_rounded(task.speed)}/s" if task.speed else "")


def _how_far(done: int, total: int, seconds: float) -> str:
    """Steps done, how many come in a second, and the time that the others take at this rate."""
    rate = done / seconds
    left = (total - done) / rate
    told = f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min"
    return f"{done:,} of {total:,}, {_rounded(rate)} a second, {told} left"


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
