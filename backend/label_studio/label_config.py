"""Reads a labeling config: which control we answer, its labels, and where a task's text lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from backend.errors import BadRequest, UnsupportedConfig
from backend.label_studio.tabs import NOTE_FIELD
from model.records import LabelSpace

SUPPORTED = "<Choices> with choice=single on <Text>"

# A task field that we write ourselves is never input of the model.
OWN_FIELDS = "nextlabel_"


@dataclass(frozen=True, slots=True)
class Label:
    """A class: `name` is what results carry (the alias where there is one), `title` what people read."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """The part of a labeling config that we answer.

    `other_controls` are the tags left to the annotator.
    """

    from_name: str
    to_name: str
    labels: tuple[Label, ...]
    text_fields: tuple[str, ...]
    other_controls: tuple[str, ...]

    @property
    def space(self) -> LabelSpace:
        """The classes, in the order of the config."""
        return LabelSpace(tuple(label.name for label in self.labels))


@lru_cache(maxsize=64)  # Label Studio sends the same config with every request
def parse_label_config(xml: str) -> LabelConfig:
    """Finds the control to answer. Raises BadRequest (no XML) or UnsupportedConfig (names what it found)."""
    root = _parse(xml)
    texts = {tag.get("name"): tag for tag in root.iter("Text") if _is_plain_text(tag)}
    controls = [
        tag for tag in root.iter() if isinstance(tag.tag, str) and tag.get("toName") and tag.get("name")
    ]
    for tag in controls:
        objects = [
            name for name in (part.strip() for part in tag.get("toName", "").split(",")) if name in texts
        ]
        labels = _labels(tag)
        if _is_single_choice(tag) and objects and labels:
            return LabelConfig(
                from_name=tag.get("name", ""),
                to_name=objects[0],
                labels=labels,
                text_fields=tuple(dict.fromkeys(_field(text) for text in texts.values())),
                other_controls=tuple(str(other.tag) for other in controls if other is not tag),
            )
    raise UnsupportedConfig(
        f"The labeling config has nothing that can be learned yet: found {_describe(root)}.",
        hint=f"Supported today: {SUPPORTED}, with at least one <Choice> of a fixed value.",
    )


def add_label(xml: str, title: str) -> str:
    """The same config with one more choice in the control that we answer; all else is left as it is.

    Raises BadRequest for an empty name, or one that is there already or differs by case, blanks or a plural.
    """
    title = " ".join(title.split())
    config = parse_label_config(xml)
    if not title:
        raise BadRequest("The name of a class cannot be empty.")
    for label in config.labels:
        if _nearly_same(title, label.name) or _nearly_same(title, label.title):
            raise BadRequest(
                f"The project has a label {label.title!r} already, which {title!r} can hardly be told from.",
                hint="Give that label to the tasks, or choose another name.",
            )
    root = _parse(xml, keep_comments=True)
    control = next(tag for tag in root.iter("Choices") if tag.get("name") == config.from_name)
    last = list(control.iter("Choice"))[-1]
    added = etree.Element("Choice", value=title)
    added.tail = last.tail
    before = last.getprevious()
    last.tail = before.tail if before is not None else control.text
    last.addnext(added)
    return etree.tostring(root, encoding="unicode")


def _nearly_same(one: str, other: str) -> bool:
    """Whether two names differ by case, blanks, hyphens, underscores or an English plural at most."""
    bare, others = (re.sub(r"[\s_\-]+", "", name.casefold()) for name in (one, other))
    return bare == others or bare in _singulars(others) or others in _singulars(bare)


def _singulars(word: str) -> set[str]:
    patterns = ((r"ies$", "y"), (r"(?<=[sxz])es$|(?<=[cs]h)es$", ""), (r"(?<![su])s$", ""))
    return {re.sub(pattern, singular, word) for pattern, singular in patterns} - {word}


def add_note(xml: str) -> str | None:
    """The same config with a line on top that shows our note on a task; None when it has one."""
    root = _parse(xml, keep_comments=True)
    if any(f"${NOTE_FIELD}" in (tag.get("value") or "") for tag in root.iter("Header")):
        return None
    header = etree.Element("Header", value=f"${NOTE_FIELD}")
    header.tail = root.text
    root.insert(0, header)
    return etree.tostring(root, encoding="unicode")


def _parse(xml: str, *, keep_comments: bool = False) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=not keep_comments)
    try:
        return etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadRequest(
            f"The labeling config is not valid XML: {error}", hint="Check it in Label Studio's settings."
        ) from None


def _is_plain_text(tag: etree._Element) -> bool:
    value = tag.get("value", "")
    # valueType="url" puts an address, not the text, into the task.
    return (
        bool(tag.get("name"))
        and value.startswith("$")
        and not value.startswith(f"${OWN_FIELDS}")
        and tag.get("valueType", "text") != "url"
    )


def _field(tag: etree._Element) -> str:
    return str(tag.get("value", "")).removeprefix("$")


def _is_single_choice(tag: etree._Element) -> bool:
    return (
        tag.tag == "Choices"
        and tag.get("choice", "single") in ("single", "single-radio")
        and not tag.get("value")
        and tag.get("perRegion", "false") != "true"
        and tag.get("perItem", "false") != "true"
        and not any(choice.findall("Choice") for choice in tag.iter("Choice"))
    )


def _labels(tag: etree._Element) -> tuple[Label, ...]:
    return tuple({label.name: label for label in _choices(tag)}.values())


def _choices(tag: etree._Element) -> Iterator[Label]:
    for choice in tag.iter("Choice"):
        value = choice.get("value", "")
        name = choice.get("alias") or value
        if name:
            yield Label(name=name, title=value or name)


def _describe(root: etree._Element) -> str:
    found = []
    for tag in root.iter():
        if not isinstance(tag.tag, str) or not tag.get("name"):
            continue
        kind = f" choice={tag.get('choice')}" if tag.get("choice") else ""
        dynamic = " with dynamic values" if tag.tag == "Choices" and tag.get("value") else ""
        per_region = " perRegion" if tag.get("perRegion") == "true" else ""
        found.append(f"<{tag.tag}{kind}{per_region}>{dynamic}")
    return ", ".join(dict.fromkeys(found)) or "no tags with a name"
