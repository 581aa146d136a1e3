"""The tasks of a project that have a vector, and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.store.snapshot_rows import SnapshotRows
from backend.workflows.project.workspace import Workspace
from model.records import Embeddings, Floats


@dataclass(frozen=True, slots=True, eq=False)
class EncodedTasks:
    """All rows by task id; the embeddings of real tasks, and apart from them the synthetic ones and theirs.

    `told` are the rows of those real tasks of which somebody said something, by task id.
    """

    rows: SnapshotRows
    embeddings: Embeddings
    told: Sequence[Any]
    made: Sequence[Any]
    made_embeddings: Embeddings


def read_encoded(workspace: Workspace) -> EncodedTasks:
    """Every task with a vector by the project's encoder; those that have none are left out."""
    revision = workspace.encoder.revision
    rows = workspace.tasks.read_rows()
    is_made = rows.is_synthetic
    came, vectors = workspace.vectors.gather(revision, _hashes(rows, ~is_made))
    made_came, made_vectors = workspace.vectors.gather(revision, _hashes(rows, is_made))
    is_there = np.empty(len(is_made), dtype=np.bool_)
    is_there[~is_made], is_there[is_made] = came, made_came
    encoded = rows.take(is_there)
    dimensions = _dimensions(workspace, vectors, made_vectors)
    told = [encoded.told[task_id] for task_id in sorted(encoded.told)]
    return EncodedTasks(
        encoded,
        Embeddings(rows.ids[~is_made][came], vectors.reshape(-1, dimensions), revision),
        [row for row in told if not row.is_synthetic],
        [row for row in told if row.is_synthetic],
        Embeddings(rows.ids[is_made][made_came], made_vectors.reshape(-1, dimensions), revision),
    )


def _hashes(rows: SnapshotRows, is_in: NDArray[np.bool_]) -> Sequence[str]:
    return rows.hashes if is_in.all() else list(compress(rows.hashes, is_in))


def _dimensions(workspace: Workspace, *found: Floats) -> int:
    """Length of the vectors; the encoder, which takes seconds to load, is only asked where there are none."""
    known = [vectors.shape[1] for vectors in found if len(vectors)]
    return known[0] if known else workspace.encoder.get().dimensions
