"""The training set of a head: labelled rows in stratified folds, and auxiliary data in none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels

if TYPE_CHECKING:
    import torch

FOLDS = 5
NEVER_HELD_OUT = -1


@dataclass(frozen=True, slots=True, eq=False)
class AuxiliaryData:
    """Rows to learn from that measure nothing: embeddings (m, d), labels (m, c), sample weights (m,).

    A labelled row weighs 1. Synthetic items are auxiliary data: accuracy and calibration come from real rows.
    """

    embeddings: Embeddings
    labels: Labels
    sample_weights: Floats

    def __post_init__(self) -> None:
        if not len(self.embeddings) == len(self.labels) == len(self.sample_weights):
            raise ValueError(
                f"AuxiliaryData: {len(self.embeddings)} embeddings, {len(self.labels)} labels and "
                f"{len(self.sample_weights)} weights"
            )
        if not (np.isfinite(self.embeddings.vectors).all() and np.isfinite(self.sample_weights).all()):
            raise ValueError("AuxiliaryData: a vector or weight is not finite; embed these items again")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Rows (n + m): first the n labelled ones, each in a fold, then m of auxiliary data in none."""

    embeddings: Embeddings
    labels: Labels
    folds: NDArray[np.intp]
    sample_weights: Floats
    measured: int

    @property
    def measured_labels(self) -> Labels:
        """The labels (n, c) that heads are measured by."""
        return self.labels.take(slice(self.measured))

    @property
    def number_of_folds(self) -> int:
        """How many folds there are."""
        return int(self.folds.max()) + 1

    def sample_weights_without(self, fold: NDArray[np.intp]) -> torch.Tensor:
        """Weights (n + m, f) for heads that each miss a fold (f,); a number past the last misses none."""
        import torch  # takes seconds to import, which those who only read the number of folds need not pay

        return torch.from_numpy((self.folds[:, None] != fold) * self.sample_weights[:, None]).float()


def build_training_set(
    embeddings: Embeddings, labels: Labels, auxiliary: AuxiliaryData | None, rng: np.random.Generator
) -> TrainingSet:
    """Labelled rows in folds, auxiliary data behind them."""
    folds = assign_folds(labels.classes, rng)
    weights = np.ones(len(labels), dtype=np.float32)
    if auxiliary is None or not len(auxiliary.labels):
        return TrainingSet(embeddings, labels, folds, weights, len(labels))
    more = auxiliary.embeddings, auxiliary.labels
    ids = np.concatenate([labels.ids, more[1].ids])
    return TrainingSet(
        Embeddings(ids, np.concatenate([embeddings.vectors, more[0].vectors]), embeddings.encoder),
        Labels(ids, np.concatenate([labels.targets, more[1].targets]), labels.space),
        np.concatenate([folds, np.full(len(more[1]), NEVER_HELD_OUT)]),
        np.concatenate([weights, auxiliary.sample_weights.astype(np.float32)]),
        len(labels),
    )


def assign_folds(classes: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """The fold (n,) of each row, at most 5, stratified: every class is spread as evenly as it can be."""
    folds = np.empty(len(classes), dtype=np.intp)
    by_class = np.lexsort((rng.random(len(classes)), classes))  # dealt out like cards, class after class
    folds[by_class] = np.arange(len(classes)) % min(FOLDS, max(len(classes), 1))
    return folds
