"""From a version to the places of its window: the order it asks for, and what it says of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.context import Context
from backend.database import Project
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.results import choice_result
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.projects import project_seed, project_settings
from backend.workflows.serving import publish
from backend.workflows.serving.lanes import lane_queues, new_class_members
from backend.workflows.serving.publish import Placement, PublishReport
from backend.workflows.training.represent import as_version_sees
from model.audit import audit_hash
from model.heads.single_label import LinearHead
from model.ranking import DEFAULT_STRATEGY, LaneQueue, rank
from model.records import Floats, Ranking
from model.strategies.inputs import StrategyInput

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """A version and the snapshot as its head sees it.

    `floor`: confidence below which a pre-annotation is not shown. `of_new_classes`: tasks of groups that a
    person made a class, and that label, while the head hardly knows it.
    """

    version: str
    head: LinearHead
    by_name: bool
    config: LabelConfig
    snapshot: Snapshot
    floor: float = 0.0
    of_new_classes: Mapping[int, str] = field(default_factory=dict)

    def believe(self, task_ids: Sequence[int]) -> dict[int, Floats]:
        """Probabilities (c,) of those of some tasks, real or synthetic, that the snapshot knows."""
        wanted = np.array(sorted(set(task_ids)), dtype=np.int64)
        believed: dict[int, Floats] = {}
        for items in (self.snapshot.features, self.snapshot.synthetic_features):
            chosen = items.take(np.isin(items.ids, wanted))
            values = self.head.probabilities(chosen, self.version).values
            believed.update(zip(chosen.ids.tolist(), values, strict=True))
        return believed


def load_serving(
    context: Context, project: Project, snapshot: Snapshot, *, config: LabelConfig, version: str
) -> Serving:
    """A stored version, ready to rank and to pre-annotate. Raises RegistryError."""
    head, manifest = context.registry.load(project.key, version)
    return Serving(
        version=version,
        head=head,
        by_name=manifest.kind == "label-names",
        config=config,
        snapshot=as_version_sees(context, project, snapshot, manifest),
        floor=project_settings(context, project).preannotate_floor,
        of_new_classes=new_class_members(context, project, snapshot),
    )


def order_seed(project: Project, snapshot: Snapshot) -> list[int]:
    """Seed of what is random in an order: another one after every label, and the same until then.

    With one seed for all loops, a random order would be the same at each of them, and a strategy that
    samples candidates or its first pick would follow its earlier picks. A window that is filled up between
    labels goes on in the order it began with.
    """
    return [project_seed(project), len(snapshot.labels)]


def rank_pool(
    context: Context,
    project: Project,
    serving: Serving,
    *,
    queues: Sequence[LaneQueue] | None = None,
    seed: Sequence[int] | None = None,
) -> Ranking:
    """The order in which a version wants the pool labelled, audit share and lanes included.

    `queues` are those of the moment and `seed` is `order_seed` unless others are given.
    """
    settings, snapshot = project_settings(context, project), serving.snapshot
    strategy = DEFAULT_STRATEGY if settings.strategy == "auto" else settings.strategy
    pool = snapshot.pool_embeddings
    return rank(
        StrategyInput(
            pool=pool,
            probabilities=serving.head.probabilities(snapshot.features.take(snapshot.pool), serving.version),
            labelled=snapshot.labelled_embeddings,
            batch=settings.queue_window,
            labelled_classes=snapshot.labels.classes,
        ),
        strategy=strategy,
        window=settings.queue_window,
        audit=snapshot.audit[snapshot.pool],
        audit_order=audit_hash(pool.ids, project_seed(project)),
        share=settings.audit_share,
        rng=np.random.default_rng(order_seed(project, snapshot) if seed is None else seed),
        queues=lane_queues(context, project, snapshot) if queues is None else queues,
    )


def publish_places(
    context: Context,
    project: Project,
    remote: LabelStudio,
    serving: Serving,
    *,
    ranking: Ranking,
    task_ids: Sequence[int],
    first_position: int = 0,
) -> PublishReport:
    """Sends the predictions of some tasks of a ranking as places of the version's window."""
    return publish.import_window(
        context,
        project,
        remote,
        version=serving.version,
        placements=place(serving, ranking, task_ids=task_ids),
        first_position=first_position,
    )


def place(serving: Serving, ranking: Ranking, *, task_ids: Sequence[int]) -> list[Placement]:
    """Placements of some tasks of a ranking, in the order given; audit tasks go without a pre-annotation."""
    lanes = dict(zip(ranking.ids.tolist(), ranking.lanes, strict=True))
    beliefs = serving.believe(task_ids)
    placements = []
    for task_id in task_ids:
        lane = lanes[task_id]
        result = [] if lane == "audit" else _pre_annotation(serving, task_id, beliefs[task_id])
        placements.append(Placement(task_id, lane, result))
    return placements


def pre_annotate(
    head: LinearHead, row: Floats, config: LabelConfig, *, by_name: bool, floor: float
) -> list[Json]:
    """The regions for one item's probabilities (c,): its best label that the config (still) has.

    None where no label reaches the `floor`.
    """
    known = set(config.space.names)
    columns = [column for column, name in enumerate(head.space.names) if name in known]
    if not columns:
        return []
    best = max(columns, key=lambda column: float(row[column]))
    if row[best] < floor:
        return []
    return choice_result(config, head.space.names[best], confidence=float(row[best]), by_name=by_name)


def _pre_annotation(serving: Serving, task_id: int, row: Floats) -> list[Json]:
    label, names = serving.of_new_classes.get(task_id), serving.head.space.names
    if label is None or label not in serving.config.space.names:
        return pre_annotate(serving.head, row, serving.config, by_name=serving.by_name, floor=serving.floor)
    confidence = float(row[names.index(label)]) if label in names else 0.0
    return choice_result(serving.config, label, confidence=confidence, by_name=serving.by_name)
