"""Regions of results: what stands in them, and how one is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import is_true, kind, lineage
from backend.label_studio.controls.question import Question


def values(regions: Sequence[Json], key: str) -> Iterator[object]:
    """What regions say under a key of their value, without those that say nothing there."""
    for region in regions:
        value = region.get("value")
        if isinstance(value, dict) and value.get(key) is not None:
            yield value[key]


def region(question: Question, kind: str, value: Json, *, confidence: float) -> Json:
    """One region; `confidence`, cut to [0, 1], sits on it.

    No text of ours: what a region carries stays in the annotation of the person who submits it.
    """
    return {
        "from_name": question.name,
        "to_name": question.to_name,
        "type": kind,
        "value": value,
        "score": round(min(1.0, max(0.0, confidence)), 4),
    }


def place_obstacles(tag: etree._Element) -> Iterator[str]:
    """What makes a control answer something else than the task once."""
    for name in ("perRegion", "perItem"):
        if is_true(tag, name):
            yield f'has {name}="true"'
    if any(kind(each) == "repeater" for each in lineage(tag)):
        yield "is repeated by <Repeater>"
