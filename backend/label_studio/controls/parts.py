"""What a control may say beyond `Control`: that it asks about objects apart, or is answered by nothing."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from lxml import etree

from backend.label_studio.controls.protocol import Target


@runtime_checkable
class AsksOfParts(Protocol):
    """A control whose question is about some objects, each for itself, and not about all that a task shows.

    The head of such a question sees one vector that is joined of those of the parts, in their order.
    """

    def parts(self, tag: etree._Element) -> tuple[str, ...]:
        """The names of the objects; each of them must be read, or the question cannot be answered."""
        ...


@runtime_checkable
class AnsweredByNothing(Protocol):
    """A control that people answer, too, by submitting an annotation without any region."""

    def nothing(self) -> Target:
        """What they say then."""
        ...
