"""The share of a project's texts that a loop encodes itself, and what it leaves to the workers.

What encodes within seconds is encoded here, at once. Of more, the loop encodes a share, so that there is an
order soon, and leaves the rest in batches, which all workers take from (`batches.py`). The share is drawn by
the audit's hash: see `model.audit.encoding_order`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backend.database import in_chunks
from backend.store.batches import Planned
from backend.workflows.intake.chosen import waiting_choice
from backend.workflows.intake.embed import embed_project, encode_missing
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace
from model.audit import encoding_order

# Texts that are encoded and kept together; some seconds on a CPU.
BATCH: Final = 512
# What would take up to so many times as long as a loop may encode is encoded at once all the same.
_PATIENCE: Final = 2.0
# A loop is worth it once there are so many times the vectors of the one before.
_GROWTH: Final = 2.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many texts a loop has encoded, and how many are left to the workers."""

    encoded: int
    left: int


def embed_share(workspace: Workspace, *, progress: Progress) -> Share:
    """Encodes texts that have no vector yet for as long as a loop may; the rest is left in batches.

    While workers are at it, only tasks with answers, which teach, are encoded here. Tasks with pictures are
    all read by `fetch_pictures`.
    """
    if workspace.joined is not None:
        return Share(embed_project(workspace, progress=progress), 0)
    revision = workspace.encoder.revision
    planned = workspace.batches.count_tasks(revision)
    rows = _drawn(workspace, workspace.tasks.unencoded(revision))
    claimed = workspace.batches.claimed_tasks(revision) if planned else set[int]()
    mine = [row for row in rows if row.is_first and row.task_id not in claimed] if planned else rows
    encoded = _encode(workspace, [row.task_id for row in mine], progress)
    left = len(rows) - encoded
    if left > planned:
        done = {row.task_id for row in mine[:encoded]} | claimed
        _plan(workspace, revision, [row.task_id for row in rows if row.task_id not in done])
    elif not left and workspace.batches.count_tasks():
        workspace.batches.forget()
    return Share(encoded, left)


@dataclass(frozen=True, slots=True)
class _Drawn:
    task_id: int
    is_first: bool


def _drawn(workspace: Workspace, rows: Sequence[Any]) -> list[_Drawn]:
    """A task of each text, in the order in which they are encoded; what teaches or was picked comes first."""
    if not rows:
        return []
    picked = set(waiting_choice(workspace))
    first = np.array(
        [bool(row.is_answered or row.is_synthetic or row.task_id in picked) for row in rows], dtype=np.bool_
    )
    ids = np.array([row.task_id for row in rows], dtype=np.int64)
    order = encoding_order(ids, workspace.seed, first=first).tolist()
    by_hash: dict[str, _Drawn] = {}
    for place in order:
        by_hash.setdefault(rows[place].content_hash, _Drawn(rows[place].task_id, bool(first[place])))
    return list(by_hash.values())


def _encode(workspace: Workspace, task_ids: Sequence[int], progress: Progress) -> int:
    """Encodes the texts of tasks, in order, until the time is used up; returns of how many."""
    if not task_ids:
        return 0
    progress.stage("encoding texts", total=len(task_ids))
    encoder, bound = workspace.encoder.get(), workspace.context.settings.encode_seconds
    done, started = 0, time.monotonic()
    for chunk in in_chunks(task_ids, BATCH):
        encode_missing(workspace, encoder, workspace.tasks.contents_of(chunk), progress)
        done += len(chunk)
        spent = time.monotonic() - started
        if spent >= bound and spent * len(task_ids) > _PATIENCE * bound * done:
            break
    return done


def _plan(workspace: Workspace, revision: str, task_ids: Sequence[int]) -> None:
    """Leaves the texts of tasks to the workers, in order."""
    tasks, without_text = workspace.tasks.count_without_text()
    there = max(tasks - without_text - len(task_ids), 1)
    workspace.batches.plan(revision, list(_batches(task_ids, there)))


def _batches(task_ids: Sequence[int], there: int) -> Iterator[Planned]:
    """Loops come when vectors are twice those that are `there`, twice as many again, and so on."""
    reached, wanted = there, _GROWTH * there
    for chunk in in_chunks(task_ids, BATCH):
        reached += len(chunk)
        wakes = reached >= wanted
        if wakes:
            wanted = _GROWTH * reached
        yield Planned(chunk, wakes)
