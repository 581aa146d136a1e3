"""Any number of fixed labels: <Choices choice="multiple">, and a single one that is ticked or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.controls.choices import (
    chosen,
    form_obstacles,
    is_tick,
    label_obstacles,
    labels_of,
)
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.regions import region
from backend.label_studio.spelling import find_label


class SeveralChoices:
    """A target is the names of the labels that are ticked, in the order of the config; none: none of them."""

    kind = "several choices"

    def matches(self, tag: etree._Element) -> bool:
        """Every <Choices> that lets people tick several, and one with a single <Choice>."""
        return kind(tag) == "choices" and (attribute(tag, "choice") == "multiple" or is_tick(tag))

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Labels of each task, answers for each region."""
        yield from form_obstacles(tag)
        yield from label_obstacles(tag)

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """Every <Choice>, each name once."""
        return labels_of(tag)

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """All known labels that are ticked; None where there is none, whatever the reason."""
        spellings = (spelling for choices in chosen(regions) for spelling in choices)
        names = {find_label(spelling, question.labels) for spelling in spellings}
        return _in_order(names, question) or None

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """The labels that more than half of the people ticked.

        Without any: "none of them" where more than half of the people said so, else None.
        """
        votes = Counter(name for target in said for name in set(target))
        kept = _in_order({name for name, count in votes.items() if 2 * count > len(said)}, question)
        is_none = 2 * sum(not target for target in said) > len(said)
        return kept if kept or is_none else None

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with all labels; none for "none of them"."""
        names = list(_in_order(set(target), question))
        return [region(question, "choices", {"choices": names}, confidence=confidence)] if names else []


def _in_order(names: set[str] | set[str | None], question: Question) -> Target:
    return tuple(label.name for label in question.labels if label.name in names)
