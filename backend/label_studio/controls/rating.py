"""A number of stars: <Rating maxRating="5">."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median_low

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.regions import place_obstacles, region, values

_USUAL = 5  # stars, where a config names no number
_MOST = 100
_WHOLE = re.compile(r"[0-9]{1,9}")


class Rating:
    """A target is the grade as a whole number: ("4",). The labels are the grades from 1 on."""

    kind = "rating"

    def matches(self, tag: etree._Element) -> bool:
        """Every <Rating>."""
        return kind(tag) == "rating"

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Answers for each region, fewer than two grades, or more than anybody gives."""
        grades = _most(tag)
        if grades is None or not 2 <= grades <= _MOST:
            yield f'has maxRating="{attribute(tag, "maxRating")}", not a whole number from 2 to {_MOST}'
        yield from place_obstacles(tag)

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """The grades, the lowest first."""
        grades = [str(grade) for grade in range(1, min(_most(tag) or 0, _MOST) + 1)]
        return tuple(Label(name=grade, title=grade) for grade in grades)

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """The first grade that the config has."""
        grades = {label.name for label in question.labels}
        for value in values(regions, "rating"):
            if not isinstance(value, int | float) or isinstance(value, bool):
                continue
            # an integer of JSON may be too large to be formatted as a float
            if 0 < value <= _MOST and (grade := f"{value:g}") in grades:
                return (grade,)
        return None

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """The middle grade, of an even number the lower one of the two in the middle."""
        return (str(median_low([int(target[0]) for target in said])),) if said else None

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with the grade."""
        if not target:
            return []
        return [region(question, "rating", {"rating": int(target[0])}, confidence=confidence)]


def _most(tag: etree._Element) -> int | None:
    said = attribute(tag, "maxRating")
    return _USUAL if not said else int(said) if _WHOLE.fullmatch(said) else None
