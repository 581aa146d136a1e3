"""What people skipped and what they decided about it: which skips teach, and what nobody is asked again."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.skip_states import ASK, CLASS, REOPENED
from backend.workflows.project.workspace import Workspace
from model.skips import NOBODY, Waiting, wait_for_skips

# People who are asked on, or whose skips became a class, do answer these: their skips keep nobody waiting.
_ANSWERABLE: Final = (ASK,)
_OF_NO_MEANING: Final = (CLASS, REOPENED)


def waiting_tasks(workspace: Workspace, snapshot: Snapshot) -> Waiting:
    """Tasks of the pool so like skipped ones that they wait behind all others, the least alike first."""
    answerable = _members(workspace, snapshot, *_ANSWERABLE)
    unclear = _members(workspace, snapshot, *_OF_NO_MEANING)
    skipped = snapshot.skipped & ~answerable & ~unclear
    if not skipped.any():
        return NOBODY
    items = snapshot.embeddings
    answered = snapshot.labelled | (snapshot.skipped & answerable)
    return wait_for_skips(
        items.take(answered), items.take(skipped), snapshot.pool_embeddings, seed=workspace.seed % 2**32
    )


def _members(workspace: Workspace, snapshot: Snapshot, *states: str) -> NDArray[np.bool_]:
    """Which rows (n,) are skipped tasks of groups in these states."""
    ids = [task_id for group in workspace.skip_groups.read(*states) for task_id in group.skipped]
    return np.isin(snapshot.embeddings.ids, np.array(ids, dtype=np.int64))
