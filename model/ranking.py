"""One order of the whole pool: the strategy's, with audit items and other lanes at fixed places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_slots
from model.priority import Priority, by_priority, meet_quotas
from model.records import LANES, Embeddings, Floats, Ids, Lane, Ranking
from model.strategies import STRATEGIES, StrategyInput, needs_probabilities
from model.strategies.inputs import Rows

NO_MODEL = "no-model"
SOON = 0.02  # share of the queue in which people meet what is new
DEFAULT_STRATEGY = "balanced-herding"  # from the first task on: docs/decisions/0010
SEVERAL_QUESTIONS = "largest-need"  # of more than one question, or of one that is no single choice
COVERAGE_ALONE = "max-herding"  # while no question has a head


@dataclass(frozen=True, slots=True, eq=False)
class LaneQueue:
    """Items that ask for places of their own: in their order, at most `share` (0 to 1) of the window.

    An item that comes twice counts where it comes first. The first `soon` of them want places in the first
    2 % of the queue, or every second one at its front. With `first` all of them stand at the very front, as
    far as its places are free.
    """

    lane: Lane
    ids: Ids
    share: float
    soon: int = 0
    first: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"LaneQueue {self.lane!r}: share is {self.share}; it must be from 0 to 1")


def rank(
    inputs: StrategyInput,
    *,
    strategy: str,
    window: int,
    audit: NDArray[np.bool_],
    audit_order: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
    queues: Sequence[LaneQueue] = (),
    behind: Ids | None = None,
    priority: Priority | None = None,
) -> Ranking:
    """Every item of the pool once, the one to label first at the front.

    `audit` (n,) marks the audit items of the pool and `audit_order` (n,) is their audit hash; both follow
    the rows of the pool. In the window, audit items stand at the slots of `share`, lowest hash first, items
    of `queues` are spread over what is left, or over its front if they want to come soon (they may be items
    outside the pool; audit items stay audit items), and the strategy orders all others. Items `behind` (w,)
    follow these in their own order, unless they have a place already. With a `priority` the scores are
    multiplied, and members of quotas come forward among the items that the strategy orders, at no other
    place. Audit items that find no slot come
    last, in the order of their hash: they wait for a later window. All that find a place count as in flight:
    the strategy need not ask for the like of them. Nothing depends on the order of the rows; ties are broken
    by `rng`.
    Raises ValueError on an unknown strategy or masks that do not fit.
    """
    needs_probabilities(strategy)  # raises on a name that does not exist
    if len(audit) != len(inputs.pool) or len(audit_order) != len(inputs.pool):
        raise ValueError(
            f"rank: {len(audit)} audit marks and {len(audit_order)} hashes for {len(inputs.pool)} items"
        )
    waiting = np.flatnonzero(audit)
    waiting = waiting[np.lexsort((inputs.pool.ids[waiting], audit_order[waiting]))]
    limit = min(window, len(inputs.pool))
    coming = waiting[: len(audit_slots(limit, share))]
    invited = _invite(queues, window, audit_ids=inputs.pool.ids[waiting])
    is_invited = np.isin(inputs.pool.ids, [item for queue in invited for item in queue.ids])
    asked = _with_coming(inputs, np.union1d(coming, np.flatnonzero(is_invited)))
    free = ~audit & ~is_invited
    waits = free & np.isin(inputs.pool.ids, [] if behind is None else behind)
    scored = _score(asked, np.flatnonzero(free & ~waits), strategy, rng)
    last = _rows_of(behind, inputs.pool.ids, waits) if behind is not None else np.zeros(0, dtype=np.intp)
    version = NO_MODEL if inputs.probabilities is None else inputs.probabilities.model_version

    def order(wanted: Priority | None) -> Ranking:
        informative = inputs.pool.ids[np.concatenate([_in_order(scored, inputs.pool.ids, wanted), last])]
        ids, lanes = _interleave(informative, inputs.pool.ids[waiting], invited, window=window, share=share)
        return Ranking(ids, lanes, strategy, version)

    plain = order(None)
    if not priority:
        return plain
    wanted = order(priority)
    free_places = np.isin(wanted.ids, inputs.pool.ids[scored.rows])
    ids = meet_quotas(wanted.ids, free_places, priority.quotas, window=window)
    moved = len(np.setdiff1d(ids[:window], plain.ids[:window]))
    return replace(wanted, ids=ids, moved=moved)


def _invite(queues: Sequence[LaneQueue], window: int, *, audit_ids: Ids) -> list[LaneQueue]:
    """The items of each queue that may take a place in the window; nobody is invited twice."""
    taken, invited = set(audit_ids.tolist()), []
    for queue in queues:
        free = [item for item in dict.fromkeys(queue.ids.tolist()) if item not in taken]
        first = free[: int(window * queue.share)]
        taken.update(first)
        soon = len(set(first) & set(queue.ids[: queue.soon].tolist()))
        invited.append(replace(queue, ids=np.array(first, dtype=np.int64), soon=soon))
    return invited


def _rows_of(chosen: Ids, ids: Ids, waits: NDArray[np.bool_]) -> Rows:
    """Rows of the marked items (n,), in the order in which they were chosen."""
    rows = dict(zip(ids[waits].tolist(), np.flatnonzero(waits).tolist(), strict=True))
    return np.array([rows[item] for item in chosen.tolist() if item in rows], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Rows of the pool (n,), and the score (n,) of each, in an order by chance."""

    rows: Rows
    values: Floats


def _score(inputs: StrategyInput, rows: Rows, strategy: str, rng: np.random.Generator) -> _Scored:
    ids = inputs.pool.ids[rows]
    if not (ids[1:] > ids[:-1]).all():
        rows = rows[np.argsort(ids)]  # so that a tie falls the same way for any order of rows
    scores = STRATEGIES[strategy](inputs.ask_only(rows), rng)
    shuffled = rng.permutation(len(rows))  # and by chance
    return _Scored(rows[shuffled], scores.values[shuffled])


def _in_order(scored: _Scored, ids: Ids, priority: Priority | None) -> Rows:
    """Rows of the pool (whose ids are `ids`), the highest score first."""
    if priority is None:
        return scored.rows[np.argsort(-scored.values, kind="stable")]
    return scored.rows[by_priority(scored.values, priority.multipliers_of(ids[scored.rows]))]


def _with_coming(inputs: StrategyInput, coming: Rows) -> StrategyInput:
    """The same question when these rows of the pool are in flight too."""
    classes, view = inputs.labelled_classes, inputs.view
    if not len(coming):
        return inputs
    if classes is not None:
        classes = np.concatenate([classes, np.full(len(coming), -1)])
    if view is not None:
        view = replace(view, labelled=_append(view.labelled, view.pool.take(coming)))
    labelled = _append(inputs.labelled, inputs.pool.take(coming))
    return replace(inputs, labelled=labelled, labelled_classes=classes, view=view)


def _append(items: Embeddings, more: Embeddings) -> Embeddings:
    if not len(items):
        return more
    vectors = np.concatenate([items.vectors, more.vectors])
    return Embeddings(np.concatenate([items.ids, more.ids]), vectors, items.encoder)


def _interleave(
    informative: Ids, waiting: Ids, invited: Sequence[LaneQueue], *, window: int, share: float
) -> tuple[Ids, tuple[Lane, ...]]:
    """Audit items at their slots, invited ones between, all else by the strategy, then audit items."""
    total = len(informative) + len(waiting) + sum(len(queue.ids) for queue in invited)
    ids, lanes = np.empty(total, dtype=np.int64), np.full(total, LANES.index("informative"))
    lanes[audit_slots(min(window, total), share)[: len(waiting)]] = LANES.index("audit")
    for queue in invited:
        early = min(max(round(SOON * total), 2 * queue.soon), window)
        later = 0 if queue.first else window  # over no places at all: the first that are free
        for part, stretch in ((queue.ids[: queue.soon], early), (queue.ids[queue.soon :], later)):
            places = _spread(np.flatnonzero(lanes == LANES.index("informative")), len(part), window=stretch)
            lanes[places], ids[places] = LANES.index(queue.lane), part
    free = np.flatnonzero(lanes == LANES.index("informative"))
    lanes[free[len(informative) :]] = LANES.index("audit")  # nothing else is left for these
    ids[free[: len(informative)]], ids[lanes == LANES.index("audit")] = informative, waiting
    beyond = (lanes == LANES.index("informative")) & (np.arange(total) >= window)
    lanes[beyond] = LANES.index("rest")
    return ids, _names(lanes)


def _names(lanes: NDArray[np.int64]) -> tuple[Lane, ...]:
    """The lanes by name; most of a large pool is the rest."""
    names: list[Lane] = ["rest"] * len(lanes)
    for place in np.flatnonzero(lanes != LANES.index("rest")).tolist():
        names[place] = LANES[lanes[place]]
    return tuple(names)


def _spread(free: Rows, count: int, *, window: int) -> Rows:
    """So many of the free places: evenly over the window while it has them, else the first."""
    inside = free[free < window]
    if count > len(inside):
        return free[:count]
    return inside[np.floor((np.arange(count) + 0.5) * len(inside) / max(count, 1)).astype(np.intp)]
