"""<Paragraphs> and <Chat>: turns of several speakers, "name: text" a line each.

Names of attributes and their defaults as in Label Studio's editor (`Paragraphs.jsx`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Self

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.objects.values import field_json, in_words, written_value
from backend.label_studio.text_template import parse_template, shown


@dataclass(frozen=True, slots=True)
class DialogueTemplate:
    """One field with a list of turns, each an object whose `name_key` says who, and `text_key` what."""

    fields: tuple[str, ...]
    name_key: str
    text_key: str

    @property
    def shows(self) -> Hashable:
        """The same field, read by the same keys."""
        return ("dialogue", self.fields, self.name_key, self.text_key)

    def fill(self, data: Json) -> str:
        """The turns of one task's data. A list in a text is read; one turn alone is a dialogue of one."""
        found = [field_json(data, field) for field in self.fields]
        turns = [turn for value in found for turn in (value if isinstance(value, list) else [value])]
        return shown("\n".join(filter(None, map(self._turn, turns))))

    def missing(self, data: Json) -> tuple[str, ...]:
        """The field, where it says nothing."""
        return () if self.fill(data) else self.fields

    def keep(self, fields: Iterable[str]) -> Self:
        """The field or none."""
        chosen = set(fields)
        return replace(self, fields=tuple(name for name in self.fields if name in chosen))

    def _turn(self, turn: object) -> str:
        """A turn without words is no line; one without a name is its words."""
        if not isinstance(turn, dict):
            return in_words(turn)
        name, text = shown(turn.get(self.name_key)), _words(turn.get(self.text_key))
        return f"{name}: {text}" if name and text else text


class ParagraphsObject:
    """A dialogue that is written down."""

    def matches(self, tag: etree._Element) -> bool:
        """<Paragraphs> with a name."""
        return kind(tag) == "paragraphs" and bool(attribute(tag, "name"))

    def obstacle(self, tag: etree._Element) -> str:
        """A recording that people listen to is not read."""
        return f'with audioUrl="{sound}"' if (sound := attribute(tag, "audioUrl")) else ""

    def template(self, tag: etree._Element) -> DialogueTemplate:
        """The field of the value, by `nameKey` and `textKey`."""
        keys = attribute(tag, "nameKey") or "author", attribute(tag, "textKey") or "text"
        return DialogueTemplate(_fields(tag), *keys)


class ChatObject:
    """Messages of people and machines, as chat programs write them."""

    def matches(self, tag: etree._Element) -> bool:
        """<Chat> with a name."""
        return kind(tag) == "chat" and bool(attribute(tag, "name"))

    def obstacle(self, tag: etree._Element) -> str:
        """None of its own."""
        return ""

    def template(self, tag: etree._Element) -> DialogueTemplate:
        """The field of the value: a list of role and content."""
        return DialogueTemplate(_fields(tag), "role", "content")


def _fields(tag: etree._Element) -> tuple[str, ...]:
    return parse_template(written_value(tag)).fields[:1]


def _words(said: object) -> str:
    """What was said; of a message in parts those that are text."""
    if not isinstance(said, list):
        return in_words(said)
    parts = (part.get("text") if isinstance(part, dict) else part for part in said)
    return " ".join(filter(None, map(shown, parts)))
