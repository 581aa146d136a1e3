"""How likely it is that a person is asked a question that is shown only beside some answers to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.label_studio.controls.conditions import SELECTED, names_meant, parents_of
from backend.label_studio.controls.question import SINGLE_CHOICE, Condition, Question
from model.records import Floats, LabelSpace


@dataclass(frozen=True, slots=True, eq=False)
class LabelChances:
    """What a head says of the labels of a question: chances (n, c) in the columns of its space."""

    space: LabelSpace
    values: Floats


class ShownChances:
    """The chances of n items that each of some questions is shown, by what the heads say of the others.

    Answers to different questions are taken for independent of each other.
    """

    def __init__(self, questions: Sequence[Question], heads: Mapping[str, LabelChances], items: int) -> None:
        self._questions = {question.name: question for question in questions}
        self._heads, self._items = heads, items

    def of(self, question: Question) -> Floats:
        """Chance (n,) that it is shown; 1 where a question that it hangs on has no head yet."""
        needed = self._needed(question, {})
        shown = np.ones(self._items, dtype=np.float64)
        for condition, waiting in needed.items():
            parents = parents_of(condition, waiting, self._questions)
            if any(parent.name not in self._heads for parent in parents):
                return np.ones(self._items, dtype=np.float32)
            shown *= self._chance(condition, parents)
        return np.clip(shown, 0.0, 1.0).astype(np.float32)

    def _needed(self, question: Question, found: dict[Condition, Question]) -> dict[Condition, Question]:
        """All conditions that must hold, those of the questions that it hangs on among them, each once."""
        for condition in question.conditions:
            if condition in found:
                continue
            found[condition] = question
            if condition.when == SELECTED and condition.question in self._questions:
                self._needed(self._questions[condition.question], found)
        return found

    def _chance(self, condition: Condition, parents: Sequence[Question]) -> Floats:
        """Chance (n,) that one condition holds; where it waits for one question, given that it is shown."""
        if condition.when == SELECTED and condition.question:
            return self._selected(condition, parents[0])
        none = np.ones(self._items, dtype=np.float64)
        for parent in parents:
            none *= 1.0 - self._selected(condition, parent) * self.of(parent)
        return np.asarray(1.0 - none if condition.when == SELECTED else none)

    def _selected(self, condition: Condition, parent: Question) -> Floats:
        """Chance (n,) that a question that is shown has one of the labels that a condition waits for."""
        head = self._heads[parent.name]
        columns = np.isin(head.space.names, names_meant(condition, parent))
        values = head.values[:, columns].astype(np.float64)
        if parent.kind == SINGLE_CHOICE:
            return np.asarray(values.sum(axis=1))
        return np.asarray(1.0 - np.prod(1.0 - values, axis=1))
