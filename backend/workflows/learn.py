"""From a snapshot to a model and a ranking: the part of the loop that runs without Label Studio."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.context import Context
from backend.database import Project
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.results import choice_result
from backend.label_studio.tasks import content_hash
from backend.workflows.embed import embed_texts
from backend.workflows.projects import project_seed, project_settings
from backend.workflows.publish import Placement
from backend.workflows.represent import choose_features, with_features
from backend.workflows.snapshot import Snapshot
from model.audit import audit_hash
from model.heads.single_label import LinearHead
from model.heads.surroundings import find_surroundings
from model.heads.trained import TrainedHead
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, Ranking, Representation
from model.representations.features import represent_names
from model.strategies.inputs import StrategyInput
from model.training import cold_start, train

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """A head, what it was measured to be worth, and the order it asks for.

    The head takes `features` (of all tasks); `words` is the revision of the TF-IDF encoder behind them.
    """

    trained: TrainedHead
    ranking: Ranking
    by_name: bool
    features: Embeddings
    representation: Representation = "encoder"
    words: str | None = None


def name_vectors(context: Context, config: LabelConfig) -> Floats:
    """Embeddings of the label names as people read them, (c, d) in the order of the config."""
    names = _titles(config)
    found = embed_texts(context, names)
    return np.stack([found[content_hash(name)] for name in names])


def _titles(config: LabelConfig) -> list[str]:
    return [readable_name(label.title) for label in config.labels]


def readable_name(title: str) -> str:
    """A label name as a sentence would have it: card_arrival → card arrival, cardArrival → card arrival."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", title)
    return re.sub(r"[_\-./]+", " ", spaced).strip() or title


def learn(
    context: Context, project: Project, config: LabelConfig, snapshot: Snapshot, *, version: str
) -> Learned:
    """Trains a head on a snapshot (or starts from the label names alone) and ranks the pool with it."""
    names = name_vectors(context, config)
    if len(snapshot.labels) == 0:
        trained = cold_start(names, config.space)
        ranking = rank_pool(context, project, snapshot, trained.head, version=version)
        return Learned(trained, ranking, by_name=True, features=snapshot.features)
    titles = _titles(config)
    choice, words = choose_features(context, project, snapshot, titles=titles, names=names)
    chosen = choice.representation
    seen = with_features(context, project, snapshot, representation=chosen, words=words)
    seed = project_seed(project)
    trained = train(
        seen.features.take(seen.labelled),
        seen.labels,
        name_vectors=represent_names(chosen, names, words.encode(titles) if words else None),
        audit=seen.audit[seen.labelled],
        rng=np.random.default_rng(seed),
        surroundings=find_surroundings(seen.features, np.random.default_rng(seed)),
    )
    trained.metrics.update({f"loss_{name}": loss for name, loss in choice.losses.items()})
    ranking = rank_pool(context, project, seen, trained.head, version=version)
    revision = words.revision if words else None
    return Learned(trained, ranking, False, seen.features, representation=chosen, words=revision)


def rank_pool(
    context: Context, project: Project, snapshot: Snapshot, head: LinearHead, *, version: str
) -> Ranking:
    """The order in which a head, which takes the features, wants the pool labelled, audit share included."""
    settings = project_settings(context, project)
    strategy = DEFAULT_STRATEGY if settings.strategy == "auto" else settings.strategy
    pool = snapshot.pool_embeddings
    seed = project_seed(project)
    return rank(
        StrategyInput(
            pool=pool,
            probabilities=head.probabilities(snapshot.features.take(snapshot.pool), version),
            labelled=snapshot.labelled_embeddings,
            batch=settings.queue_window,
            labelled_classes=snapshot.labels.classes,
        ),
        strategy=strategy,
        window=settings.queue_window,
        audit=snapshot.audit[snapshot.pool],
        audit_order=audit_hash(pool.ids, seed),
        share=settings.audit_share,
        rng=np.random.default_rng(seed),
    )


def place(
    ranking: Ranking,
    head: LinearHead,
    features: Embeddings,
    *,
    config: LabelConfig,
    by_name: bool,
    task_ids: Sequence[int],
) -> list[Placement]:
    """Placements of some tasks of a ranking, in the order given; audit tasks go without a pre-annotation."""
    lanes = dict(zip(ranking.ids.tolist(), ranking.lanes, strict=True))
    rows = {task_id: row for row, task_id in enumerate(features.ids.tolist())}
    chosen = features.take(np.array([rows[task_id] for task_id in task_ids], dtype=np.intp))
    values = head.probabilities(chosen, ranking.model_version).values
    placements = []
    for task_id, row in zip(task_ids, values, strict=True):
        lane = lanes[task_id]
        result = [] if lane == "audit" else pre_annotate(head, row, config, by_name=by_name)
        placements.append(Placement(task_id, lane, result))
    return placements


def pre_annotate(head: LinearHead, row: Floats, config: LabelConfig, *, by_name: bool) -> list[Json]:
    """The regions for one item's probabilities (c,): its best label that the config (still) has, if any."""
    known = set(config.space.names)
    columns = [column for column, name in enumerate(head.space.names) if name in known]
    if not columns:
        return []
    best = max(columns, key=lambda column: float(row[column]))
    return choice_result(config, head.space.names[best], confidence=float(row[best]), by_name=by_name)
