"""A labeling config as XML, its tags and attributes in whatever case: Label Studio's editor minds none."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from backend.errors import BadRequest


def parse_xml(xml: str, *, keep_comments: bool = False) -> etree._Element:
    """The root of a config. Raises BadRequest when it is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=not keep_comments)
    try:
        return etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadRequest(
            f"The labeling config is not valid XML: {error}", hint="Check it in Label Studio's settings."
        ) from None


def tags(root: etree._Element, *kinds: str) -> Iterator[etree._Element]:
    """The tags of some kinds (lower case; none: all) in the order of the config, no comments."""
    for tag in root.iter():
        if isinstance(tag.tag, str) and (not kinds or kind(tag) in kinds):
            yield tag


def kind(tag: etree._Element) -> str:
    """What a tag is, in lower case."""
    return str(tag.tag).lower()


def attribute(tag: etree._Element, name: str) -> str:
    """An attribute in whatever case it is written; empty when it is missing."""
    return next((value for key, value in tag.items() if key.lower() == name.lower()), "")


def is_true(tag: etree._Element, name: str) -> bool:
    """Whether an attribute says true."""
    return attribute(tag, name).lower() == "true"


def lineage(tag: etree._Element) -> Iterator[etree._Element]:
    """The tag itself and all that it stands in."""
    yield tag
    yield from tag.iterancestors()


def written(tag: etree._Element) -> str:
    """A tag in a sentence: <Choices> "topic"."""
    shown, name = f"<{str(tag.tag)}>", attribute(tag, "name")
    return f'{shown} "{name}"' if name else shown
