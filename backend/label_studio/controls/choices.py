"""What all kinds of <Choices> share: their labels, what stands in their way, what regions choose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind, tags
from backend.label_studio.controls.question import Label
from backend.label_studio.controls.regions import place_obstacles, values

_FORMS = ("", "single", "single-radio", "multiple")
_DYNAMIC = re.compile(r"\$[\w\[{]")


def labels_of(tag: etree._Element) -> tuple[Label, ...]:
    """Every <Choice>, each name once, in the order of the config."""
    return tuple({label.name: label for label in _choices(tag)}.values())


def is_tick(tag: etree._Element) -> bool:
    """Whether a control has a single <Choice>: ticked it says yes, else no."""
    return (
        kind(tag) == "choices"
        and len(labels_of(tag)) == 1
        and attribute(tag, "choice") in _FORMS
        and not attribute(tag, "value")
    )


def form_obstacles(tag: etree._Element) -> Iterator[str]:
    """What makes the labels or the answers others than those of the config, once for each task."""
    if value := attribute(tag, "value"):
        yield f'takes its labels from each task (value="{value}")'
    yield from place_obstacles(tag)


def label_obstacles(tag: etree._Element) -> Iterator[str]:
    """What makes the labels no classes to choose among."""
    choices, labels = list(tags(tag, "choice")), labels_of(tag)
    if any(kind(parent) == "choice" for choice in choices for parent in choice.iterancestors()):
        yield "has a <Choice> inside a <Choice>"
    dynamic = next((choice for choice in choices if _DYNAMIC.search(attribute(choice, "value"))), None)
    if dynamic is not None:
        yield f'takes a label from each task (<Choice value="{attribute(dynamic, "value")}">)'
    elif not labels and not attribute(tag, "value"):
        yield "has no <Choice>"


def chosen(regions: Sequence[Json]) -> Iterator[list[str]]:
    """What each region chooses, as it is spelled there; regions of another shape are passed over."""
    for choices in values(regions, "choices"):
        if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
            yield choices


def _choices(tag: etree._Element) -> Iterator[Label]:
    for choice in tags(tag, "choice"):
        value = attribute(choice, "value")
        name = attribute(choice, "alias") or value
        if name:
            yield Label(name=name, title=value or name)
