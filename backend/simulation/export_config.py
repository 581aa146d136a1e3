"""An export that carries its labeling config: tasks are read as the loop reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.errors import NextlabelError
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.label_studio.tasks import TaskState, read_task


def find_config(whole: Mapping[str, Any]) -> str:
    """The labeling config in an object that holds tasks too, or in an object in it; empty without one."""
    inner = [value for value in whole.values() if isinstance(value, dict)]
    values = [value for part in (whole, *inner) for value in part.values()]
    return next((one for one in values if isinstance(one, str) and one.lstrip().startswith("<View")), "")


def read_config(xml: str) -> LabelConfig | str:
    """The config of an export; a sentence where it cannot be used."""
    try:
        return parse_label_config(xml)
    except NextlabelError as error:
        return f"Its labeling config is not used: {error.message}"


def read_states(tasks: Sequence[dict[str, Any]], config: LabelConfig) -> list[TaskState]:
    """Tasks in the shape of Label Studio's API, each with what people together said to its questions."""
    return [read_task(task, config) for task in tasks]
