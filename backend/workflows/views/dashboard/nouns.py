"""What answers are called on the page, by the kind of the first question."""

from __future__ import annotations

from typing import Final

from backend.errors import NextlabelError
from backend.json_types import Json
from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.workflows.project.workspace import Workspace

# One answer and several on the map, what a task is said to have, and a part that people choose.
_NOUNS: Final = {
    SINGLE_CHOICE: ("class", "classes", "label", "class"),
    "several choices": ("set of labels", "sets of labels", "labels", "label"),
    "rating": ("grade", "grades", "grade", "grade"),
    "number": ("range of numbers", "ranges of numbers", "number", "number"),
    "taxonomy": ("path", "paths", "path", "path"),
    "pairwise": ("side", "sides", "side", "side"),
}


def first_kind(workspace: Workspace) -> str:
    """The kind of the question that is asked first; single choice where no config says it."""
    config = readable_config(workspace)
    return SINGLE_CHOICE if config is None else config.kind


def readable_config(workspace: Workspace) -> LabelConfig | None:
    """The config as last read; None where it says nothing that is answered."""
    try:
        return parse_label_config(workspace.state.label_config, workspace.preference)
    except NextlabelError:  # not connected yet, or a config that is told elsewhere on the page
        return None


def nouns(kind: str) -> Json:
    """`one` and `many` answers, what a task has (`said`), and a `part` that people choose.

    `keeps`: each has a colour of its own on the map for good; ranges of numbers follow the numbers.
    """
    one, many, said, part = _NOUNS.get(kind, _NOUNS[SINGLE_CHOICE])
    return {"one": one, "many": many, "said": said, "part": part, "keeps": kind != "number"}


def part_of(kind: str) -> str:
    """What answers to a question are counted by: its labels, or what they are called there."""
    return "label" if kind == SINGLE_CHOICE else str(nouns(kind)["part"])
