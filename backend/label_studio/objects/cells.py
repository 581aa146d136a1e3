"""<Table>: "key: value" a line, or a row a line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Self

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import kind
from backend.label_studio.objects.values import field_json, in_words, written_value
from backend.label_studio.text_template import parse_template, shown

_PAIR = 2


@dataclass(frozen=True, slots=True)
class TableTemplate:
    """One field with an object, a list of pairs, or a list of objects."""

    fields: tuple[str, ...]

    @property
    def shows(self) -> Hashable:
        """The same field as a table."""
        return ("table", self.fields)

    def fill(self, data: Json) -> str:
        """The lines of the tables of one task's data; a value that is no table is a line."""
        lines = [line for field in self.fields for line in _lines(field_json(data, field))]
        return shown("\n".join(filter(None, lines)))

    def missing(self, data: Json) -> tuple[str, ...]:
        """The field, where it has no cell with a text."""
        return () if self.fill(data) else self.fields

    def keep(self, fields: Iterable[str]) -> Self:
        """The field or none."""
        chosen = set(fields)
        return replace(self, fields=tuple(name for name in self.fields if name in chosen))


class TableObject:
    """A table of a task's values."""

    def matches(self, tag: etree._Element) -> bool:
        """<Table> with a name or without."""
        return kind(tag) == "table"

    def obstacle(self, tag: etree._Element) -> str:
        """None of its own."""
        return ""

    def template(self, tag: etree._Element) -> TableTemplate:
        """The field of the value."""
        return TableTemplate(parse_template(written_value(tag)).fields[:1])


def _lines(table: object) -> list[str]:
    if isinstance(table, dict):
        return [in_words({key: value}) for key, value in table.items()]
    if not isinstance(table, list):
        return [in_words(table)]
    return [
        in_words({shown(row[0]): row[1]}) if isinstance(row, list) and len(row) == _PAIR else in_words(row)
        for row in table
    ]
