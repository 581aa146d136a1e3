"""Which representation a project's head should look at, by what each says of labels it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import REPRESENTATIONS, Embeddings, Floats, Labels, Representation

FEWEST_LABELS = 30  # below this, held-out labels cannot tell representations apart
MOST_LABELS = 1000  # of more a sample tells enough
# Standard errors by which a representation must beat what would be taken without it. Joined features seldom
# lose much, words alone often do; characters must be clearly better than words, which cost less.
NEEDED: dict[Representation, float] = {
    "joined": 0.5,
    "tfidf": 2.0,
    "joined-characters": 1.0,
    "characters": 2.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Labelled items (n, d') and class names (c, d') as one representation shows them."""

    labelled: Embeddings
    names: Floats | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A representation, and the log loss out of fold of each that was looked at, in nats."""

    representation: Representation
    losses: dict[Representation, float]


def choose_representation(views: Mapping[Representation, View], labels: Labels, *, seed: int) -> Choice:
    """The encoder, unless the log loss out of fold of another is clearly less.

    All are fitted on the same folds, so that losses are compared row by row, and the mean gain with its own
    standard error. The choice depends on the labels alone, not on what was chosen before: the same data give
    the same model. Raises ValueError without the encoder's view.
    """
    first = REPRESENTATIONS[0]
    if first not in views:
        raise ValueError(f"choose_representation: there is no view {first!r}")
    if len(labels) < FEWEST_LABELS or len(views) == 1:
        return Choice(first, {})
    rows = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST_LABELS])
    some = labels.take(rows)
    losses = {name: _losses(views[name], some, rows, seed) for name in REPRESENTATIONS if name in views}
    chosen = first
    for name, needed in NEEDED.items():
        if name in losses and _is_clear(losses[chosen] - losses[name], needed):
            chosen = name
    return Choice(chosen, {name: float(values.mean()) for name, values in losses.items()})


def _losses(view: View, labels: Labels, rows: NDArray[np.intp], seed: int) -> NDArray[np.float64]:
    """Log loss (n,) of each row by a head that did not learn from it."""
    from model.training import train  # takes seconds to import, which those who only predict need not pay

    trained = train(
        view.labelled.take(rows),
        labels,
        name_vectors=view.names,
        audit=np.zeros(len(labels), dtype=np.bool_),
        rng=np.random.default_rng(seed),
    )
    likelihood = trained.out_of_fold.values[np.arange(len(labels)), labels.classes]
    losses: NDArray[np.float64] = -np.log(np.maximum(likelihood.astype(np.float64), 1e-6))
    return losses


def _is_clear(gains: NDArray[np.float64], needed: float) -> bool:
    return bool(gains.mean() > needed * gains.std() / np.sqrt(len(gains)))
