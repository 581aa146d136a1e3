"""The command `python -m demo`: all of it up for you to try, or with `--once` labelled, measured, stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from demo.child_process import ProgramError
from demo.picture_stage import PictureStage, set_picture_stage
from demo.proof import ProofFailed, prove, prove_one_choice
from demo.stage import Stage, set_stage

AnyStage = TypeVar("AnyStage", Stage, PictureStage)


@dataclass(frozen=True, slots=True)
class Show(Generic[AnyStage]):
    """One demonstration: what puts it up, and what proves that it works."""

    set_stage: Callable[[Path, Console], AbstractContextManager[AnyStage]]
    prove: Callable[[AnyStage, Console], None]


TEXTS = Show(set_stage, prove)
PICTURES = Show(set_picture_stage, prove_one_choice)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Parse the arguments, run, and leave nothing running behind."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--once",
        action="store_true",
        help="label 30 tasks of each project, print the figures, stop everything",
    )
    parser.add_argument("--images", action="store_true", help="show pictures in place of texts")
    said = parser.parse_args()
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    console = Console()
    show: Show[Any] = PICTURES if said.images else TEXTS
    sys.exit(_run(show, console, once=said.once))


def _run(show: Show[AnyStage], console: Console, *, once: bool) -> int:
    try:
        with (
            tempfile.TemporaryDirectory(prefix="nextlabel-demo-") as folder,
            show.set_stage(Path(folder), console) as stage,
        ):
            if once:
                show.prove(stage, console)
            else:
                _show_what_to_try(stage, console)
                _stay_up(stage)
            console.print("Stopping everything.")
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return 0 if not once else 130
    except (ProgramError, ProofFailed, RuntimeError) as error:
        console.print(f"\n[bold red]The demo failed:[/bold red] {escape(str(error))}", highlight=False)
        return 1
    return 0


def _show_what_to_try(stage: Stage | PictureStage, console: Console) -> None:
    project = f"{stage.label_studio.url}/projects/{stage.project.id}"
    lines = [
        f"Label Studio   [bold]{project}/data[/bold]",
        f"log-in         {stage.label_studio.email}   password {stage.label_studio.password}",
        f"dashboard      [bold]{stage.backend.url}/projects/{stage.project.id}[/bold]",
        *stage.more_lines,
        "",
        'Press "Label All Tasks" and submit ten answers. The worker then trains,',
        "and the next tasks are those that the new model wants to know most.",
        "",
        "Ctrl-C stops everything.",
    ]
    console.print(Panel("\n".join(lines), title="The demo is up", expand=False), highlight=False)


def _stay_up(stage: Stage | PictureStage) -> None:
    while True:
        failure = stage.describe_failure()
        if failure is not None:
            raise ProgramError(failure)
        time.sleep(0.5)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Impatience must not break off the clean-up.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
