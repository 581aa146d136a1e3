"""The questions of a labeling config: which can be answered, and what stands in the way of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from backend.label_studio.config_xml import attribute, is_true, kind, lineage, tags, written
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.objects.protocol import Template
from backend.label_studio.objects.table import find_object, is_fixed, obstacle
from backend.label_studio.text_template import OWN_FIELDS, names_the_task

# A question with fewer is a tick: yes or no, and no choice among classes.
_FEWEST_LABELS = 2
_SINGLE = ("", "single", "single-radio")
_DYNAMIC = re.compile(r"\$[\w\[{]")
_CONDITIONS = ("region-selected", "no-region-selected", "choice-selected", "choice-unselected")
# Tags that carry a `toName` without asking anything.
_NO_QUESTIONS = ("relations", "filter")


def find_texts(root: etree._Element) -> dict[str, Template]:
    """What a config shows of a task, by name, without fields that only name the task, and ours.

    Where nothing else would be left, fields that name the task are read. Beside something that is read stands
    what is the same in every task, with nothing to read: a question on it is about the rest.
    """
    templates: dict[str, Template] = {}
    for place, tag in enumerate(tags(root)):
        shown = find_object(tag)
        if shown is not None and (is_fixed(tag) or not obstacle(tag)):
            # no question can stand on a name with a comma
            name = attribute(tag, "name") if kind(tag) != "header" else ""
            templates[name or f",{place}"] = shown.template(tag)
    fields = [field for template in templates.values() for field in template.fields]
    theirs = [field for field in fields if not field.startswith(OWN_FIELDS)]
    telling = [field for field in theirs if not names_the_task(field)] or theirs
    return {name: template.keep(telling) for name, template in templates.items()} if theirs else {}


def find_questions(root: etree._Element, texts: Mapping[str, Template]) -> tuple[Question, ...]:
    """Every control that asks something, in the order of the config."""
    objects = {attribute(tag, "name"): tag for tag in tags(root) if attribute(tag, "name")}
    return tuple(
        _question(tag, objects, texts)
        for tag in tags(root)
        if attribute(tag, "name") and _asks(tag) and kind(tag) not in _NO_QUESTIONS
    )


def _asks(tag: etree._Element) -> bool:
    return bool(attribute(tag, "toName")) or kind(tag) == "choices"


def _question(
    tag: etree._Element, objects: Mapping[str, etree._Element], texts: Mapping[str, Template]
) -> Question:
    to_names = [name for name in (part.strip() for part in tag.get("toName", "").split(",")) if name]
    readable = [name for name in to_names if name in texts]
    labels = _labels(tag)
    if kind(tag) != "choices":
        obstacles = ["is not learned yet"]
    else:
        obstacles = [*_form_obstacles(tag), *_label_obstacles(tag, labels)]
        obstacles += [] if readable else [_ground_obstacle(to_names, objects)]
    return Question(
        name=attribute(tag, "name"),
        tag=str(tag.tag),
        to_name=readable[0] if readable else "",
        labels=labels,
        is_conditional=any(_is_condition(each) for each in lineage(tag)),
        is_required=is_true(tag, "required"),
        obstacle=f"{written(tag)} {' and '.join(obstacles)}" if obstacles else "",
    )


def _form_obstacles(tag: etree._Element) -> Iterator[str]:
    if (form := attribute(tag, "choice")) not in _SINGLE:
        yield f'has choice="{form}"'
    if value := attribute(tag, "value"):
        yield f'takes its labels from each task (value="{value}")'
    for name in ("perRegion", "perItem"):
        if is_true(tag, name):
            yield f'has {name}="true"'
    if any(kind(each) == "repeater" for each in lineage(tag)):
        yield "is repeated by <Repeater>"


def _label_obstacles(tag: etree._Element, labels: tuple[Label, ...]) -> Iterator[str]:
    choices = list(tags(tag, "choice"))
    if any(kind(parent) == "choice" for choice in choices for parent in choice.iterancestors()):
        yield "has a <Choice> inside a <Choice>"
    dynamic = next((choice for choice in choices if _DYNAMIC.search(attribute(choice, "value"))), None)
    if dynamic is not None:
        yield f'takes a label from each task (<Choice value="{attribute(dynamic, "value")}">)'
    elif not labels and not attribute(tag, "value"):
        yield "has no <Choice>"
    elif 0 < len(labels) < _FEWEST_LABELS:
        yield "has a single <Choice>, a tick that says yes or no"


def _ground_obstacle(to_names: list[str], objects: Mapping[str, etree._Element]) -> str:
    if not to_names:
        return "has no toName"
    there = [objects[name] for name in to_names if name in objects]
    if not there:
        return f'stands on "{to_names[0]}", which the config does not have'
    return "stands on " + ", ".join(f"{written(tag)} {obstacle(tag)}".strip() for tag in there)


def _is_condition(tag: etree._Element) -> bool:
    when = attribute(tag, "visibleWhen")
    return when in _CONDITIONS or (not when and bool(attribute(tag, "whenChoiceValue")))


def _labels(tag: etree._Element) -> tuple[Label, ...]:
    return tuple({label.name: label for label in _choices(tag)}.values())


def _choices(tag: etree._Element) -> Iterator[Label]:
    for choice in tags(tag, "choice"):
        value = attribute(choice, "value")
        name = attribute(choice, "alias") or value
        if name:
            yield Label(name=name, title=value or name)
