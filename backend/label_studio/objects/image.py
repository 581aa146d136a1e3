"""<Image>: one picture, or several (`valueList`, multi-page); they are read by their addresses."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Self

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.objects.values import field_json
from backend.label_studio.text_template import field_text, parse_template

# Of a longer list people leaf through, what is behind these is not looked at.
MOST_PAGES = 64


@dataclass(frozen=True, slots=True)
class ImageTemplate:
    """The pictures of one tag, by its name. `value`: what stands in the tag, with the fields in it."""

    name: str
    value: str
    fields: tuple[str, ...]

    @property
    def shows(self) -> Hashable:
        """The same value as a picture."""
        return ("image", self.value)

    def addresses(self, data: Json) -> tuple[str, ...]:
        """Where the pictures of one task's data lie, in their order, at most 64; empty for none."""
        if len(self.fields) == 1 and self.value.strip() == f"${self.fields[0]}":
            value = field_json(data, self.fields[0])
            pages = value if isinstance(value, list) else [value]
            found = [page.strip() for page in pages if isinstance(page, str)]
        else:
            found = [self._written(data)]
        whole = [_storable(address) for address in found if address]
        return tuple(whole[:MOST_PAGES])

    def fill(self, data: Json) -> str:
        """No text: a picture has no words."""
        return ""

    def missing(self, data: Json) -> tuple[str, ...]:
        """The fields, where the task has no picture."""
        return () if self.addresses(data) else self.fields

    def keep(self, fields: Iterable[str]) -> Self:
        """All of it: a field with a picture never only names its task."""
        return self

    def _written(self, data: Json) -> str:
        """The value with its fields filled in; empty where one of them is."""
        texts = {field: field_text(data, field) for field in self.fields}
        if not texts or not all(texts.values()):
            return ""
        longest_first = sorted(texts, key=len, reverse=True)
        pattern = "|".join(re.escape(f"${field}") for field in longest_first)
        return re.sub(pattern, lambda found: texts[found[0][1:]], self.value).strip()


class ImageObject:
    """A picture, as people see it."""

    def matches(self, tag: etree._Element) -> bool:
        """<Image> with a name."""
        return kind(tag) == "image" and bool(attribute(tag, "name"))

    def obstacle(self, tag: etree._Element) -> str:
        """None of its own."""
        return ""

    def template(self, tag: etree._Element) -> ImageTemplate:
        """The list of the tag, else its value."""
        value = attribute(tag, "valueList") or attribute(tag, "value")
        return ImageTemplate(attribute(tag, "name"), value, parse_template(value).fields)


def _storable(address: str) -> str:
    """JSON can carry what no database stores: halves of a surrogate pair, and the zero byte."""
    return address.replace("\0", " ").encode("utf-8", "replace").decode()
