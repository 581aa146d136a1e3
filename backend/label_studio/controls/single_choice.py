"""One choice among fixed labels: <Choices> as it is without more words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, kind
from backend.label_studio.controls.choices import chosen, form_obstacles, label_obstacles, labels_of
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import SINGLE_CHOICE, Label, Question
from backend.label_studio.controls.regions import region
from backend.label_studio.spelling import find_label

_SINGLE = ("", "single", "single-radio")


class SingleChoice:
    """A target is the name of one label."""

    kind = SINGLE_CHOICE

    def matches(self, tag: etree._Element) -> bool:
        """Every <Choices> that no other kind takes."""
        return kind(tag) == "choices"

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Another form of choice, labels of each task, answers for each region."""
        if (form := attribute(tag, "choice")) not in _SINGLE:
            yield f'has choice="{form}"'
        yield from form_obstacles(tag)
        yield from label_obstacles(tag)

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """Every <Choice>, each name once."""
        return labels_of(tag)

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """The first region that chooses exactly one label of the config."""
        for spellings in chosen(regions):
            # one that is ticked twice, as imports may say it, is one
            names = {find_label(spelling, question.labels) for spelling in spellings}
            if len(names) == 1 and (name := names.pop()):
                return (name,)
        return None

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """The label that most people give; None on a tie."""
        ranked = Counter(said).most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with the label."""
        return [region(question, "choices", {"choices": list(target)}, confidence=confidence)]
