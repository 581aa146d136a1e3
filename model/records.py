"""The values that flow through the loop, from items to a ranking.

Axis names used throughout: n = items, d = dimensions, c = classes (column j is LabelSpace.names[j]).
Ids travel with their rows, so that nobody counts positions, and every value says who made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
Lane = Literal["audit", "chosen", "novelty", "synthetic", "informative", "rest"]
Representation = Literal["encoder", "joined", "tfidf", "joined-characters", "characters"]
# Which labels said where the threshold of novelty lies.
ThresholdSource = Literal["audit", "audit and cross-fit", "cross-fit", "none"]

LANES: tuple[Lane, ...] = ("audit", "chosen", "novelty", "synthetic", "informative", "rest")
# What a head looks at; the first is taken until another is clearly better.
REPRESENTATIONS: tuple[Representation, ...] = (
    "encoder",
    "joined",
    "tfidf",
    "joined-characters",
    "characters",
)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """One unit vector per item, (n, d), made by `encoder` (its name and revision)."""

    ids: Ids
    vectors: Floats
    encoder: str

    def __post_init__(self) -> None:
        _require_rows("Embeddings", self.ids, self.vectors, ndim=2)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Embeddings:
        """The embeddings of some rows, given by position or by mask."""
        return Embeddings(self.ids[rows], self.vectors[rows], self.encoder)


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """The classes a project knows, in the order of its labeling config."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"LabelSpace: class names repeat: {self.names}")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Column of a class; raises ValueError when the class is unknown."""
        return self.names.index(name)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What people said: targets (n, c), each row one-hot for a single-label task."""

    ids: Ids
    targets: Floats
    space: LabelSpace

    def __post_init__(self) -> None:
        _require_rows("Labels", self.ids, self.targets, ndim=2)
        if self.targets.shape[1] != len(self.space):
            raise ValueError(f"Labels: {self.targets.shape[1]} columns for {len(self.space)} classes")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_names(cls, ids: Ids, names: list[str], space: LabelSpace) -> Labels:
        """One-hot rows from class names; raises ValueError on a name outside the space."""
        columns = {name: j for j, name in enumerate(space.names)}
        unknown = sorted(set(names) - set(columns))
        if unknown:
            raise ValueError(f"Labels: {len(unknown)} class names are not in the label space")
        targets = np.zeros((len(ids), len(space)), dtype=np.float32)
        targets[np.arange(len(ids)), [columns[name] for name in names]] = 1.0
        return cls(ids, targets, space)

    @property
    def classes(self) -> NDArray[np.intp]:
        """Column of each row's class, (n,)."""
        columns: NDArray[np.intp] = self.targets.argmax(axis=1)
        return columns

    def take(self, rows: NDArray[np.intp] | slice) -> Labels:
        """Some rows, given by position."""
        return Labels(self.ids[rows], self.targets[rows], self.space)


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """What `model_version` believes: values (n, c), every row sums to 1."""

    ids: Ids
    values: Floats
    model_version: str

    def __post_init__(self) -> None:
        _require_rows("Probabilities", self.ids, self.values, ndim=2)
        if not np.isfinite(self.values).all():
            raise ValueError(f"model {self.model_version!r} gave a probability that is not finite")

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Probabilities:
        """The probabilities of some rows, given by position or by mask."""
        return Probabilities(self.ids[rows], self.values[rows], self.model_version)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One number per item (n,), given by `strategy`; higher means label sooner."""

    ids: Ids
    values: Floats
    strategy: str

    def __post_init__(self) -> None:
        _require_rows("Scores", self.ids, self.values, ndim=1)
        if not np.isfinite(self.values).all():
            raise ValueError(f"strategy {self.strategy!r} gave a score that is not finite")


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Every rankable item, the one to label first at the front, and the lane each came by (n,).

    `moved`: how many items of the window would not be in it without an admin's priority and quotas.
    """

    ids: Ids
    lanes: tuple[Lane, ...]
    strategy: str
    model_version: str
    moved: int = 0

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.lanes):
            raise ValueError(f"Ranking: {len(self.ids)} ids for {len(self.lanes)} lanes")
        if len(np.unique(self.ids)) != len(self.ids):
            raise ValueError("Ranking: an id appears twice")

    def __len__(self) -> int:
        return len(self.ids)


def _require_rows(what: str, ids: Ids, values: Floats, *, ndim: int) -> None:
    if values.ndim != ndim:
        raise ValueError(f"{what}: expected {ndim} axes, got {values.ndim}")
    if len(ids) != len(values):
        raise ValueError(f"{what}: {len(ids)} ids for {len(values)} rows")
