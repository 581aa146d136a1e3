"""The tasks of a project that have a vector, and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from backend.workflows.project.workspace import Workspace
from model.records import Embeddings, Floats


@dataclass(frozen=True, slots=True, eq=False)
class EncodedTasks:
    """Rows by task id, real and synthetic ones together and apart, and the embeddings of those apart."""

    everything: Sequence[Any]
    real: Sequence[Any]
    made: Sequence[Any]
    embeddings: Embeddings
    made_embeddings: Embeddings


def read_encoded(workspace: Workspace) -> EncodedTasks:
    """Every task with a vector by the project's encoder; those that were not encoded are left out."""
    revision = workspace.encoder.revision
    rows = workspace.tasks.read_rows()
    is_there = workspace.vectors.are_known(revision, [row.content_hash for row in rows])
    while True:
        rows = list(compress(rows, is_there))
        real = [row for row in rows if not row.is_synthetic]
        made = [row for row in rows if row.is_synthetic]
        came, vectors = workspace.vectors.gather(revision, [row.content_hash for row in real])
        made_came, made_vectors = workspace.vectors.gather(revision, [row.content_hash for row in made])
        if came.all() and made_came.all():
            break
        # bytes that were damaged on disk count as none: the next loop encodes these tasks anew
        gone = {row.task_id for row in [*compress(real, ~came), *compress(made, ~made_came)]}
        is_there = np.array([row.task_id not in gone for row in rows], dtype=np.bool_)
    dimensions = _dimensions(workspace, vectors, made_vectors)

    def embeddings(tasks: Sequence[Any], found: Floats) -> Embeddings:
        ids = np.array([row.task_id for row in tasks], dtype=np.int64)
        return Embeddings(ids, found.reshape(len(tasks), dimensions), revision)

    return EncodedTasks(rows, real, made, embeddings(real, vectors), embeddings(made, made_vectors))


def _dimensions(workspace: Workspace, *found: Floats) -> int:
    """Length of the vectors; the encoder, which takes seconds to load, is only asked where there are none."""
    known = [vectors.shape[1] for vectors in found if len(vectors)]
    return known[0] if known else workspace.encoder.get().dimensions
