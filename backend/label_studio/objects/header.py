"""<Header> with fields of the task in it: what people read above a text."""

from __future__ import annotations

from lxml import etree

from backend.label_studio.config_xml import kind
from backend.label_studio.objects.values import written_value
from backend.label_studio.text_template import OWN_FIELDS, TextTemplate, parse_template


class HeaderObject:
    """A line in larger letters; no question can stand on it."""

    def matches(self, tag: etree._Element) -> bool:
        """<Header>."""
        return kind(tag) == "header"

    def obstacle(self, tag: etree._Element) -> str:
        """A line with our own note in it is ours as a whole."""
        fields = self.template(tag).fields
        return "that shows our own notes" if any(name.startswith(OWN_FIELDS) for name in fields) else ""

    def template(self, tag: etree._Element) -> TextTemplate:
        """The value of the tag."""
        return parse_template(written_value(tag))
