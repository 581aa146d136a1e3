"""Brings the mirror of a project's tasks up to date, fetching only what changed."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.queue_settings import has_cohort
from backend.label_studio.tasks import READER, intended_answer, read_task
from backend.label_studio.versions import version_number
from backend.store.pictures import addresses_of
from backend.workflows.intake.empty_answers import none_names
from backend.workflows.intake.first_look import is_first_look, read_sample
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace

# Changes become visible when they are committed, a little after the time they carry.
_OVERLAP = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a look at Label Studio brought: tasks read, tasks gone, and whether everything was read again.

    `unread`: tasks that a first look at a large project left for the next.
    """

    read: int
    deleted: int
    full: bool
    unread: int = 0


def reading_digest(workspace: Workspace, label_config: str, config: LabelConfig) -> str:
    """Digest of all that decides how a task is read."""
    settings = workspace.settings
    fields = f"{workspace.synthetic_fields}\0{settings.order_fields}\0{settings.questions}"
    none = ",".join(none_names(config))
    parts = f"{READER}\0{label_config}\0{config.from_name}\0{fields}\0{none}"
    return hashlib.sha256(parts.encode()).hexdigest()


def sync_tasks(
    workspace: Workspace, remote: LabelStudio, *, config: LabelConfig, progress: Progress
) -> SyncReport:
    """Fetches what changed since the last look; everything when the counts show that this is not enough.

    Of a large project that nobody looked at before, a sample is read first: see `first_look.py`.
    """
    total, _ = remote.counts(workspace.label_studio_id)
    if is_first_look(workspace, total):
        read = read_sample(workspace, remote, total, config=config, progress=progress)
        if read is not None:
            _take_intentions(workspace, remote, config=config)
            return SyncReport(read=read, deleted=0, full=False, unread=max(total - read, 0))
    progress.stage("fetching tasks", total=total)
    is_whole = (
        _is_due_whole(workspace)
        or _cohort_has_moved(workspace, total)
        or _was_set_back(remote, workspace.state.synced_until)
    )
    since = None if is_whole else workspace.state.synced_until
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
    synthetic, fields = workspace.synthetic_fields, workspace.settings.order_fields
    for page in remote.tasks(workspace.label_studio_id, updated_after=since):
        states = [read_task(task, config, synthetic=synthetic, order_fields=fields) for task in page]
        workspace.tasks.write(states)
        read += len(states)
        changes = (datetime.fromisoformat(state.updated_at) for state in states)
        newest = max([newest or "", *(_watermark(change) for change in changes)])
        if since is not None:
            changed = (address for state in states for address in addresses_of(state.pictures))
            workspace.pictures.retry(changed)
        progress.advance(len(states))
    if newest and remote.now:
        # a change that was made while the date there was ahead says nothing of when others come
        newest = min(newest, _watermark(remote.now))
    workspace.change(synced_until=newest)
    if since is None:
        workspace.change(read_whole_at=time.time())
    return read


def _is_due_whole(workspace: Workspace) -> bool:
    """Whether it is time to read all: bulk edits of task data move neither `updated_at` nor a count."""
    hours = workspace.settings.resync_every_hours
    age_s = time.time() - workspace.state.read_whole_at
    # below zero the clock was set back, and nobody knows how long ago it was
    return age_s < 0 or age_s >= hours * 3600


def _was_set_back(remote: LabelStudio, synced_until: str | None) -> bool:
    """Whether Label Studio's date was set back since a look: what changed since may bear any date."""
    if synced_until is None or remote.now is None:
        return False
    # it was the overlap behind when it was written down
    return synced_until > _watermark(remote.now + _OVERLAP)


def _cohort_has_moved(workspace: Workspace, total: int) -> bool:
    """Whether Label Studio chose anew which tasks several people answer: it does when tasks come or go.

    Others are finished then, and `updated_at` does not move.
    """
    return has_cohort(workspace.state.queue_settings) and total != workspace.tasks.count()


def _watermark(moment: datetime) -> str:
    return (moment.astimezone(UTC) - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _counts_agree(workspace: Workspace, remote: LabelStudio) -> bool:
    return workspace.tasks.count_annotations() == remote.counts(workspace.label_studio_id)


def _drop_deleted(workspace: Workspace, remote: LabelStudio) -> int:
    there = {task_id for page in remote.task_ids(workspace.label_studio_id) for task_id in page}
    return workspace.tasks.keep_only(there)


def _take_intentions(workspace: Workspace, remote: LabelStudio, *, config: LabelConfig) -> None:
    """Synthetic tasks without an intended label take it from the prediction that came with them."""
    waiting = workspace.tasks.without_intention()
    if not waiting:
        return
    found: dict[int, str] = {}
    for row in remote.predictions(workspace.label_studio_id):
        label = intended_answer([row], config)
        if int(row["task"]) in waiting and label and version_number(str(row["model_version"])) is None:
            found[int(row["task"])] = label
    workspace.tasks.write_intentions(found)
