"""The objects that can be read, and why one cannot."""

from __future__ import annotations

from typing import Final

from lxml import etree

from backend.label_studio.config_xml import attribute, kind, lineage
from backend.label_studio.objects.cells import TableObject
from backend.label_studio.objects.dialogue import ChatObject, ParagraphsObject
from backend.label_studio.objects.header import HeaderObject
from backend.label_studio.objects.html import HtmlObject
from backend.label_studio.objects.image import ImageObject
from backend.label_studio.objects.protocol import ShownObject
from backend.label_studio.objects.text import TextObject
from backend.label_studio.objects.values import written_value
from backend.label_studio.text_template import OWN_FIELDS

OBJECTS: Final[tuple[ShownObject, ...]] = (
    TextObject(),
    HtmlObject(),
    ParagraphsObject(),
    ChatObject(),
    HeaderObject(),
    TableObject(),
    ImageObject(),
)


def find_object(tag: etree._Element) -> ShownObject | None:
    """The kind of object that a tag is; None for one that nothing is read of."""
    return next((shown for shown in OBJECTS if shown.matches(tag)), None)


def is_fixed(tag: etree._Element) -> bool:
    """Whether a tag could be read, and says the same in every task."""
    shown = find_object(tag)
    return shown is not None and not _closed(shown, tag) and not shown.template(tag).fields


def obstacle(tag: etree._Element) -> str:
    """Why nothing of a task is read off a tag, as it follows its name; empty where something is.

    Also empty where the tag is of no kind in the table: then its name says enough.
    """
    shown = find_object(tag)
    if shown is None:
        return ""
    if closed := _closed(shown, tag):
        return closed
    fields = shown.template(tag).fields
    if not fields:
        return f'whose value="{written_value(tag)}" is the same in every task'
    if all(field.startswith(OWN_FIELDS) for field in fields):
        return "that shows our own notes"
    return ""


def _closed(shown: ShownObject, tag: etree._Element) -> str:
    if attribute(tag, "valueType").lower() == "url" and kind(tag) != "image":
        return 'with valueType="url" (an address, not the text)'
    if (encoding := attribute(tag, "encoding")) not in ("", "none", "string"):
        return f'with encoding="{encoding}"'
    if resolver := attribute(tag, "resolver"):
        return f'with resolver="{resolver}"'
    if any(kind(each) == "repeater" for each in lineage(tag)):
        return "inside <Repeater>"
    return shown.obstacle(tag)
