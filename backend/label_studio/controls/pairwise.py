"""Which of two things is better: <Pairwise toName="left,right">.

Label Studio's editor writes the name of the control itself as `to_name`, which its server refuses in a
prediction; it takes that of an object, as the code of the editor does (1.23.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import kind
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.regions import place_obstacles, region, values

_SIDES = ("left", "right")


class Pairwise:
    """A target is the side that is better, ("left",), or no side at all: a tie."""

    kind = "pairwise"

    def matches(self, tag: etree._Element) -> bool:
        """Every <Pairwise>."""
        return kind(tag) == "pairwise"

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Another number of objects than two, or answers for each region."""
        if len(set(self.parts(tag))) != len(_SIDES) or len(self.parts(tag)) != len(_SIDES):
            yield f'has toName="{tag.get("toName", "")}", not the names of two objects'
        yield from place_obstacles(tag)

    def parts(self, tag: etree._Element) -> tuple[str, ...]:
        """The left object and the right one."""
        return tuple(name for name in (part.strip() for part in tag.get("toName", "").split(",")) if name)

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """Left and right."""
        return tuple(Label(name=side, title=side) for side in _SIDES)

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """The first side that is named."""
        sides = {label.name for label in question.labels}
        named = (value for value in values(regions, "selected") if isinstance(value, str))
        return next(((value,) for value in named if value in sides), None)

    def nothing(self) -> Target:
        """A second click on a side takes the answer away: neither is better."""
        return ()

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """What most people say, a tie being one of three answers; None where two are said as often."""
        ranked = Counter(said).most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with the side; none for a tie."""
        if not target:
            return []
        return [region(question, "pairwise", {"selected": target[0]}, confidence=confidence)]
