"""The choices of a control in a labeling config's XML: added, renamed, taken out, all else left alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from lxml import etree

from backend.errors import BadRequest
from backend.label_studio.config_xml import attribute, tags, written
from backend.label_studio.controls.question import Label
from backend.label_studio.label_config import make_choice

_DYNAMIC = re.compile(r"\$[\w\[{]")


def find_control(root: etree._Element, name: str) -> etree._Element:
    """The control of this name.

    Raises BadRequest for one that is no <Choices>, whose labels are from the task, or that has levels.
    """
    found = [tag for tag in tags(root) if attribute(tag, "name") == name]
    control = next((tag for tag in found if str(tag.tag).lower() == "choices"), None)
    if control is None:
        what = written(found[0]) if found else repr(name)
        raise BadRequest(
            f"{what} has no labels that can be changed here.", hint="Only those of <Choices> can."
        )
    if attribute(control, "value") or any(_is_dynamic(choice) for choice in tags(control, "choice")):
        raise BadRequest(
            f"{written(control)} takes its labels from each task, so that the config has none to change.",
            hint="Change them in the data of the tasks.",
        )
    if any(len(list(tags(choice, "choice"))) > 1 for choice in _choices(control)):
        raise BadRequest(
            f"{written(control)} has a <Choice> inside a <Choice>.",
            hint="Labels with levels have to be changed in Label Studio.",
        )
    return control


def add_choices(control: etree._Element, after: str, titles: Sequence[str]) -> None:
    """Adds choices behind the one that results call `after`."""
    place = _named(control, {after})[-1]
    for title in titles:
        added = make_choice(str(place.tag), title)
        added.tail = place.tail
        place.tail = _blank_before(place)
        place.addnext(added)
        place = added


def rename_choice(control: etree._Element, name: str, title: str) -> None:
    """Changes what stands on the screen; alias, hotkey and the like stay. Raises BadRequest."""
    for choice in _named(control, {name}):
        key = next((key for key in choice.attrib if str(key).lower() == "value"), "value")
        make_choice("Choice", title)  # refuses what no XML can hold
        choice.set(key, title)


def remove_choices(control: etree._Element, names: Collection[str]) -> None:
    """Takes out the choices that results call so."""
    for choice in _named(control, names):
        parent, before = choice.getparent(), choice.getprevious()
        if before is not None:
            before.tail = choice.tail
        elif parent is not None:
            parent.text = choice.tail
        if parent is not None:
            parent.remove(choice)


def replace_in_conditions(root: etree._Element, question: str, old: Label, new: Sequence[Label]) -> None:
    """Lets what is shown on a label be shown on others.

    A condition that names the question names labels by titles or aliases, between commas; one that names no
    question compares a single value with what results carry. Raises BadRequest where it cannot say the new
    labels.
    """
    for tag in tags(root):
        key = next((key for key in tag.attrib if str(key).lower() == "whenchoicevalue"), None)
        named = attribute(tag, "whenTagName")
        if key is None or named not in ("", question):
            continue
        said = str(tag.get(key))
        before = said.split(",") if named else [said]
        after = [one for part in before for one in _called_now(part, old, new, by_title=bool(named))]
        if after == before:
            continue
        if any("," in one for one in after) if named else len(after) > 1:
            raise BadRequest(
                f"{written(tag)} is shown on {old.title!r}, and its condition could not name the new labels.",
                hint="Choose names without commas." if named else f'Give it whenTagName="{question}" first.',
            )
        tag.set(key, ",".join(dict.fromkeys(after)))


def restore_choices(root: etree._Element, before: etree._Element, question: str) -> None:
    """Adds the choices that an earlier config had in a control and that it lacks now, as they were."""
    control = find_control(root, question)
    there = {_name(choice) for choice in _choices(control)}
    for choice in _choices(find_control(before, question)):
        if _name(choice) not in there:
            control.append(etree.fromstring(etree.tostring(choice, with_tail=False)))


def _choices(control: etree._Element) -> list[etree._Element]:
    return list(tags(control, "choice"))


def _called_now(part: str, old: Label, new: Sequence[Label], *, by_title: bool) -> list[str]:
    """What stands in a condition in place of one of its values."""
    called = part.strip()
    if by_title and called == old.title:
        return [label.title for label in new]
    return [label.name for label in new] if called == old.name else [part]


def _named(control: etree._Element, names: Collection[str]) -> list[etree._Element]:
    return [choice for choice in _choices(control) if _name(choice) in names]


def _name(choice: etree._Element) -> str:
    return attribute(choice, "alias") or attribute(choice, "value")


def _is_dynamic(choice: etree._Element) -> bool:
    return bool(_DYNAMIC.search(attribute(choice, "value")))


def _blank_before(tag: etree._Element) -> str | None:
    previous, parent = tag.getprevious(), tag.getparent()
    if previous is not None:
        return previous.tail
    return parent.text if parent is not None else None
