"""A version that is ready to serve: what it believes of a task, and its pre-annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import BadRequest
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice
from backend.workflows.intake.earlier_findings import new_class_members, novel_members
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.answers import (
    Answered,
    ServedQuestion,
    above_floor,
    answer_items,
    answer_new_classes,
    load_questions,
    only_shown,
    regions_of,
)
from backend.workflows.training.represent import as_version_sees
from model.heads.single_label import LinearHead
from model.records import Floats
from model.task_type import Tensors

if TYPE_CHECKING:  # what learns takes seconds to import, and who only answers needs none of it
    from backend.workflows.training.learn import Learned


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """A version and the snapshot as its head sees it.

    `choice` is the head of a first question that is a single choice, `questions` have those of all others.

    `floor`: confidence below which a pre-annotation is not shown. `of_new_classes`: tasks of groups that a
    person made a class, and that label, while the head hardly knows it. `novel`: tasks that fit no class, and
    the name of their group; they get no pre-annotation.
    """

    version: str
    choice: LinearHead | None
    config: LabelConfig
    snapshot: Snapshot
    floor: float = 0.0
    of_new_classes: Mapping[int, str] = field(default_factory=dict)
    novel: Mapping[int, str] = field(default_factory=dict)
    questions: tuple[ServedQuestion, ...] = ()

    @property
    def head(self) -> LinearHead:
        """The head of the first question; raises ValueError where that is no single choice."""
        if self.choice is None:
            raise ValueError("the first question is no single choice")
        return self.choice

    def answer(self, task_ids: Sequence[int]) -> dict[int, list[Answered]]:
        """What is answered to all of `questions`, of those of some tasks that the snapshot knows."""
        wanted = np.array(sorted(set(task_ids)), dtype=np.int64)
        found: dict[int, list[Answered]] = {}
        for tasks in (self.snapshot.embeddings, self.snapshot.synthetic_embeddings):
            chosen = tasks.take(np.isin(tasks.ids, wanted))
            found |= answer_items(self.questions, chosen, self.version, items=self.snapshot.items)
        return found

    def believe(self, task_ids: Sequence[int]) -> dict[int, Floats]:
        """Probabilities (c,) of those of some tasks, real or synthetic, that the snapshot knows.

        None where the first question is no single choice.
        """
        if self.choice is None:
            return {}
        wanted = np.array(sorted(set(task_ids)), dtype=np.int64)
        believed: dict[int, Floats] = {}
        for items in (self.snapshot.features, self.snapshot.synthetic_features):
            chosen = items.take(np.isin(items.ids, wanted))
            values = self.head.probabilities(chosen, self.version).values
            believed.update(zip(chosen.ids.tolist(), values, strict=True))
        return believed


def serve(learned: Learned, *, version: str, config: LabelConfig) -> Serving:
    """What was just learned, ready to rank and to pre-annotate; knows nothing of earlier findings."""
    return Serving(
        version=version,
        choice=None if learned.choice is None else learned.choice.head,
        config=config,
        snapshot=learned.seen,
        questions=tuple(ServedQuestion(one.question, one.trained.head) for one in learned.questions),
    )


def head_tensors(learned: Learned) -> dict[str, NDArray[Any]]:
    """All numbers of the heads of all questions, each under a name of its own."""
    choice = None if learned.choice is None else learned.choice.head
    return name_tensors(
        choice, [(one.question.name, one.trained.head.tensors()) for one in learned.questions]
    )


def name_tensors(
    choice: LinearHead | None, questions: Sequence[tuple[str, Tensors]]
) -> dict[str, NDArray[Any]]:
    """The numbers of a first head, if there is one, and of named others."""
    found: dict[str, NDArray[Any]] = {}
    if choice is not None:
        found |= {"weights": choice.weights, "bias": choice.bias}
        found["temperature"] = np.array(choice.temperature)
    for question, tensors in questions:
        found |= {f"{question}.{name}": values for name, values in tensors.items()}
    return found


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
        # a first question that is gone stood before one that is the first now
        choice=head if is_single_choice(config) else None,
        config=config,
        snapshot=as_version_sees(workspace, snapshot, manifest),
        floor=workspace.settings.preannotate_floor,
        of_new_classes=new_class_members(workspace, snapshot),
        novel=novel_members(workspace),
        questions=load_questions(workspace, version, config),
    )


def answer_first(head: LinearHead, row: Floats, config: LabelConfig, *, floor: float) -> list[Answered]:
    """The answer to a first single choice by one item's probabilities (c,): its best label there (still) is.

    None where no label reaches the `floor`, and of a head that knows nothing.
    """
    best = best_label(head, row, config)
    if best is None or best[1] < floor:
        return []
    return [Answered(config.questions[0], (best[0],), best[1])]


def best_label(head: LinearHead, row: Floats, config: LabelConfig) -> tuple[str, float] | None:
    """The likeliest label that the config (still) has, with its probability.

    None where there is none, and of a head that knows nothing.
    """
    if head.knows_nothing:
        return None
    known = set(config.space.names)
    columns = [column for column, name in enumerate(head.space.names) if name in known]
    if not columns:
        return None
    best = max(columns, key=lambda column: float(row[column]))
    return head.space.names[best], float(row[best])


def pre_annotations(serving: Serving, task_ids: Sequence[int]) -> dict[int, list[Json]]:
    """The regions of each of some tasks: one answer to every question that can be answered and is shown."""
    beliefs, answered = serving.believe(task_ids), serving.answer(task_ids)
    regions = {}
    for task_id in task_ids:
        first = _of_first(serving, task_id, beliefs[task_id]) if task_id in beliefs else []
        others = _of_others(serving, task_id, answered.get(task_id, []))
        given = [*first, *above_floor(others, serving.floor)]
        regions[task_id] = regions_of(only_shown(given, serving.config))
    return regions


def _of_others(serving: Serving, task_id: int, answered: Sequence[Answered]) -> Sequence[Answered]:
    """What is said to the questions that are learned through the table, a first one among them."""
    if not answered or answered[0].question.name != serving.config.questions[0].name:
        return answered
    label, is_novel = serving.of_new_classes.get(task_id), task_id in serving.novel
    return answer_new_classes(answered, label=label, is_novel=is_novel)


def _of_first(serving: Serving, task_id: int, row: Floats) -> list[Answered]:
    """The answer by one task's probabilities (c,), if there is one to give.

    A task of a new class gets that class, one that fits no class gets none.
    """
    if task_id in serving.novel:
        return []
    label, names = serving.of_new_classes.get(task_id), serving.head.space.names
    if label is None or label not in serving.config.space.names:
        return answer_first(serving.head, row, serving.config, floor=serving.floor)
    confidence = float(row[names.index(label)]) if label in names else 0.0
    return [Answered(serving.config.questions[0], (label,), confidence)]
