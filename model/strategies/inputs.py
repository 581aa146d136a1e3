"""What every strategy is given, and what makes a strategy of a function that scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Probabilities, Scores

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class StrategyInput:
    """A pool to rank, what the head believes of it, and what needs no second look.

    `labelled` holds the labelled items and those in flight (published or on somebody's screen), so that
    nobody is asked the same thing twice; `labelled_classes` (m,) are their columns, -1 where there is no
    answer yet, or None when nobody cares. `batch` is how many items are asked before the next training.
    Raises ValueError when ids repeat, or rows, encoders or sizes do not fit together.
    """

    pool: Embeddings
    probabilities: Probabilities | None
    labelled: Embeddings
    batch: int
    labelled_classes: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"StrategyInput: batch is {self.batch}; give 1 or more")
        if len(np.unique(self.pool.ids)) != len(self.pool):
            raise ValueError("StrategyInput: an id appears twice in the pool")
        if self.labelled_classes is not None and len(self.labelled_classes) != len(self.labelled):
            raise ValueError("StrategyInput: there are not as many classes as labelled items")
        if self.probabilities is not None and not np.array_equal(self.probabilities.ids, self.pool.ids):
            raise ValueError("StrategyInput: probabilities and pool differ in their ids or their order")
        if len(self.labelled) and len(self.pool):
            self._require_one_encoder()

    def take(self, rows: Rows | NDArray[np.bool_]) -> StrategyInput:
        """The same question about some rows of the pool, given by position or by mask."""
        probabilities = None if self.probabilities is None else self.probabilities.take(rows)
        return replace(self, pool=self.pool.take(rows), probabilities=probabilities)

    def require_probabilities(self) -> Floats:
        """The probabilities (n, c); raises ValueError when there are none."""
        if self.probabilities is None:
            raise ValueError("this strategy needs probabilities; without a head, take max-herding or random")
        return self.probabilities.values

    def _require_one_encoder(self) -> None:
        if self.labelled.encoder != self.pool.encoder:
            raise ValueError(
                f"StrategyInput: labelled items were embedded by {self.labelled.encoder!r}, "
                f"the pool by {self.pool.encoder!r}; embed both with one encoder"
            )
        if self.labelled.vectors.shape[1] != self.pool.vectors.shape[1]:
            raise ValueError("StrategyInput: labelled items and pool do not have the same dimensions")


Strategy = Callable[[StrategyInput, np.random.Generator], Scores]
ScoringFunction = Callable[[StrategyInput, np.random.Generator], Floats]


def named_strategy(name: str) -> Callable[[ScoringFunction], Strategy]:
    """Make a strategy of a function that gives one number per pool item.

    The function sees the pool and the labelled items in the order of their ids, so that no answer can
    depend on the order in which a database returned them, and never an empty pool.
    """

    def decorate(function: ScoringFunction) -> Strategy:
        @wraps(function)
        def strategy(inputs: StrategyInput, rng: np.random.Generator) -> Scores:
            values = np.zeros(len(inputs.pool), dtype=np.float32)
            if len(inputs.pool):
                by_id = np.argsort(inputs.pool.ids)
                values[by_id] = function(_in_id_order(inputs, by_id), rng)
            return Scores(inputs.pool.ids, values, name)

        return strategy

    return decorate


def _in_id_order(inputs: StrategyInput, by_id: Rows) -> StrategyInput:
    order = np.argsort(inputs.labelled.ids, kind="stable")
    classes = None if inputs.labelled_classes is None else inputs.labelled_classes[order]
    inputs = replace(inputs, labelled=inputs.labelled.take(order), labelled_classes=classes)
    if np.array_equal(by_id, np.arange(len(by_id))):  # spares a copy of the whole pool
        return inputs
    return inputs.take(by_id)
