"""What every command needs: its arguments, the backend's parts, errors in two lines, one JSON object."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from backend.errors import BadRequest, NextlabelError, StoreUnavailable
from backend.terminal import plain
from model.stores import StoreUnreachable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from backend.context import Context
    from backend.settings import Settings

out = Console()
err = Console(stderr=True)

ProjectId = Annotated[int, typer.Argument(help="The number in the address of the Label Studio project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def examples(*lines: str) -> str:
    """The end of a help page: what one would type."""
    return "\n".join(["Examples:", *(f"  nextlabel {line}" for line in lines)])


def read_settings() -> Settings:
    """The settings of the environment; raises BadRequest with all that is wrong in them."""
    from pydantic import ValidationError

    from backend.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{setting_name(fault['loc'])}: {fault_words(fault)}" for fault in error.errors())
        raise BadRequest(f"A setting is wrong. {faults}", hint="See README, Settings.") from None


def fault_words(fault: ErrorDetails) -> str:
    """What is wrong with a setting: our own checks speak for themselves, without pydantic's heading."""
    return fault["msg"].removeprefix("Value error, ")


def setting_name(location: tuple[int | str, ...]) -> str:
    """A setting as the environment calls it, from the place that pydantic names."""
    return ".".join(str(part) for part in location).upper()


@contextmanager
def open_context(*, log: bool = False) -> Iterator[Context]:
    """The backend's parts; our errors leave as two lines."""
    with people_errors(stays=log):
        settings = read_settings()
        from backend.logs import start_logging
        from backend.parts import build_context

        if log:
            start_logging(settings.log_level, settings.log_format)
        else:
            start_logging("WARNING")
        yield build_context(settings)


@contextmanager
def people_errors(*, stays: bool = False) -> Iterator[None]:
    """Turns our errors into two lines and exit code 1; Ctrl-C into 130.

    A command that stays writes them as its log is written: an object, where LOG_FORMAT says so.
    """
    try:
        with _named_store_errors():
            yield
    except NextlabelError as error:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps(error.to_json()) + "\n")
        elif stays and _logs_json():
            from backend.json_lines import json_line

            sys.stderr.write(json_line(f"Error: {error.with_hint}", module="backend") + "\n")
        else:
            err.print(plain(("Error:", "bold red"), f" {error.message}"), soft_wrap=True)
            if error.hint:
                err.print(plain(("To fix it:", "bold"), f" {error.hint}"), soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print("Stopped.")
        raise typer.Exit(130) from None


def _logs_json() -> bool:
    """What LOG_FORMAT says, also where another setting is wrong."""
    from pydantic_settings import BaseSettings

    from backend.settings import Settings

    class Style(BaseSettings):
        model_config = Settings.model_config
        log_format: str = "text"

    return Style().log_format == "json"


@contextmanager
def _named_store_errors() -> Iterator[None]:
    try:
        yield
    except StoreUnreachable as error:
        raise StoreUnavailable.of(error) from None


@contextmanager
def open_scratch_context() -> Iterator[Context]:
    """The backend's parts for a command that leaves nothing behind.

    Without a data folder, and where no setting names one, they live in a folder that is gone afterwards.
    """
    with people_errors():
        settings = read_settings()
        if "data_dir" in settings.model_fields_set or settings.data_dir.exists():
            with open_context() as context:
                yield context
            return
        from backend.logs import start_logging
        from backend.parts import build_context

        start_logging("WARNING")
        with TemporaryDirectory(prefix="nextlabel-") as folder:
            context = build_context(settings.model_copy(update={"data_dir": Path(folder)}))
            with closing(context):
                yield context


def who() -> str:
    """Who types a command, as this machine calls him."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has no name
        return f"user {os.getuid()}"


def print_result(as_json: bool, data: Any, people: Callable[[], None]) -> None:
    """One JSON object for machines, or what people read."""
    if as_json:
        sys.stdout.write(json.dumps(data, default=str) + "\n")
        return
    people()
