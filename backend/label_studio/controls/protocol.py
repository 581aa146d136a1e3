"""What a kind of control does for the loop: it reads people's answers, and writes the model's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from lxml import etree

from backend.json_types import Json
from backend.label_studio.controls.question import Label, Question

# What was answered to one question: names of its labels, in the order of the config. Of one choice a single
# name, of several any number of them (none: "none of them"), of a rating its grade as a number ("4"), of a
# number the number in words ("3.5").
Target = tuple[str, ...]


class Control(Protocol):
    """One kind of control, without state: all that it knows of a config is in the `Question`."""

    @property
    def kind(self) -> str:
        """The kind of question, as `backend.task_types` names it: "several choices"."""
        ...

    def matches(self, tag: etree._Element) -> bool:
        """Whether a tag of a config asks this kind of question, supported or not."""
        ...

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """What stands in the way of answering it, each as it follows the tag's name in a sentence."""
        ...

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """The columns of its answers, in the order of the config."""
        ...

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """What one annotation's regions of this question say.

        None: nothing, or in no shape that the config allows.
        """
        ...

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """What several people say together, one target each; None where they do not agree enough."""
        ...

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """The regions of a prediction that says this; valid for the config. None of them may be empty."""
        ...
