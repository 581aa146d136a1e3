"""The share of a project's texts that a loop encodes itself, and what it leaves to the workers.

What encodes within seconds is encoded here, at once. Of more, the loop encodes a share, so that there is an
order soon, and leaves the rest in batches, which all workers take from (`batches.py`). The share is drawn by
the audit's hash: see `model.audit.encoding_order`.
"""

from __future__ import annotations

import time
from collections import Counter
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
# The first ones tell how quick the encoder is; a window's worth at least.
_PROBE: Final = 128
_TICK_S: Final = 0.001
# What would take up to so many times as long as a loop may encode is encoded at once all the same.
_PATIENCE: Final = 2.0
# A loop is worth it once there are so many times the vectors of the one before.
_GROWTH: Final = 2.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many texts a loop has encoded, and of how many tasks it left the texts to the workers."""

    encoded: int
    left: int


@dataclass(frozen=True, slots=True)
class _Text:
    """A text without a vector: one of its tasks, how many these are, and whether it comes before others."""

    task_id: int
    tasks: int
    is_first: bool


def embed_share(workspace: Workspace, *, progress: Progress) -> Share:
    """Encodes texts that have no vector yet for as long as a loop may; the rest is left in batches.

    While workers are at it, only tasks with answers, which teach, are encoded here. Tasks with pictures are
    all read by `fetch_pictures`.
    """
    if workspace.joined is not None:
        return Share(embed_project(workspace, progress=progress), 0)
    revision = workspace.encoder.revision
    planned = workspace.batches.count_tasks(revision)
    texts = _draw(workspace, workspace.tasks.unencoded(revision))
    held = workspace.batches.held_tasks(revision) if planned else set[int]()
    is_begun = workspace.batches.are_any_waiting()
    mine = [one for one in texts if (one.is_first or not is_begun) and one.task_id not in held]
    encoded = mine[: _encode(workspace, [one.task_id for one in mine], progress)]
    left = sum(one.tasks for one in texts) - sum(one.tasks for one in encoded)
    if not left:
        if workspace.batches.count_tasks():
            workspace.batches.forget()
    elif left != planned:  # fewer too: of what waited some was deleted, answered or given another text
        done = {one.task_id for one in encoded} | workspace.batches.held_tasks(revision)
        _plan(workspace, revision, [one for one in texts if one.task_id not in done])
    return Share(len(encoded), left)


def _draw(workspace: Workspace, rows: Sequence[Any]) -> list[_Text]:
    """The texts in the order in which they are encoded; what teaches or was picked comes first."""
    if not rows:
        return []
    picked = set(waiting_choice(workspace))
    first = np.array(
        [bool(row.is_answered or row.is_synthetic or row.task_id in picked) for row in rows], dtype=np.bool_
    )
    ids = np.array([row.task_id for row in rows], dtype=np.int64)
    tasks = Counter(row.content_hash for row in rows)
    by_hash: dict[str, _Text] = {}
    for place in encoding_order(ids, workspace.seed, first=first).tolist():
        key = rows[place].content_hash
        by_hash.setdefault(key, _Text(rows[place].task_id, tasks[key], bool(first[place])))
    return list(by_hash.values())


def _encode(workspace: Workspace, task_ids: Sequence[int], progress: Progress) -> int:
    """Encodes the texts of tasks, in order, until the time is used up; returns of how many."""
    if not task_ids:
        return 0
    progress.stage("encoding texts", total=len(task_ids))
    encoder, bound = workspace.encoder.get(), workspace.context.settings.encode_seconds
    done, size, started = 0, _PROBE, time.monotonic()
    while chunk := task_ids[done : done + size]:
        encode_missing(workspace, encoder, workspace.tasks.contents_of(chunk), progress)
        done += len(chunk)
        spent = time.monotonic() - started
        fits = spent * len(task_ids) <= _PATIENCE * bound * done
        if spent >= bound and not fits:
            break
        in_time = BATCH if fits else int(done * (bound - spent) / max(spent, _TICK_S))
        size = min(max(in_time, _PROBE), BATCH)
    return done


def _plan(workspace: Workspace, revision: str, texts: Sequence[_Text]) -> None:
    """Leaves texts to the workers, in order."""
    tasks, without_text = workspace.tasks.count_without_text()
    there = tasks - without_text - sum(one.tasks for one in texts)
    workspace.batches.plan(revision, list(_batches(texts, max(there, 1))))


def _batches(texts: Sequence[_Text], there: int) -> Iterator[Planned]:
    """Loops come when vectors are twice those that are `there`, twice as many again, and so on."""
    reached, wanted = there, _GROWTH * there
    for chunk in in_chunks(texts, BATCH):
        size = sum(one.tasks for one in chunk)
        reached += size
        wakes = reached >= wanted
        if wakes:
            wanted = _GROWTH * reached
        yield Planned([one.task_id for one in chunk], size, wakes)


def tasks_left(workspace: Workspace) -> set[int]:
    """The tasks that workers have yet to encode."""
    if not workspace.batches.count_tasks():
        return set()
    return {row.task_id for row in workspace.tasks.unencoded(workspace.encoder.revision)}
