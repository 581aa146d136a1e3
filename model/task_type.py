"""The seam: what the loop needs of a kind of question, whatever that question asks.

An answer to a question is a row of numbers in the columns of its label space: one-hot for one choice,
multi-hot for several (all zeros: "none of them"), one-hot over the grades of a rating, the number itself in
the only column of a number. A kind of question is a `Learner`; nothing above it knows how it learns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Ids, Labels, LabelSpace

Tensors = Mapping[str, NDArray[Any]]

OUT_OF_FOLD = "out-of-fold"


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """What `model_version` says of n items: all that ranking, auditing and pre-annotating need.

    values (n, c): what the head says of each column, as a chance where the kind has chances.
    answers (n, c): the answer it would give, in the form of the targets of `Labels`.
    confidence (n,): calibrated chance that this answer is the one a person gives, in every part.
    uncertainty (n,): finite and ≥ 0; higher = label sooner. Comparable within one head, not between heads.
    mass (n, c): expected number of each class.
    Raises ValueError when rows do not match or a number is not finite.
    """

    ids: Ids
    values: Floats
    answers: Floats
    confidence: Floats
    uncertainty: Floats
    mass: Floats
    model_version: str

    def __post_init__(self) -> None:
        for name in ("values", "answers", "confidence", "uncertainty", "mass"):
            found = getattr(self, name)
            if len(found) != len(self.ids):
                raise ValueError(f"Beliefs: {len(self.ids)} ids for {len(found)} rows of {name}")
            if not np.isfinite(found).all():
                raise ValueError(f"model {self.model_version!r} gave {name} that are not finite")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Beliefs:
        """The beliefs about some rows, given by position or by mask."""
        return Beliefs(
            self.ids[rows],
            self.values[rows],
            self.answers[rows],
            self.confidence[rows],
            self.uncertainty[rows],
            self.mass[rows],
            self.model_version,
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One number about a head, by name, from n answers that were asked blind, with its 95 % range.

    All three are None where there are too few answers. `higher_is_better`: not so for an error.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    higher_is_better: bool = True


class Head(Protocol):
    """A trained part: plain tensors in, plain tensors out."""

    @property
    def space(self) -> LabelSpace:
        """The columns of its answers."""
        ...

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """What it says of n items."""
        ...

    def tensors(self) -> Tensors:
        """Everything that `Learner.load` needs to build the same head again, bit for bit."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A head, and what heads that never saw an item believed of it.

    `out_of_fold` has the labelled items in the order in which they were given.
    """

    head: Head
    out_of_fold: Beliefs
    metrics: dict[str, float | None]


class Learner(Protocol):
    """One kind of question: several choices, a rating, a preference, paths of a taxonomy."""

    @property
    def kind(self) -> str:
        """Its name, as manifests hold it."""
        ...

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """A head before the first label; None where it can say nothing yet.

        names (c, d): unit vectors of what the classes are called; None where there are none.
        """
        ...

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """Fits a head to labels; works from one label on. Rows of items and labels are the same.

        audit (n,) marks rows drawn at random: thresholds are never chosen on these alone, and figures are
        measured on them elsewhere. The same input and seed give the same bits. Raises ValueError without
        labels or where rows do not match.
        """
        ...

    def load(self, tensors: Tensors, space: LabelSpace) -> Head:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        ...

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """How alike answers are, row by row, (n,) in [0, 1]: 1 = the same, 0 = nothing in common."""
        ...

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """What the head is worth, by the blind answers alone (n,), the most telling figure first."""
        ...
