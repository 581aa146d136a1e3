"""One order of the whole pool: the strategy's, with audit items at fixed places of the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_slots
from model.records import Embeddings, Lane, Ranking
from model.strategies import STRATEGIES, StrategyInput, needs_probabilities
from model.strategies.inputs import Rows

NO_MODEL = "no-model"
DEFAULT_STRATEGY = "balanced-herding"  # from the first task on: docs/decisions/0010


def rank(
    inputs: StrategyInput,
    *,
    strategy: str,
    window: int,
    audit: NDArray[np.bool_],
    audit_order: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
) -> Ranking:
    """Every item of the pool once, the one to label first at the front.

    `audit` (n,) marks the audit items of the pool and `audit_order` (n,) is their audit hash; both follow
    the rows of the pool. In the window, audit items stand at the slots of `share`, lowest hash first, and
    the strategy orders all others. Audit items that find no slot come last, in the order of their hash:
    they wait for a later window. Those that find one count as in flight: the strategy need not ask for the
    like of them. Neither part depends on the order of the rows; ties are broken by `rng`.
    Raises ValueError on an unknown strategy or masks that do not fit.
    """
    needs_probabilities(strategy)  # raises on a name that does not exist
    if len(audit) != len(inputs.pool) or len(audit_order) != len(inputs.pool):
        raise ValueError(
            f"rank: {len(audit)} audit marks and {len(audit_order)} hashes for {len(inputs.pool)} items"
        )
    waiting = np.flatnonzero(audit)
    waiting = waiting[np.lexsort((inputs.pool.ids[waiting], audit_order[waiting]))]
    coming = waiting[: len(audit_slots(min(window, len(inputs.pool)), share))]
    asked = _with_coming(inputs, inputs.pool.take(coming))
    informative = _order_by_strategy(asked, np.flatnonzero(~audit), strategy, rng)
    rows = _interleave(informative, waiting, window=window, share=share)
    version = NO_MODEL if inputs.probabilities is None else inputs.probabilities.model_version
    return Ranking(inputs.pool.ids[rows], _lanes(audit[rows], window), strategy, version)


def _order_by_strategy(inputs: StrategyInput, rows: Rows, strategy: str, rng: np.random.Generator) -> Rows:
    """Rows of the pool, the highest score first."""
    ids = inputs.pool.ids[rows]
    if not (ids[1:] > ids[:-1]).all():
        rows = rows[np.argsort(ids)]  # so that a tie falls the same way for any order of rows
    scores = STRATEGIES[strategy](inputs.ask_only(rows), rng)
    shuffled = rng.permutation(len(rows))  # and by chance
    order: Rows = rows[shuffled[np.argsort(-scores.values[shuffled], kind="stable")]]
    return order


def _with_coming(inputs: StrategyInput, coming: Embeddings) -> StrategyInput:
    """The same question when these items are in flight too."""
    labelled, classes = inputs.labelled, inputs.labelled_classes
    if not len(coming):
        return inputs
    if classes is not None:
        classes = np.concatenate([classes, np.full(len(coming), -1)])
    if len(labelled):
        ids = np.concatenate([labelled.ids, coming.ids])
        coming = Embeddings(ids, np.concatenate([labelled.vectors, coming.vectors]), labelled.encoder)
    return replace(inputs, labelled=coming, labelled_classes=classes)


def _interleave(informative: Rows, waiting: Rows, *, window: int, share: float) -> Rows:
    """The window with audit items at their slots, then the other informative items, then audit items."""
    total = len(informative) + len(waiting)
    takes_audit = np.zeros(total, dtype=np.bool_)
    takes_audit[audit_slots(min(window, total), share)[: len(waiting)]] = True
    takes_audit[np.flatnonzero(~takes_audit)[len(informative) :]] = True  # nothing else is left for these
    order = np.empty(total, dtype=np.intp)
    order[takes_audit], order[~takes_audit] = waiting, informative
    return order


def _lanes(audit: NDArray[np.bool_], window: int) -> tuple[Lane, ...]:
    window = min(window, len(audit))
    lanes: list[Lane] = ["informative"] * window
    lanes += ["rest"] * (len(audit) - window)
    for place in np.flatnonzero(audit).tolist():
        lanes[place] = "audit"
    return tuple(lanes)
