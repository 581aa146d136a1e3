"""<HyperText>: HTML of the task, or HTML between the tags with fields of the task in it, read as text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Self

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.text_template import TextTemplate, parse_template, shown

_UNSEEN = frozenset({"script", "style", "template", "title", "noscript"})
# A browser begins a new line before and after these.
_BLOCK_NAMES = """
address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption figure
footer form h1 h2 h3 h4 h5 h6 header hr legend li main menu nav ol option p pre section summary table tbody
tfoot thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})


class _Reader(HTMLParser):
    """Collects what a browser shows, with line breaks at blocks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a line, a cell, or a part that nobody sees."""
        if not self._unseen and tag in _UNSEEN:
            self._unseen = tag
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag without content."""
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        """Ends what the tag began."""
        if tag == self._unseen:
            self._unseen = ""
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Letters; blanks and line breaks of the source are all one blank."""
        if not self._unseen:
            before, after = " " * data[:1].isspace(), " " * data[-1:].isspace()
            self.parts.append(before + " ".join(data.split()) + after)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")


def html_text(html: str) -> str:
    """What a browser shows of some HTML, a block a line; scripts, styles and comments are not shown.

    Any text is HTML: what is no tag stays. Pictures have no text.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return shown("\n".join(filter(None, lines)))


@dataclass(frozen=True, slots=True)
class HtmlTemplate:
    """The fields of one tag, whose values are HTML."""

    source: TextTemplate

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, in their order."""
        return self.source.fields

    @property
    def shows(self) -> Hashable:
        """The same fields shown as HTML."""
        return ("html", self.source.shows)

    def fill(self, data: Json) -> str:
        """The text of the HTML of one task's data; a line break between two fields is a <br>."""
        pieces = (replace(piece, before=piece.before.replace("\n", "<br>")) for piece in self.source.pieces)
        return html_text(replace(self.source, pieces=tuple(pieces)).fill(data))

    def missing(self, data: Json) -> tuple[str, ...]:
        """Fields without a text; all of them where their HTML shows none."""
        return self.source.missing(data) if self.fill(data) else self.fields

    def keep(self, fields: Iterable[str]) -> Self:
        """Only some of the fields."""
        return replace(self, source=self.source.keep(fields))


class HtmlObject:
    """HTML as text. What is in it may not be learned; what people read of it is."""

    def matches(self, tag: etree._Element) -> bool:
        """<HyperText> with a name."""
        return kind(tag) == "hypertext" and bool(attribute(tag, "name"))

    def obstacle(self, tag: etree._Element) -> str:
        """None of its own."""
        return ""

    def template(self, tag: etree._Element) -> HtmlTemplate:
        """What stands between the tags with its tags, else the value."""
        return HtmlTemplate(parse_template(_inside(tag) or attribute(tag, "value")))


def _inside(tag: etree._Element) -> str:
    children = (etree.tostring(child, encoding="unicode") for child in tag)
    return ((tag.text or "") + "".join(children)).strip()
