"""What a loop learns from and ranks: one project's items, labels and audit share at one moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.intentions import unpack_intention
from backend.label_studio.label_config import LabelConfig
from backend.store.snapshot_rows import SnapshotRows
from backend.task_types import is_single_choice, questions_beside
from backend.workflows.intake.chosen import waiting_choice
from backend.workflows.intake.encoded_tasks import read_encoded
from backend.workflows.intake.keywords import TaskKeywords, look_for_keywords, said_hints
from backend.workflows.intake.priority import read_priority
from backend.workflows.intake.question_items import QuestionItems, read_question_items
from backend.workflows.intake.question_labels import QuestionLabels, read_question_labels
from backend.workflows.intake.second_looks import SKIPPED, open_again
from backend.workflows.project.account import CURABLE
from backend.workflows.project.skip_states import ANSWERS
from backend.workflows.project.workspace import Workspace
from model.audit import audit_hash, audit_quota, audit_threshold
from model.priority import Priority
from model.records import Embeddings, Ids, Labels

# Part of every fingerprint: raise it when the same data should give another model or order.
ALGORITHM = 11


@dataclass(frozen=True, slots=True)
class SyntheticTask:
    """Where one synthetic task comes from, what it was meant to be answered with, and what people said.

    `intended` and `review`, what a person answered, are answers to the first question. `is_rejected`: a
    person skipped it. `is_open`: nobody did yet.
    """

    task_id: int
    generator: str | None
    slice: str | None
    intended: Target | None
    review: Target | None
    is_rejected: bool
    is_open: bool


class TakenRows:
    """Rows that were taken last, for whoever asks for them next: of a large pool each copy is gigabytes."""

    def __init__(self) -> None:
        self._last: tuple[Embeddings, NDArray[np.bool_], Embeddings] | None = None

    def of(self, items: Embeddings, mask: NDArray[np.bool_]) -> Embeddings:
        """The items of a mask (n,); both are told by being the same objects, which nobody changes."""
        last = self._last
        if last is None or last[0] is not items or last[1] is not mask:
            last = self._last = (items, mask, items.take(mask))
        return last[2]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Rows are all real tasks with text, by task id. `pool` and `audit` are masks over them.

    The pool is what waits for its first answer; `skipped` marks rows that people skipped and nobody answered.
    Audit rows are a uniform sample of all rows; those that were
    answered without a label (`lost`: task id, and when) measure nothing, and others take their place.
    `labelled_at` says when each row of `labels` was first labelled. Synthetic tasks stand apart: their
    embeddings (m, d) follow `synthetic`.
    `labels` are the answers to the first question of the config, rows of `labelled`; `questions` are all that
    are learned through the table of task types, with their answers, and `items` is what their heads look at.
    `unencoded` are ids of real tasks with text that have no vector yet, as long as workers encode a large
    project; `open_unencoded` of them wait for their first answer. They belong to the project that is
    measured, and are in no order.
    `features` is what a head looks at: the embeddings, until they are replaced. `priority` is what an admin
    wants asked sooner, of the pool. `keywords` says which rows hold which keywords of the labels' hints.
    """

    embeddings: Embeddings
    features: Embeddings
    labels: Labels
    labelled_at: tuple[str, ...]
    synthetic: tuple[SyntheticTask, ...]
    synthetic_embeddings: Embeddings
    synthetic_features: Embeddings
    pool: NDArray[np.bool_]
    skipped: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    audit: NDArray[np.bool_]
    audit_threshold: float
    lost: dict[int, str]
    fingerprint: str
    contents: dict[int, str]
    priority: Priority
    questions: tuple[QuestionLabels, ...] = ()
    items: QuestionItems = field(default_factory=QuestionItems)
    keywords: TaskKeywords | None = None
    taken: TakenRows = field(default_factory=TakenRows)
    unencoded: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    open_unencoded: int = 0

    @property
    def open_tasks(self) -> int:
        """How many tasks wait for their first answer, with a vector or not."""
        return int(self.pool.sum()) + self.open_unencoded

    @property
    def pool_embeddings(self) -> Embeddings:
        """Embeddings of the pool."""
        return self.taken.of(self.embeddings, self.pool)

    @property
    def pool_features(self) -> Embeddings:
        """What a head looks at of the pool."""
        return self.taken.of(self.features, self.pool)

    @property
    def labelled_embeddings(self) -> Embeddings:
        """Embeddings of the rows that `labels` is about, in the same order."""
        return self.embeddings.take(self.labelled)


def take_snapshot(workspace: Workspace, config: LabelConfig) -> Snapshot:
    """Reads the mirror and the vectors of a project; what has no vector yet is `unencoded`."""
    without = _without_vector(workspace)
    encoded = read_encoded(workspace)
    told, embeddings = encoded.told, encoded.embeddings
    ids = embeddings.ids
    for task_id in ids.tolist() if without else ():  # a worker may have encoded some since
        without.pop(task_id, None)
    unencoded = np.array(list(without), dtype=np.int64)
    items = read_question_items(workspace, questions_beside(config))
    questions = _read_questions(workspace, config, embeddings, items)
    labels = _first_labels(config, told) if is_single_choice(config) else questions[0].labels
    labelled = np.isin(ids, labels.ids)
    pool = ~np.isin(ids, [row.task_id for row in told if row.is_labeled or row.outcome])
    lost = {row.task_id: str(row.labelled_at or "") for row in told if row.outcome in CURABLE}
    since = {row.task_id: str(row.labelled_at or "") for row in told}
    again = open_again(workspace)[: workspace.settings.queue_window]
    audit, threshold = audit_sample(
        workspace, ids, labels=int(labelled.sum()), lost=list(lost), unencoded=unencoded
    )
    priority = read_priority(workspace).of(ids[pool])
    return Snapshot(
        embeddings=embeddings,
        features=embeddings,
        labels=labels,
        labelled_at=tuple(since.get(task_id, "") for task_id in ids[labelled].tolist()),
        synthetic=_synthetic_tasks(workspace, config, encoded.made),
        synthetic_embeddings=encoded.made_embeddings,
        synthetic_features=encoded.made_embeddings,
        pool=pool,
        skipped=np.isin(ids, [row.task_id for row in told if row.outcome == SKIPPED]),
        labelled=labelled,
        audit=audit,
        audit_threshold=threshold,
        lost=lost,
        fingerprint=_fingerprint(
            workspace, config, encoded.rows, again, priority, questions, items, unencoded
        ),
        contents=dict(zip(encoded.rows.ids.tolist(), encoded.rows.hashes, strict=True)),
        priority=priority,
        questions=questions,
        items=items,
        keywords=look_for_keywords(workspace, config, ids.tolist()),
        unencoded=unencoded,
        open_unencoded=sum(without.values()),
    )


def _without_vector(workspace: Workspace) -> dict[int, bool]:
    """Real tasks that workers have yet to encode, and whether each waits for its first answer."""
    if not workspace.batches.count_tasks():
        return {}
    rows = workspace.tasks.unencoded(workspace.encoder.revision)
    return {row.task_id: not row.is_answered for row in rows if not row.is_synthetic}


def _first_labels(config: LabelConfig, told: Sequence[Any]) -> Labels:
    known = set(config.space.names)
    labelled = [row for row in told if row.label in known]
    ids = np.array([row.task_id for row in labelled], dtype=np.int64)
    return Labels.from_names(ids, [row.label for row in labelled], config.space)


def _read_questions(
    workspace: Workspace, config: LabelConfig, tasks: Embeddings, items: QuestionItems
) -> tuple[QuestionLabels, ...]:
    """The answers to all questions but a first single choice, where the question has something to look at."""
    beside = questions_beside(config)
    targets = workspace.tasks.read_targets() if beside else {}
    return tuple(
        asked
        for question in beside
        for asked in read_question_labels([question], items.of(question, tasks).ids, targets)
    )


def _synthetic_tasks(
    workspace: Workspace, config: LabelConfig, rows: Sequence[Any]
) -> tuple[SyntheticTask, ...]:
    asked = config.questions[0]
    reviews = _reviews(workspace, config, rows) if rows else {}
    return tuple(
        SyntheticTask(
            task_id=row.task_id,
            generator=row.generator,
            slice=row.slice,
            intended=unpack_intention(row.intended_label, asked),
            review=reviews.get(row.task_id),
            is_rejected=bool(row.is_skipped),
            is_open=not (row.is_labeled or row.outcome),
        )
        for row in rows
    )


def _reviews(workspace: Workspace, config: LabelConfig, rows: Sequence[Any]) -> dict[int, Target]:
    """What people answered to the first question about synthetic tasks, where its labels are still there."""
    known, name = set(config.space.names), config.questions[0].name
    if is_single_choice(config):
        return {row.task_id: (row.label,) for row in rows if row.label in known}
    answered = workspace.tasks.read_reviews()
    said = {task_id: targets[name] for task_id, targets in answered.items() if name in targets}
    return {task_id: tuple(target) for task_id, target in said.items() if known.issuperset(target)}


def audit_sample(
    workspace: Workspace, ids: Ids, *, labels: int, lost: Sequence[int], unencoded: Ids
) -> tuple[NDArray[np.bool_], float]:
    """Which items (n,) are audit items with so many labels, and the hash below which they are.

    `lost` are ids of items that were answered without a label: they fill no place of the sample. It is drawn
    from all tasks, those that are `unencoded` (m,) among them.
    """
    settings, seed = workspace.settings, workspace.seed
    # The audit tasks of the coming window are set aside too: they must be labelled blind.
    quota = audit_quota(labels + settings.queue_window, share=settings.audit_share)
    everything = np.concatenate([ids[~np.isin(ids, lost)], unencoded])
    threshold = audit_threshold(everything, seed, quota)
    return audit_hash(ids, seed) < threshold, threshold


def _fingerprint(
    workspace: Workspace,
    config: LabelConfig,
    rows: SnapshotRows,
    again: list[int],
    priority: Priority,
    questions: Sequence[QuestionLabels],
    items: QuestionItems,
    unencoded: Ids,
) -> str:
    settings = workspace.settings.model_dump(
        include={
            *("queue_window", "audit_share", "strategy"),
            *("novelty_alpha", "novelty_share", "synthetic_share", "preannotate_floor"),
        },
        mode="json",
    )
    head = {
        "algorithm": ALGORITHM,
        "encoder": workspace.encoder.revision,
        "labels": [[label.name, label.title] for label in config.labels],
        "settings": settings,
        "second_looks": again,
        "skips": [(group.number, group.state) for group in workspace.skip_groups.read(*ANSWERS)],
    }
    if chosen := waiting_choice(workspace):
        head["chosen"] = chosen
    if priority:
        head["priority"] = [
            [priority.ids.tolist(), priority.multipliers.tolist()],
            *([quota.name, quota.share, quota.ids.tolist()] for quota in priority.quotas),
        ]
    if hints := said_hints(config):
        head["hints"] = hints
    if questions:
        head["questions"] = [_asks(asked.question) for asked in questions]
    if len(unencoded):
        head["unencoded"] = hashlib.sha256(unencoded.tobytes()).hexdigest()
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for part in rows.words():
        digest.update(part)
    for asked in questions:
        digest.update(asked.labels.ids.tobytes() + asked.labels.targets.tobytes())
    digest.update(items.digest())
    return digest.hexdigest()


def _asks(question: Question) -> list[Any]:
    return [question.name, question.kind, [[label.name, label.title] for label in question.labels]]
