"""A number that people type: <Number min="0" max="10" step="0.5">."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import kind
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.regions import place_obstacles, region, values

# Labels and beliefs are of single precision, which ends at 3e38; what is larger is a slip of the keyboard.
_LARGEST = 1e30
_MOST_STEPS, _DIGITS = 1e9, 12  # steps that are finer than what single precision tells are none


class Number:
    """A target is the number in words: ("3.5",). There is one label, the number itself."""

    kind = "number"

    def matches(self, tag: etree._Element) -> bool:
        """Every <Number>."""
        return kind(tag) == "number"

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Answers for each region."""
        yield from place_obstacles(tag)

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """One column."""
        return (Label(name="value", title="value"),)

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """The first number of at most 1e30, above or below 0."""
        for value in values(regions, "number"):
            if not isinstance(value, int | float) or isinstance(value, bool):
                continue
            if -_LARGEST <= value <= _LARGEST:
                return (repr(float(value)),)
        return None

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """The median."""
        return (repr(float(median(float(target[0]) for target in said))),) if said else None

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with the number that people could type who mean this one: in bounds, on a step."""
        if not target:
            return []
        number = _typed(float(target[0]), question)
        shown: int | float = int(number) if number.is_integer() else number
        return [region(question, "number", {"number": shown}, confidence=confidence)]


def _typed(number: float, question: Question) -> float:
    """The nearest number that min, max and step of the config allow; steps count from min, without it from 0.

    Bounds without a number between them, and what is no number, are passed over.
    """
    least, most, step = (_said(question, name) for name in ("min", "max", "step"))
    low, high = -_LARGEST if least is None else least, _LARGEST if most is None else most
    if low > high:
        return number
    number = min(max(number, low), high)
    start = least or 0.0
    if step is None or step <= 0.0 or abs(number - start) / _MOST_STEPS > step:
        return number
    steps = round((number - start) / step)
    near = [round(start + count * step, _DIGITS) for count in (steps, steps - 1, steps + 1)]
    return next((one for one in near if low <= one <= high), number)


def _said(question: Question, name: str) -> float | None:
    try:
        value = float(question.attribute(name))
    except ValueError:
        return None
    return value if abs(value) <= _LARGEST else None
