"""What is judged, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Labels

if TYPE_CHECKING:  # its libraries take seconds to import, and the names of the verdicts need none
    from model.synthetic.pictures import Pictures
    from model.synthetic.realism import Realism

Verdict = Literal["helpful", "redundant", "harmful", "unsure"]
HELPFUL: Verdict = "helpful"
REDUNDANT: Verdict = "redundant"
HARMFUL: Verdict = "harmful"
UNSURE: Verdict = "unsure"
VERDICTS: tuple[Verdict, ...] = (HELPFUL, REDUNDANT, HARMFUL, UNSURE)


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Real items without a label, as many as one cares to look at; texts and pictures may be missing."""

    embeddings: Embeddings
    texts: Sequence[str] | None = None
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RealItems:
    """Trusted items with their labels; `audit` (n,) marks those that only measure and teach no label.

    Unlabelled real items, if there are any, show better what is unlike everything real.
    """

    embeddings: Embeddings
    labels: Labels
    audit: NDArray[np.bool_]
    texts: Sequence[str] | None = None
    unlabelled: Unlabelled | None = None
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticItems:
    """Items to judge with the labels their generator intended; `groups` (s,) numbers generators or slices."""

    embeddings: Embeddings
    labels: Labels
    groups: NDArray[np.intp] | None = None
    texts: Sequence[str] | None = None
    pictures: Pictures | None = None

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One item. low ≤ value ≤ high in [-1, 1]; realism in [0, 1]; a higher review order is asked sooner."""

    id: int
    verdict: Verdict
    value: float
    low: float
    high: float
    realism: float
    duplicate_of: int | None
    reason: str
    review_order: float

    @property
    def is_auxiliary(self) -> bool:
        """Whether the model may learn from it: helpful, or not sure and likelier sound than faulty."""
        return self.verdict == HELPFUL or (self.verdict == UNSURE and self.value > 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """All items in the order they came in, and how real the set looks."""

    items: tuple[JudgedItem, ...]
    realism: Realism

    def mask(self, *verdicts: Verdict) -> NDArray[np.bool_]:
        """Which items (s,) have one of these verdicts."""
        return np.array([item.verdict in verdicts for item in self.items], dtype=np.bool_)

    @property
    def auxiliary(self) -> NDArray[np.bool_]:
        """Which items (s,) the model may learn from."""
        return np.array([item.is_auxiliary for item in self.items], dtype=np.bool_)
