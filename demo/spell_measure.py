"""How often the pre-annotations of the spells are right, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.measure import Accuracy
from demo.spells import EFFECTS, POWER, Spell

Regions = Mapping[int, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of pre-annotations: `right` of those `given`, where `true` would have been right."""

    right: int
    given: int
    true: int

    @property
    def f1(self) -> float:
        """Twice the right ones over given and true ones, in [0, 1]; 1 where there are neither."""
        both = self.given + self.true
        return 2 * self.right / both if both else 1.0

    def __str__(self) -> str:
        return f"F1 {self.f1:.2f} ({self.right} of {self.given} given are right, {self.true} would be)"


def measure_ticks(predicted: Regions, truth: Mapping[int, Spell]) -> Ticks:
    """All ticks on the tasks of `truth`; a task without a pre-annotation has none."""
    right = given = true = 0
    for task_id, spell in truth.items():
        said = said_effects(predicted.get(task_id, ()))
        right += len(said & set(spell.effects))
        given += len(said)
        true += len(spell.effects)
    return Ticks(right, given, true)


def measure_stars(predicted: Regions, truth: Mapping[int, Spell]) -> Accuracy:
    """Tasks with exactly the right stars; one without a pre-annotation is not right."""
    right = [said_stars(predicted.get(task_id, ())) == spell.stars for task_id, spell in truth.items()]
    return Accuracy(right=sum(right), tasks=len(right))


def said_effects(regions: Sequence[Mapping[str, Any]]) -> set[str]:
    """What a pre-annotation ticks."""
    said = [region["value"].get("choices") or [] for region in regions if region["from_name"] == EFFECTS]
    return {str(label) for labels in said for label in labels}


def said_stars(regions: Sequence[Mapping[str, Any]]) -> int | None:
    """The stars that a pre-annotation gives; None for none."""
    said = [region["value"].get("rating") for region in regions if region["from_name"] == POWER]
    return int(said[0]) if said and said[0] is not None else None
