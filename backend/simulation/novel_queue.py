"""The queue of the live loop over tasks of which some belong to classes that nobody has labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.workflows.novelty import MOST_GROUPS
from model.audit import DEFAULT_SHARE, audit_quota
from model.heads.surroundings import find_surroundings
from model.novelty.grouping import Group, order_of_asking
from model.ranking import DEFAULT_STRATEGY, LaneQueue, rank
from model.records import Embeddings, Floats, Ids, Labels
from model.strategies.inputs import StrategyInput
from model.training import train

_WINDOW, _LANE = 100, 0.1  # of the live loop unless set otherwise


def queue_up(
    pool: Embeddings,
    labelled: Embeddings,
    labels: Labels,
    groups: Sequence[Group],
    *,
    name_vectors: Floats,
    audited: Ids,
    seed: int,
) -> list[int]:
    """Ids of the pool in the order of the live loop: its strategy, its audit share, its lane for groups.

    The head sees the encoder's vectors. The audit tasks of the window are drawn anew: of those `audited`
    before, the novel ones would still wait and fill every place of the audit.
    """
    rng = np.random.default_rng(seed)
    seen = Embeddings(
        np.concatenate([labelled.ids, pool.ids]),
        np.concatenate([labelled.vectors, pool.vectors]),
        pool.encoder,
    )
    trained = train(
        labelled,
        labels,
        name_vectors=name_vectors,
        audit=np.isin(labels.ids, audited),
        rng=rng,
        surroundings=find_surroundings(seen, rng),
    )
    coming = audit_quota(len(labels) + _WINDOW) - audit_quota(len(labels))
    lane = order_of_asking([group.ids for group in groups[:MOST_GROUPS]])
    ranking = rank(
        StrategyInput(
            pool=pool,
            probabilities=trained.head.probabilities(pool, "simulated"),
            labelled=labelled,
            batch=_WINDOW,
            labelled_classes=labels.classes,
        ),
        strategy=DEFAULT_STRATEGY,
        window=_WINDOW,
        audit=rng.permutation(len(pool)) < coming,
        audit_order=rng.random(len(pool)),
        share=DEFAULT_SHARE,
        rng=rng,
        queues=[LaneQueue("novelty", np.array(lane, dtype=np.int64), _LANE)],
    )
    order: list[int] = ranking.ids.tolist()
    return order
