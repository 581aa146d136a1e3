"""What a kind of object does for the loop: it gives what people read of a task, as text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, Self

from lxml import etree

from backend.json_types import Json


class Template(Protocol):
    """What one tag shows of a task. Any data give a text: what cannot be read is left out, nothing raises."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields of a task that are read, in their order; none: the same in every task."""
        ...

    @property
    def shows(self) -> Hashable:
        """What is shown, and how: of two tags that are equal here one is enough."""
        ...

    def fill(self, data: Json) -> str:
        """The text of one task's data as people read it, stripped; empty where no field has one."""
        ...

    def missing(self, data: Json) -> tuple[str, ...]:
        """Fields without a text in one task's data."""
        ...

    def keep(self, fields: Iterable[str]) -> Self:
        """Only some of the fields."""
        ...


class ShownObject(Protocol):
    """One kind of object, without state."""

    def matches(self, tag: etree._Element) -> bool:
        """Whether a tag of a config is of this kind, readable or not."""
        ...

    def obstacle(self, tag: etree._Element) -> str:
        """Why its content cannot be read, as it follows the tag's name in a sentence; empty where it can."""
        ...

    def template(self, tag: etree._Element) -> Template:
        """What the tag shows of a task."""
        ...
