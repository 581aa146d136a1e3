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
    """Every <Choice>, each name once, in the order of the config.

    Not those inside another: without allowNested="true" Label Studio's editor shows none of them.
    """
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
    labels = labels_of(tag)
    if (dynamic := dynamic_label(tag)) is not None:
        yield dynamic
    elif not labels and not attribute(tag, "value"):
        yield "has no <Choice>"


def dynamic_label(tag: etree._Element) -> str | None:
    """What is said of the first label that is another one in every task; None where there is none."""
    said = (attribute(choice, "value") for choice in tags(tag, "choice"))
    dynamic = next((value for value in said if _DYNAMIC.search(value)), None)
    return None if dynamic is None else f'takes a label from each task (<Choice value="{dynamic}">)'


def top_choices(tag: etree._Element) -> Iterator[etree._Element]:
    """Every <Choice> that stands in no other."""
    for choice in tags(tag, "choice"):
        if not any(kind(parent) == "choice" for parent in choice.iterancestors()):
            yield choice


def chosen(regions: Sequence[Json]) -> Iterator[list[str]]:
    """What each region chooses, as it is spelled there; regions of another shape are passed over."""
    for choices in values(regions, "choices"):
        if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
            yield choices


def _choices(tag: etree._Element) -> Iterator[Label]:
    for choice in top_choices(tag):
        value = attribute(choice, "value")
        name = attribute(choice, "alias") or value
        if name:
            yield Label(name=name, title=value or name, hint=attribute(choice, "hint").strip())
