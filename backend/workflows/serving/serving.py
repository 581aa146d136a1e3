"""A version that is ready to serve: what it believes of a task, and its pre-annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.errors import BadRequest
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.results import choice_result
from backend.workflows.intake.earlier_findings import new_class_members, novel_members
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.represent import as_version_sees
from model.heads.single_label import LinearHead
from model.records import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """A version and the snapshot as its head sees it.

    `floor`: confidence below which a pre-annotation is not shown. `of_new_classes`: tasks of groups that a
    person made a class, and that label, while the head hardly knows it. `novel`: tasks that fit no class, and
    the name of their group; they get no pre-annotation.
    """

    version: str
    head: LinearHead
    config: LabelConfig
    snapshot: Snapshot
    floor: float = 0.0
    of_new_classes: Mapping[int, str] = field(default_factory=dict)
    novel: Mapping[int, str] = field(default_factory=dict)

    def believe(self, task_ids: Sequence[int]) -> dict[int, Floats]:
        """Probabilities (c,) of those of some tasks, real or synthetic, that the snapshot knows."""
        wanted = np.array(sorted(set(task_ids)), dtype=np.int64)
        believed: dict[int, Floats] = {}
        for items in (self.snapshot.features, self.snapshot.synthetic_features):
            chosen = items.take(np.isin(items.ids, wanted))
            values = self.head.probabilities(chosen, self.version).values
            believed.update(zip(chosen.ids.tolist(), values, strict=True))
        return believed


def load_serving(workspace: Workspace, snapshot: Snapshot, *, config: LabelConfig, version: str) -> Serving:
    """A stored version, ready to rank and to pre-annotate.

    Raises RegistryError, and BadRequest for one that knows the vectors of another encoder.
    """
    head, manifest = workspace.registry.load(workspace.key, version)
    if manifest.encoder != snapshot.embeddings.encoder:
        raise BadRequest(
            f"Version {version} was made with another encoder ({manifest.encoder}) than the project has now.",
            hint="Choose a version that was made since, or give the project that encoder again: "
            f"python -m backend connect {workspace.label_studio_id} --encoder NAME",
        )
    return Serving(
        version=version,
        head=head,
        config=config,
        snapshot=as_version_sees(workspace, snapshot, manifest),
        floor=workspace.settings.preannotate_floor,
        of_new_classes=new_class_members(workspace, snapshot),
        novel=novel_members(workspace),
    )


def pre_annotate(head: LinearHead, row: Floats, config: LabelConfig, *, floor: float) -> list[Json]:
    """The regions for one item's probabilities (c,): its best label that the config (still) has.

    None where no label reaches the `floor`.
    """
    best = best_label(head, row, config)
    if best is None or best[1] < floor:
        return []
    return choice_result(config, best[0], confidence=best[1])


def best_label(head: LinearHead, row: Floats, config: LabelConfig) -> tuple[str, float] | None:
    """The likeliest label that the config (still) has, with its probability; None where there is none."""
    known = set(config.space.names)
    columns = [column for column, name in enumerate(head.space.names) if name in known]
    if not columns:
        return None
    best = max(columns, key=lambda column: float(row[column]))
    return head.space.names[best], float(row[best])


def pre_annotation(serving: Serving, task_id: int, row: Floats) -> list[Json]:
    """The regions for one task's probabilities (c,).

    A task of a new class gets that class, one that fits no class gets none.
    """
    if task_id in serving.novel:
        return []
    label, names = serving.of_new_classes.get(task_id), serving.head.space.names
    if label is None or label not in serving.config.space.names:
        return pre_annotate(serving.head, row, serving.config, floor=serving.floor)
    confidence = float(row[names.index(label)]) if label in names else 0.0
    return choice_result(serving.config, label, confidence=confidence)
