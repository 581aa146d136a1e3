"""Brings the mirror of a project's tasks up to date, fetching only what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.database import Task, in_chunks, upsert
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.tasks import TaskState, majority_label, read_task
from backend.label_studio.versions import version_number
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace

# Changes become visible when they are committed, a little after the time they carry.
_OVERLAP = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a look at Label Studio brought: tasks read, tasks gone, and whether everything was read again."""

    read: int
    deleted: int
    full: bool


def reading_digest(workspace: Workspace, label_config: str) -> str:
    """Digest of all that decides how a task is read."""
    return hashlib.sha256(f"{label_config}\0{workspace.synthetic_fields}".encode()).hexdigest()


def sync_tasks(
    workspace: Workspace, remote: LabelStudio, *, config: LabelConfig, progress: Progress
) -> SyncReport:
    """Fetches what changed since the last look; everything when the counts show that this is not enough."""
    total, _ = remote.counts(workspace.label_studio_id)
    progress.stage("fetching tasks", total=total)
    since = workspace.state.synced_until
    read = _fetch(workspace, remote, config=config, since=since, progress=progress)
    deleted = 0
    full = since is None
    if not _counts_agree(workspace, remote):
        # Deleting annotations in bulk does not move `updated_at`, and deleted tasks leave no trace.
        deleted = _drop_deleted(workspace, remote)
        if not _counts_agree(workspace, remote):
            read = _fetch(workspace, remote, config=config, since=None, progress=progress)
            full = True
    if read:
        _take_intentions(workspace, remote, config=config)
    return SyncReport(read=read, deleted=deleted, full=full)


def _fetch(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    config: LabelConfig,
    since: str | None,
    progress: Progress,
) -> int:
    # What was visible when this look began need not be read again. The newest change alone would not do: of
    # 10,000 tasks imported at once, every one is the newest.
    read, newest = 0, max(since or "", _watermark(remote.now) if remote.now else "") or None
    synthetic = workspace.synthetic_fields
    for page in remote.tasks(workspace.label_studio_id, updated_after=since):
        states = [read_task(task, config, synthetic=synthetic) for task in page]
        with workspace.database.session() as session:
            _upsert(session, workspace, states)
        read += len(states)
        changes = (datetime.fromisoformat(state.updated_at) for state in states)
        newest = max([newest or "", *(_watermark(change) for change in changes)])
        progress.advance(len(states))
    workspace.change(synced_until=newest)
    return read


def _watermark(moment: datetime) -> str:
    return (moment.astimezone(UTC) - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _upsert(session: Session, workspace: Workspace, states: Iterable[TaskState]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "project_id": workspace.id,
            "task_id": state.task_id,
            "content": state.content,
            "content_hash": state.content_hash,
            "label": state.label,
            "annotations": state.annotations,
            "is_labeled": state.is_labeled,
            "is_skipped": state.is_skipped,
            "is_synthetic": state.origin.is_synthetic,
            "generator": state.origin.generator,
            "slice": state.origin.slice,
            "intended_label": state.origin.intended_label,
            "labelled_at": min((said.at for said in state.answers if said.label), default=None),
            "answers": [asdict(answer) for answer in state.answers],
            "shown": state.shown,
        }
        for state in states
    ]
    upsert(session, Task, rows)


def _counts_agree(workspace: Workspace, remote: LabelStudio) -> bool:
    with workspace.database.session() as session:
        mine = session.execute(
            select(func.count(), func.coalesce(func.sum(Task.annotations), 0)).where(
                Task.project_id == workspace.id
            )
        ).one()
    return tuple(mine) == remote.counts(workspace.label_studio_id)


def _drop_deleted(workspace: Workspace, remote: LabelStudio) -> int:
    there = {task_id for page in remote.task_ids(workspace.label_studio_id) for task_id in page}
    with workspace.database.session() as session:
        here = set(session.scalars(select(Task.task_id).where(Task.project_id == workspace.id)))
        gone = sorted(here - there)
        for chunk in in_chunks(gone):
            session.execute(delete(Task).where(Task.project_id == workspace.id, Task.task_id.in_(chunk)))
    return len(gone)


def _take_intentions(workspace: Workspace, remote: LabelStudio, *, config: LabelConfig) -> None:
    """Synthetic tasks without an intended label take it from the prediction that came with them."""
    undecided = select(Task.task_id).where(
        Task.project_id == workspace.id, Task.is_synthetic, Task.intended_label.is_(None)
    )
    with workspace.database.session() as session:
        waiting = set(session.scalars(undecided))
        if not waiting:
            return
        for row in remote.predictions(workspace.label_studio_id):
            label = majority_label([row], config)
            if int(row["task"]) in waiting and label and version_number(str(row["model_version"])) is None:
                session.execute(
                    update(Task)
                    .where(Task.project_id == workspace.id, Task.task_id == int(row["task"]))
                    .values(intended_label=label)
                )
