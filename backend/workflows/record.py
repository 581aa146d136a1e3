"""What a version's training and ranking depended on, kept beside it, so that both can be replayed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import NotFound
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice, questions_beside
from backend.workflows.intake.earlier_questions import (
    UNLABELLED,
    load_record,
    recorded_answers,
    recorded_choices,
    recorded_config,
)
from backend.workflows.intake.keywords import pack_keywords, unpack_keywords
from backend.workflows.intake.part_items import parts_encoder
from backend.workflows.intake.question_items import (
    OwnItems,
    QuestionItems,
    from_bytes,
    join_parts,
    to_hashes,
)
from backend.workflows.intake.snapshot import Snapshot, audit_sample
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import head_tensors, name_tensors, serve
from backend.workflows.serving.window import order_seed, rank_pool
from backend.workflows.training.learn import AuxiliaryItem, learn
from model.audit import audit_hash
from model.priority import Priority, Quota
from model.ranking import LaneQueue
from model.records import LANES, Embeddings, Ids, Ranking
from model.registry import RegistryError
from model.sealed_tensors import seal
from model.strategies import STRATEGIES


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found: whether head and order are the same bit for bit, and the first task elsewhere."""

    loop: int
    version: str
    tasks: int
    labels: int
    same_head: bool
    same_order: bool
    first_difference: int | None

    @property
    def is_exact(self) -> bool:
        """Whether nothing differs."""
        return self.same_head and self.same_order


def pack_record(
    workspace: Workspace,
    config: LabelConfig,
    snapshot: Snapshot,
    *,
    auxiliary: Sequence[AuxiliaryItem],
    queues: Sequence[LaneQueue],
    behind: Ids,
    ranking: Ranking,
) -> bytes:
    """The record of a version, without a pickle and without a text."""
    labels = np.full(len(snapshot.embeddings), UNLABELLED, dtype=np.int32)
    labels[snapshot.labelled] = snapshot.labels.classes if is_single_choice(config) else 0
    facts = _facts(workspace, config, snapshot, queues)
    ids, space = snapshot.embeddings.ids, snapshot.labels.space
    columns = sorted((item.task_id, space.index(item.label)) for item in auxiliary)
    auxiliary_ids = np.array([task_id for task_id, _ in columns], dtype=np.int64)
    synthetic_ids = snapshot.synthetic_embeddings.ids
    tensors = {
        "facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
        "ids": ids,
        "contents": _contents(snapshot, ids),
        "labels": labels,
        "pool": snapshot.pool.astype(np.uint8),
        "lost": np.array(sorted(snapshot.lost), dtype=np.int64),
        "order": ranking.ids,
        "behind": behind,
        "teacher-ids": auxiliary_ids,
        "teacher-contents": _contents(snapshot, auxiliary_ids),
        # counted words depend on the texts of all tasks, also on those that taught nothing
        "synthetic-ids": synthetic_ids,
        "synthetic-contents": _contents(snapshot, synthetic_ids),
        "teacher-labels": np.array([column for _, column in columns], dtype=np.int32),
        "priority-ids": snapshot.priority.ids,
        "priority-multipliers": snapshot.priority.multipliers,
    }
    tensors |= {f"queue-{queue.lane}": queue.ids for queue in queues}
    for at, asked in enumerate(snapshot.questions):
        tensors |= {f"question-{at}-ids": asked.labels.ids, f"question-{at}-targets": asked.labels.targets}
        if (own := snapshot.items.own.get(asked.question.name)) is not None:
            tensors |= {f"question-{at}-items": own.embeddings.ids, f"question-{at}-contents": own.contents}
    tensors |= pack_keywords(snapshot.keywords)
    tensors |= {f"quota-{at}": quota.ids for at, quota in enumerate(snapshot.priority.quotas)}
    return seal({name: np.ascontiguousarray(values) for name, values in tensors.items()})


def _facts(
    workspace: Workspace, config: LabelConfig, snapshot: Snapshot, queues: Sequence[LaneQueue]
) -> Json:
    """What a record holds beside its tensors."""
    return {
        "label_config": workspace.state.label_config,
        "question": workspace.state.question,
        "questions": [question.name for question in config.questions],
        "settings": workspace.settings.model_dump(mode="json"),
        "fingerprint": snapshot.fingerprint,
        "shares": {queue.lane: queue.share for queue in queues},
        "soon": {queue.lane: queue.soon for queue in queues},
        "first": [queue.lane for queue in queues if queue.first],
        "order_seed": order_seed(workspace, snapshot),
        "quotas": [[quota.name, quota.share] for quota in snapshot.priority.quotas],
    } | ({"audit_threshold": snapshot.audit_threshold} if len(snapshot.unencoded) else {})


def replay(workspace: Workspace, loop_id: int) -> Replay:
    """Trains and ranks once more from the record of a loop, and compares. Raises NotFound."""
    version = _version_of(workspace, loop_id)
    tensors, facts = load_record(workspace, version)
    workspace = workspace.with_overrides(facts["settings"], label_config=str(facts["label_config"]))
    config = recorded_config(facts)
    stored = _load_tensors(workspace, version)
    snapshot = _rebuild(workspace, tensors, facts, config=config)
    auxiliary = [
        AuxiliaryItem(int(task_id), config.space.names[column])
        for task_id, column in zip(tensors["teacher-ids"], tensors["teacher-labels"], strict=True)
    ]
    learned = learn(workspace, config, snapshot, auxiliary=auxiliary)
    serving = serve(learned, version=version, config=config)
    queues = [
        LaneQueue(
            lane,
            tensors[f"queue-{lane}"],
            facts["shares"][lane],
            soon=facts.get("soon", {}).get(lane, 0),
            first=lane in facts.get("first", ()),
        )
        for lane in LANES
        if f"queue-{lane}" in tensors
    ]
    # Records from before the seed of an order was kept are of orders by the project's seed alone.
    seed = facts.get("order_seed", [workspace.seed])
    # and those from before skips taught anything let nobody wait
    behind = tensors.get("behind", np.zeros(0, dtype=np.int64))
    ordered_by = _strategy_then(workspace, version)
    order = rank_pool(workspace, serving, queues=queues, behind=behind, seed=seed, strategy=ordered_by).ids
    made = head_tensors(learned)
    same_head = made.keys() == stored.keys() and all(
        np.array_equal(values, stored[name]) for name, values in made.items()
    )
    return Replay(
        loop=loop_id,
        version=version,
        tasks=len(snapshot.embeddings),
        labels=len(snapshot.labels),
        same_head=same_head,
        same_order=bool(np.array_equal(order, tensors["order"])),
        first_difference=_first_difference(order, tensors["order"]),
    )


def _strategy_then(workspace: Workspace, version: str) -> str | None:
    """What ordered the tasks of a version; None where this release does not know it."""
    _head, manifest = workspace.registry.load(workspace.key, version)
    return manifest.strategy if manifest.strategy in STRATEGIES else None


def _version_of(workspace: Workspace, loop_id: int) -> str:
    version = workspace.loops.published_version(loop_id)
    if version is None:
        number = workspace.loops.numbers().get(loop_id, loop_id)
        raise NotFound(
            f"Project {workspace.label_studio_id} has no loop {number} that published a version.",
            hint=f"See the loops in: nextlabel status {workspace.label_studio_id} --json",
        )
    return version


def _load_tensors(workspace: Workspace, version: str) -> dict[str, NDArray[Any]]:
    """All heads of a version, as `head_tensors` gives them."""
    try:
        head, _manifest = workspace.registry.load(workspace.key, version)
        questions = workspace.registry.load_questions(workspace.key, version)
    except RegistryError:
        hint = f"See: nextlabel versions {workspace.label_studio_id}"
        raise NotFound(f"Version {version} cannot be read.", hint=hint) from None
    return name_tensors(head, [(stored.entry.name, stored.tensors) for stored in questions])


def _rebuild(
    workspace: Workspace, tensors: dict[str, NDArray[Any]], facts: Json, *, config: LabelConfig
) -> Snapshot:
    ids, labelled = tensors["ids"], tensors["labels"] != UNLABELLED
    questions = recorded_answers(tensors, config)
    hashes = _hashes(tensors["contents"])
    embeddings = _embeddings(workspace, ids, hashes)
    made_hashes = _hashes(tensors["teacher-contents"])
    made = _embeddings(workspace, tensors["teacher-ids"], made_hashes)
    given = recorded_choices(tensors, config) if is_single_choice(config) else questions[0].labels
    snapshot = Snapshot(
        embeddings=embeddings,
        features=embeddings,
        labels=given,
        labelled_at=("",) * len(given),
        synthetic=(),
        synthetic_embeddings=made,
        synthetic_features=made,
        pool=tensors["pool"].astype(np.bool_),
        skipped=np.zeros(len(ids), dtype=np.bool_),
        labelled=labelled,
        audit=np.zeros(len(ids), dtype=np.bool_),
        audit_threshold=0.0,
        lost={},
        fingerprint=str(facts["fingerprint"]),
        contents=_all_contents(tensors),
        priority=_priority(tensors, facts),
        questions=questions,
        items=_own_items(workspace, tensors, config),
        keywords=unpack_keywords(tensors, config),
    )
    # records from before answers without a label were told apart have none
    lost = tensors.get("lost", np.zeros(0, dtype=np.int64)).tolist()
    if "audit_threshold" in facts:  # tasks counted that had no vector yet
        threshold = float(facts["audit_threshold"])
        return replace(snapshot, audit=audit_hash(ids, workspace.seed) < threshold, audit_threshold=threshold)
    audit, threshold = audit_sample(
        workspace, ids, labels=len(given), lost=lost, unencoded=np.zeros(0, dtype=np.int64)
    )
    return replace(snapshot, audit=audit, audit_threshold=threshold)


def _own_items(workspace: Workspace, tensors: dict[str, NDArray[Any]], config: LabelConfig) -> QuestionItems:
    """What the heads of questions looked at that are about parts of tasks."""
    own: dict[str, OwnItems] = {}
    for at, question in enumerate(questions_beside(config)):
        if f"question-{at}-items" in tensors:
            encoder = parts_encoder(workspace, question).get()
            ids, hashes = tensors[f"question-{at}-items"], to_hashes(tensors[f"question-{at}-contents"])
            unique = list(dict.fromkeys(key for keys in hashes for key in keys))
            found = workspace.vectors.read(encoder.revision, unique)
            _require_vectors(unique, found)
            own[question.name] = join_parts(
                dict(zip(ids.tolist(), hashes, strict=True)),
                from_bytes(found),
                parts=len(question.parts),
                dimensions=encoder.dimensions,
                encoder=encoder.revision,
            )
    return QuestionItems(own)


def _priority(tensors: dict[str, NDArray[Any]], facts: Json) -> Priority:
    """What an admin wanted then; records from before that have none."""
    quotas = enumerate(facts.get("quotas", []))
    return Priority(
        tensors.get("priority-ids", np.zeros(0, dtype=np.int64)),
        tensors.get("priority-multipliers", np.zeros(0)),
        tuple(Quota(name, share, tensors[f"quota-{at}"]) for at, (name, share) in quotas),
    )


def _embeddings(workspace: Workspace, ids: NDArray[np.int64], hashes: Sequence[str]) -> Embeddings:
    encoder = workspace.encoder.get()
    is_there, vectors = workspace.vectors.gather(encoder.revision, hashes)
    _require_vectors(hashes, set(compress(hashes, is_there)))
    return Embeddings(ids, vectors.reshape(len(ids), encoder.dimensions), encoder.revision)


def _require_vectors(needed: Sequence[str], found: Collection[str]) -> None:
    missing = len(set(needed) - set(found))
    if missing:
        raise NotFound(
            f"The embeddings of {missing} tasks of that loop are gone, or the encoder is another one.",
            hint="A replay needs the same DATA_DIR and encoder (TEXT_ENCODER, connect --encoder).",
        )


def _contents(snapshot: Snapshot, task_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    hashes = bytes.fromhex("".join(snapshot.contents[task_id] for task_id in task_ids.tolist()))
    return np.frombuffer(hashes, dtype=np.uint8).reshape(len(task_ids), hashlib.sha256().digest_size)


def _all_contents(tensors: dict[str, NDArray[Any]]) -> dict[int, str]:
    """Content by task, in the order of a snapshot; old records lack synthetic tasks that taught nothing."""
    kinds = [kind for kind in ("", "teacher-", "synthetic-") if f"{kind}ids" in tensors]
    pairs = [
        pair
        for kind in kinds
        for pair in zip(tensors[f"{kind}ids"].tolist(), _hashes(tensors[f"{kind}contents"]), strict=True)
    ]
    return dict(sorted(pairs))


def _hashes(contents: NDArray[np.uint8]) -> list[str]:
    return [bytes(row).hex() for row in contents]


def _first_difference(order: NDArray[np.int64], stored: NDArray[np.int64]) -> int | None:
    """The first task of the stored order that stands elsewhere now."""
    for new, old in zip(order.tolist(), stored.tolist(), strict=False):
        if new != old:
            return int(old)
    return None if len(order) == len(stored) else int(stored[min(len(order), len(stored) - 1)])
