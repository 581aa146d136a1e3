"""<Text>: its value, with every `$field` filled in."""

from __future__ import annotations

from lxml import etree

from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.objects.values import written_value
from backend.label_studio.text_template import TextTemplate, parse_template


class TextObject:
    """A text, or a sentence with fields of the task in it."""

    def matches(self, tag: etree._Element) -> bool:
        """<Text> with a name."""
        return kind(tag) == "text" and bool(attribute(tag, "name"))

    def obstacle(self, tag: etree._Element) -> str:
        """None of its own."""
        return ""

    def template(self, tag: etree._Element) -> TextTemplate:
        """The value of the tag."""
        return parse_template(written_value(tag))
