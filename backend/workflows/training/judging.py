"""Judges the synthetic tasks, and picks those that may teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.label_studio.controls.protocol import Target
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice, task_type
from backend.workflows.intake.picture_looks import read_looks
from backend.workflows.intake.snapshot import Snapshot, SyntheticTask
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.learn import AuxiliaryItem
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.items import Judgement, RealItems, SyntheticItems, Unlabelled
from model.synthetic.reviews import Outcome, Review

UNLABELLED = 1000  # tasks without a label that are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The synthetic tasks with an intended answer, as the model takes them, and the verdicts on them."""

    tasks: tuple[SyntheticTask, ...]
    real: RealItems
    synthetic: SyntheticItems
    judgement: Judgement


def judge_tasks(workspace: Workspace, config: LabelConfig, snapshot: Snapshot) -> Judged | None:
    """The verdicts, written down in place of the last ones; None without synthetic or real labels.

    None too where the kind of the first question has no verdicts.
    """
    judge = task_type(config.questions[0]).judge
    tasks = tuple(task for task in snapshot.synthetic if task.intended is not None)
    if judge is None or not tasks or not len(snapshot.labels):
        workspace.verdicts.replace([])
        return None
    real, synthetic = _take_items(workspace, snapshot, tasks)
    rng = np.random.default_rng(workspace.seed)
    judgement = judge(real, synthetic, rng=rng, reviews=_reviews(tasks))
    workspace.verdicts.replace(judgement.items)
    return Judged(tasks, real, synthetic, judgement)


def auxiliary_items(judged: Judged | None, config: LabelConfig) -> list[AuxiliaryItem]:
    """What may be learned of synthetic tasks: what a person said of them, else what they were meant to be.

    Only the head of a first single choice learns of them.
    """
    if judged is None or not is_single_choice(config):
        return []
    found = []
    for task, item in zip(judged.tasks, judged.judgement.items, strict=True):
        target = task.review or (task.intended if item.is_auxiliary else None)
        if target is not None and not task.is_rejected:
            found.append(AuxiliaryItem(task.task_id, target[0]))
    return found


def _take_items(
    workspace: Workspace, snapshot: Snapshot, tasks: Sequence[SyntheticTask]
) -> tuple[RealItems, SyntheticItems]:
    labels, space = snapshot.labels, snapshot.labels.space
    ids = [task.task_id for task in tasks]
    pool = _sample(snapshot.pool_embeddings, np.random.default_rng(workspace.seed))
    texts = workspace.tasks.read_texts([*labels.ids.tolist(), *ids, *pool.ids.tolist()])
    real = RealItems(
        snapshot.labelled_embeddings,
        labels,
        snapshot.audit[snapshot.labelled],
        [texts[task_id] for task_id in labels.ids.tolist()],
        Unlabelled(
            pool,
            [texts[task_id] for task_id in pool.ids.tolist()],
            read_looks(workspace, pool.ids.tolist()),
        ),
        read_looks(workspace, labels.ids.tolist()),
    )
    embeddings = snapshot.synthetic_embeddings.take(np.isin(snapshot.synthetic_embeddings.ids, ids))
    kinds = sorted({(task.generator or "", task.slice or "") for task in tasks})
    groups = np.array(
        [kinds.index((task.generator or "", task.slice or "")) for task in tasks], dtype=np.intp
    )
    targets = np.stack([_row(task.intended, space) for task in tasks])
    intended = Labels(embeddings.ids, targets, space)
    said = [texts[task_id] for task_id in ids]
    return real, SyntheticItems(embeddings, intended, groups, said, read_looks(workspace, ids))


def _row(target: Target | None, space: LabelSpace) -> Floats:
    """An intended answer in the columns of the question, (c,)."""
    return np.isin(space.names, list(target or ())).astype(np.float32)


def _sample(pool: Embeddings, rng: np.random.Generator) -> Embeddings:
    """At most so many unlabelled tasks as show what real ones are like."""
    return pool.take(np.sort(rng.permutation(len(pool))[:UNLABELLED]))


def _reviews(tasks: Sequence[SyntheticTask]) -> list[Review]:
    reviews = []
    for task in tasks:
        outcome: Outcome | None = None
        if task.is_rejected:
            outcome = "reject"
        elif task.review is not None:
            outcome = "confirm" if task.review == task.intended else "relabel"
        if outcome is not None:
            reviews.append(Review(task.task_id, outcome))
    return reviews
