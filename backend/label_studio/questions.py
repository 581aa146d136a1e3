"""The questions of a labeling config: which can be answered, and what stands in the way of the others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from lxml import etree

from backend.label_studio.config_xml import attribute, is_true, kind, tags, written
from backend.label_studio.controls.choices import is_tick
from backend.label_studio.controls.conditions import read_conditions
from backend.label_studio.controls.parts import AsksOfParts
from backend.label_studio.controls.question import Question
from backend.label_studio.controls.table import matching_control
from backend.label_studio.objects.protocol import Template
from backend.label_studio.objects.table import find_object, is_fixed, obstacle
from backend.label_studio.text_template import OWN_FIELDS, names_the_task

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


def shown_once(texts: Mapping[str, Template]) -> dict[Hashable, Template]:
    """What differs from task to task, by what is shown: of tags that show the same one is read."""
    return {text.shows: text for text in texts.values() if text.fields}


def find_questions(root: etree._Element, texts: Mapping[str, Template]) -> tuple[Question, ...]:
    """Every control that asks something, in the order of the config."""
    objects = {attribute(tag, "name"): tag for tag in tags(root) if attribute(tag, "name")}
    return tuple(
        _question(tag, objects, texts)
        for tag in tags(root)
        if attribute(tag, "name") and _asks(tag) and kind(tag) not in _NO_QUESTIONS
    )


def _asks(tag: etree._Element) -> bool:
    return bool(attribute(tag, "toName")) or matching_control(tag) is not None


def _question(
    tag: etree._Element, objects: Mapping[str, etree._Element], texts: Mapping[str, Template]
) -> Question:
    to_names = [name for name in (part.strip() for part in tag.get("toName", "").split(",")) if name]
    readable = [name for name in to_names if name in texts]
    control = matching_control(tag)
    parts: tuple[str, ...] = control.parts(tag) if isinstance(control, AsksOfParts) else ()
    shown = shown_once(texts)
    unread = [name for name in parts if name not in texts or not texts[name].fields]
    if control is None:
        obstacles = ["is not learned yet"]
    else:
        in_the_way = unread or ([] if readable else to_names)
        is_grounded = bool(readable) and not unread
        obstacles = [
            *control.obstacles(tag),
            *([] if is_grounded else [_ground_obstacle(in_the_way, objects)]),
        ]
    conditions = read_conditions(tag)
    return Question(
        name=attribute(tag, "name"),
        tag=str(tag.tag),
        to_name=readable[0] if readable else "",
        labels=control.labels(tag) if control else (),
        is_conditional=bool(conditions),
        is_required=is_true(tag, "required"),
        obstacle=f"{written(tag)} {' and '.join(obstacles)}" if obstacles else "",
        kind=control.kind if control else "",
        to_names=tuple(to_names),
        conditions=conditions,
        empty=() if is_tick(tag) else None,
        attributes=tuple((str(key), str(value)) for key, value in tag.items()),
        parts=() if unread else tuple(shown[texts[name].shows] for name in parts),
    )


def _ground_obstacle(to_names: list[str], objects: Mapping[str, etree._Element]) -> str:
    if not to_names:
        return "has no toName"
    there = [objects[name] for name in to_names if name in objects]
    if not there:
        return f'stands on "{to_names[0]}", which the config does not have'
    return "stands on " + ", ".join(f"{written(tag)} {obstacle(tag)}".strip() for tag in there)
