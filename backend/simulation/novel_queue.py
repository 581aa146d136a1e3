"""The queue of the live loop over tasks of which some belong to classes that nobody has labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.settings import Settings
from backend.workflows.findings.novelty import MOST_GROUPS
from model.audit import audit_quota
from model.heads.neighbour_graph import build_neighbour_graph
from model.heads.single_label import LinearHead
from model.novelty.grouping import Group, order_of_asking
from model.ranking import DEFAULT_STRATEGY, LaneQueue, rank
from model.records import Embeddings, Floats, Ids, Labels
from model.strategies.inputs import StrategyInput
from model.training import train


def queue_up(
    pool: Embeddings,
    labelled: Embeddings,
    labels: Labels,
    groups: Sequence[Group],
    *,
    settings: Settings,
    name_vectors: Floats | None,
    audited: Ids,
    seed: int,
) -> list[int]:
    """Ids of the pool in the order of the live loop: its strategy, its audit share, its lane for groups.

    The head sees the encoder's vectors. The audit tasks of the window are drawn anew: of those `audited`
    before, the novel ones would still wait and fill every place of the audit.
    """
    rng = np.random.default_rng(seed)
    head = _train_head(pool, labelled, labels, name_vectors=name_vectors, audited=audited, rng=rng)
    window, share = settings.queue_window, settings.audit_share
    coming = audit_quota(len(labels) + window, share=share) - audit_quota(len(labels), share=share)
    shown = groups[:MOST_GROUPS]
    lane = np.array(order_of_asking([group.ids for group in shown]), dtype=np.int64)
    ranking = rank(
        StrategyInput(
            pool=pool,
            probabilities=head.probabilities(pool, "simulated"),
            labelled=labelled,
            batch=window,
            labelled_classes=labels.classes,
        ),
        strategy=DEFAULT_STRATEGY,
        window=window,
        audit=rng.permutation(len(pool)) < coming,
        audit_order=rng.random(len(pool)),
        share=share,
        rng=rng,
        queues=[LaneQueue("novelty", lane, settings.novelty_share, soon=len(shown))],
    )
    order: list[int] = ranking.ids.tolist()
    return order


def _train_head(
    pool: Embeddings,
    labelled: Embeddings,
    labels: Labels,
    *,
    name_vectors: Floats | None,
    audited: Ids,
    rng: np.random.Generator,
) -> LinearHead:
    seen = Embeddings(
        np.concatenate([labelled.ids, pool.ids]),
        np.concatenate([labelled.vectors, pool.vectors]),
        pool.encoder,
    )
    return train(
        labelled,
        labels,
        name_vectors=name_vectors,
        audit=np.isin(labels.ids, audited),
        rng=rng,
        neighbour_graph=build_neighbour_graph(seen, rng),
    ).head
