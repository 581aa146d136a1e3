"""How synthetic items are judged and weighed: those with one label each, and those with sets of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.synthetic.gaps import Gap, find_gaps
from model.synthetic.items import Judgement, RealItems, SyntheticItems
from model.synthetic.label_sets.lift import answer_right, measure_set_lift
from model.synthetic.label_sets.verdicts import judge_sets
from model.synthetic.lift import Lift, fit_heads, measure_lift
from model.synthetic.verdicts import judge

Kept = NDArray[np.bool_]


class Way(Protocol):
    """What `simulate synthetic` asks of a kind of label."""

    def judge(self, real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator) -> Judgement:
        """The verdicts."""
        ...

    def measure(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, rng: np.random.Generator
    ) -> Lift:
        """The lift by the chosen items (s,) on audit labels."""
        ...

    def true_lift(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, asked: Floats, truth: Floats
    ) -> float:
        """What the chosen items (s,) add to the share of right answers on items (a, d) that nobody saw."""
        ...

    def gaps(
        self, real: RealItems, synthetic: SyntheticItems, kept: Kept, *, rng: np.random.Generator
    ) -> tuple[Gap, ...]:
        """What to make next."""
        ...


@dataclass(frozen=True, slots=True)
class OneLabel:
    """Items with one label each."""

    def judge(self, real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator) -> Judgement:
        """The verdicts."""
        return judge(real, synthetic, rng=rng)

    def measure(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, rng: np.random.Generator
    ) -> Lift:
        """The lift in accuracy."""
        return measure_lift(real, synthetic, chosen, rng=rng)

    def true_lift(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, asked: Floats, truth: Floats
    ) -> float:
        """What is added to accuracy."""
        heads = fit_heads(real, synthetic, np.flatnonzero(chosen))
        classes = truth.argmax(axis=1)
        right = [(head.logits(asked).argmax(axis=1) == classes).mean() for head in heads]
        return float(right[1] - right[0])

    def gaps(
        self, real: RealItems, synthetic: SyntheticItems, kept: Kept, *, rng: np.random.Generator
    ) -> tuple[Gap, ...]:
        """What to make next, by class."""
        return find_gaps(real, synthetic, kept, rng=rng)


@dataclass(frozen=True, slots=True)
class SetOfLabels:
    """Items with any number of labels; an answer is right when all labels are."""

    def judge(self, real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator) -> Judgement:
        """The verdicts."""
        return judge_sets(real, synthetic, rng=rng)

    def measure(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, rng: np.random.Generator
    ) -> Lift:
        """The lift in answers with exactly the right labels."""
        return measure_set_lift(real, synthetic, chosen, rng=rng)

    def true_lift(
        self, real: RealItems, synthetic: SyntheticItems, chosen: Kept, *, asked: Floats, truth: Floats
    ) -> float:
        """What is added to the share of answers with exactly the right labels."""
        rng = np.random.default_rng(0)  # draws nothing without bootstrap samples
        right = answer_right(
            real, synthetic, np.flatnonzero(chosen), asked=asked, truth=truth, trainings=0, rng=rng
        )
        return float(right[1].mean() - right[0].mean())

    def gaps(
        self, real: RealItems, synthetic: SyntheticItems, kept: Kept, *, rng: np.random.Generator
    ) -> tuple[Gap, ...]:
        """Not told of sets."""
        return ()
