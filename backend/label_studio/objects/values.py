"""What tags have in common: where their value stands, and what a value of a task looks like in words."""

from __future__ import annotations

import json

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute
from backend.label_studio.text_template import field_value, shown

# Deeper than people read, and than a table shows.
_DEEPEST = 4


def written_value(tag: etree._Element) -> str:
    """The value of a tag; the editor shows what stands between the tags rather than the attribute."""
    inside = (tag.text or "").strip() if len(tag) == 0 else ""
    return inside or attribute(tag, "value")


def field_json(data: Json, field: str) -> object:
    """The value of a field; one that is JSON in a text is read, any other text stays what it is."""
    value = field_value(data, field)
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def in_words(value: object, depth: int = 0) -> str:
    """Any value on one line: of an object "key: value" with commas, deeper parts left out."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, dict):
        return ", ".join(pair for pair in (_pair(key, of, depth) for key, of in value.items()) if pair)
    if isinstance(value, list):
        return ", ".join(filter(None, (in_words(part, depth + 1) for part in value)))
    return shown(value)


def _pair(key: object, value: object, depth: int) -> str:
    text = in_words(value, depth + 1)
    return f"{shown(key)}: {text}" if text else ""
