"""What a loop learns from and ranks: one project's items, labels and audit share at one moment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from backend.context import Context
from backend.database import Embedding, Project, Task
from backend.label_studio.label_config import LabelConfig
from backend.workflows.projects import project_seed, project_settings
from model.audit import audit_hash, audit_quota, audit_threshold
from model.records import Embeddings, Labels

# Part of every fingerprint: raise it when the same data should give another model or order.
ALGORITHM = 3


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Rows are all tasks with text, by task id. `pool` and `audit` are masks over them.

    The pool is what may be served: not labelled, not skipped. Audit rows are a uniform sample of all rows.
    `features` is what a head looks at: the embeddings, until they are replaced.
    """

    embeddings: Embeddings
    features: Embeddings
    labels: Labels
    pool: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    audit: NDArray[np.bool_]
    audit_threshold: float
    fingerprint: str
    contents: dict[int, str]

    @property
    def pool_embeddings(self) -> Embeddings:
        """Embeddings of the pool."""
        return self.embeddings.take(self.pool)

    @property
    def labelled_embeddings(self) -> Embeddings:
        """Embeddings of the rows that `labels` is about, in the same order."""
        return self.embeddings.take(self.labelled)


def take_snapshot(context: Context, project: Project, config: LabelConfig) -> Snapshot:
    """Reads the mirror and the vectors of a project; every content must have been encoded."""
    encoder = context.encoder.get()
    with context.database.session() as session:
        rows = session.execute(
            select(
                Task.task_id,
                Task.content_hash,
                Task.label,
                Task.is_labeled,
                Task.is_skipped,
                Embedding.vector,
            )
            .join(
                Embedding,
                (Embedding.content_hash == Task.content_hash) & (Embedding.encoder == encoder.revision),
            )
            .where(Task.project_id == project.id)
            .order_by(Task.task_id)
        ).all()
    ids = np.array([row.task_id for row in rows], dtype=np.int64)
    vectors = np.frombuffer(b"".join(row.vector for row in rows), dtype=np.float32).reshape(
        len(rows), encoder.dimensions
    )
    known = set(config.space.names)
    names = [row.label if row.label in known else None for row in rows]
    labelled = np.array([name is not None for name in names], dtype=bool)
    pool = np.array([not (row.is_labeled or row.is_skipped or row.label) for row in rows], dtype=bool)
    threshold = _audit_threshold(context, project, ids, int(labelled.sum()))
    embeddings = Embeddings(ids, vectors, encoder.revision)
    return Snapshot(
        embeddings=embeddings,
        features=embeddings,
        labels=Labels.from_names(ids[labelled], [name for name in names if name is not None], config.space),
        pool=pool,
        labelled=labelled,
        audit=audit_hash(ids, project_seed(project)) < threshold,
        audit_threshold=threshold,
        fingerprint=_fingerprint(context, project, config, [tuple(row)[:5] for row in rows]),
        contents={row.task_id: row.content_hash for row in rows},
    )


def _audit_threshold(context: Context, project: Project, ids: NDArray[np.int64], labels: int) -> float:
    settings = project_settings(context, project)
    # The audit tasks of the coming window are set aside too: they must be labelled blind.
    quota = audit_quota(labels + settings.queue_window, share=settings.audit_share)
    return audit_threshold(ids, project_seed(project), quota)


def _fingerprint(
    context: Context, project: Project, config: LabelConfig, rows: list[tuple[object, ...]]
) -> str:
    settings = project_settings(context, project).model_dump(
        include={"queue_window", "audit_share", "strategy"}, mode="json"
    )
    head = {
        "algorithm": ALGORITHM,
        "encoder": context.encoder.get().revision,
        "labels": [[label.name, label.title] for label in config.labels],
        "settings": settings,
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()
