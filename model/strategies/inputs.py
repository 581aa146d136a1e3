"""What every strategy is given, and what makes a strategy of a function that scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import LinearHead, as_float32
from model.records import Embeddings, Floats, Ids, Probabilities, Scores
from model.task_type import Beliefs

Rows = NDArray[np.intp]

_PART = 4096  # rows looked at in one go
_HALF_EXPONENT = np.uint16(0x7C00)  # all of these bits are set in an infinite float16, and in no finite one


@dataclass(frozen=True, slots=True, eq=False)
class HeadView:
    """A head, and the features that it looks at: of the pool (n, d') and of the labelled items (m, d').

    They are the vectors of these items unless the head's representation is another one.
    """

    head: LinearHead
    pool: Embeddings
    labelled: Embeddings


@dataclass(frozen=True, slots=True, eq=False)
class StrategyInput:
    """A pool to rank, what the head believes of it, and what needs no second look.

    `labelled` holds the labelled items and those in flight (published or on somebody's screen), so that
    nobody is asked the same thing twice; `labelled_classes` (m,) are their columns, -1 where there is no
    answer yet, or None when nobody cares. `batch` is how many items are asked before the next training.
    `asked` are the rows of the pool that may be asked, in the order in which a strategy sees them; all of
    them when None, and `rank` fills it. `view` is the head behind the probabilities, for strategies that look
    into it. `questions` are what the heads of further questions believe of the pool. A large pool may lie on
    disk as float16: nothing here copies it.
    Raises ValueError when ids repeat, or rows, encoders or sizes do not fit together.
    """

    pool: Embeddings
    probabilities: Probabilities | None
    labelled: Embeddings
    batch: int
    labelled_classes: NDArray[np.intp] | None = None
    asked: Rows | None = None
    view: HeadView | None = None
    questions: tuple[Beliefs, ...] = ()

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"StrategyInput: batch is {self.batch}; give 1 or more")
        if _repeats(self.pool.ids):
            raise ValueError("StrategyInput: an id appears twice in the pool")
        if self.labelled_classes is not None and len(self.labelled_classes) != len(self.labelled):
            raise ValueError("StrategyInput: there are not as many classes as labelled items")
        if self.probabilities is not None and not np.array_equal(self.probabilities.ids, self.pool.ids):
            raise ValueError("StrategyInput: probabilities and pool differ in their ids or their order")
        if len(self.labelled) and len(self.pool):
            self._require_one_encoder()
        if any(not np.array_equal(beliefs.ids, self.pool.ids) for beliefs in self.questions):
            raise ValueError("StrategyInput: beliefs and pool differ in their ids or their order")
        if self.view is not None:
            self._require_same_items(self.view)

    def __len__(self) -> int:
        return len(self.pool) if self.asked is None else len(self.asked)

    @property
    def ids(self) -> Ids:
        """Ids (n,) of the items that may be asked."""
        return self.pool.ids if self.asked is None else self.pool.ids[self.asked]

    def take(self, rows: Rows | NDArray[np.bool_]) -> StrategyInput:
        """The same question about some rows of the pool, given by position or by mask, as a copy."""
        probabilities = None if self.probabilities is None else self.probabilities.take(rows)
        view = None if self.view is None else replace(self.view, pool=self.view.pool.take(rows))
        questions = tuple(beliefs.take(rows) for beliefs in self.questions)
        pool = self.pool.take(rows)
        return replace(self, pool=pool, probabilities=probabilities, view=view, questions=questions)

    def ask_only(self, rows: Rows) -> StrategyInput:
        """The same question about some of the items, given by position, in that order; copies nothing."""
        return replace(self, asked=rows if self.asked is None else self.asked[rows])

    def vectors(self, rows: Rows | None = None) -> Floats:
        """Unit vectors (m, d), float32, of some of the items, given by position; of all of them when None."""
        return self._pick(self.pool, rows)

    def features(self, rows: Rows | None = None) -> Floats:
        """What the head looks at (m, d'), float32, of some of the items, as `vectors` does."""
        return self._pick(self.require_view().pool, rows)

    def require_probabilities(self) -> Floats:
        """The probabilities (n, c) of the items; raises ValueError when there are none."""
        if self.probabilities is None:
            raise ValueError("this strategy needs probabilities; without a head, take max-herding or random")
        values = self.probabilities.values
        return values if self.asked is None else values[self.asked]

    def require_view(self) -> HeadView:
        """The head and its features; raises ValueError when there are probabilities alone."""
        if self.view is None:
            raise ValueError("this strategy needs the head itself, not only its probabilities")
        return self.view

    def _pick(self, items: Embeddings, rows: Rows | None) -> Floats:
        if self.asked is not None:
            rows = self.asked if rows is None else self.asked[rows]
        return as_float32(items.vectors if rows is None else items.vectors[rows])

    def _require_same_items(self, view: HeadView) -> None:
        for seen, given in ((view.pool, self.pool), (view.labelled, self.labelled)):
            if not np.array_equal(seen.ids, given.ids):
                raise ValueError("StrategyInput: the head looks at other items, or in another order")

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
    """Make a strategy of a function that gives one number per item.

    The function sees the items and the labelled ones in the order of their ids, so that no answer can
    depend on the order in which a database returned them, and never an empty pool. The strategy raises
    ValueError with its name when an embedding or a score is not finite.
    """

    def decorate(function: ScoringFunction) -> Strategy:
        @wraps(function)
        def strategy(inputs: StrategyInput, rng: np.random.Generator) -> Scores:
            for what, embeddings in (("the pool", inputs.pool), ("the labelled items", inputs.labelled)):
                if not _is_finite(embeddings.vectors):
                    raise ValueError(
                        f"strategy {name!r}: an embedding of {what} is not finite; embed it again"
                    )
            ids = inputs.ids
            values = np.zeros(len(ids), dtype=np.float32)
            if len(ids):
                by_id = slice(None) if _ascends(ids) else np.argsort(ids)
                values[by_id] = function(_in_id_order(inputs, by_id), rng)
            return Scores(ids, values, name)

        return strategy

    return decorate


def _in_id_order(inputs: StrategyInput, by_id: Rows | slice) -> StrategyInput:
    labelled = inputs.labelled
    order = np.argsort(labelled.ids, kind="stable")
    classes = None if inputs.labelled_classes is None else inputs.labelled_classes[order]
    labelled = Embeddings(labelled.ids[order], as_float32(labelled.vectors[order]), labelled.encoder)
    view = inputs.view
    if view is not None:
        view = replace(view, labelled=view.labelled.take(order))
    inputs = replace(inputs, labelled=labelled, labelled_classes=classes, view=view)
    return inputs if isinstance(by_id, slice) else inputs.ask_only(by_id)


def _ascends(ids: Ids) -> bool:
    return bool((ids[1:] > ids[:-1]).all())


def _repeats(ids: Ids) -> bool:
    return not _ascends(ids) and len(np.unique(ids)) != len(ids)


def _is_finite(vectors: Floats) -> bool:
    """Whether all values (n, d) are; in parts, and by their bits where numpy is slow to ask them."""
    parts = (vectors[start : start + _PART] for start in range(0, len(vectors), _PART))
    if vectors.dtype == np.float16:
        return all((part.view(np.uint16) & _HALF_EXPONENT).max() < _HALF_EXPONENT for part in parts)
    return all(np.isfinite(part).all() for part in parts)
