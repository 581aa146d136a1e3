"""The loop: look at Label Studio, work out what is missing, do it. Run twice, the second does nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Literal

from sqlalchemy import update

from backend.database import Loop, Project
from backend.errors import NextlabelError, NotFound
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.label_studio.versions import next_version
from backend.workflows.findings.reflect import reflect
from backend.workflows.intake.earlier_findings import new_class_members
from backend.workflows.intake.embed import embed_project
from backend.workflows.intake.published import next_position, published_versions, window_left
from backend.workflows.intake.snapshot import Snapshot, take_snapshot
from backend.workflows.intake.sync import sync_tasks
from backend.workflows.project.figures import Figures, HeadMetrics, Traffic
from backend.workflows.project.hints import forget_hints, is_due, last_hint
from backend.workflows.project.progress import Progress
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.registration import find_backend
from backend.workflows.project.workspace import Workspace
from backend.workflows.record import pack_record
from backend.workflows.serving import publish
from backend.workflows.serving.lanes import lane_queues
from backend.workflows.serving.serving import Serving, load_serving
from backend.workflows.serving.window import order_seed, publish_places, rank_pool
from backend.workflows.training.judging import judge_tasks, teachers
from backend.workflows.training.learn import Learned, Teacher, learn
from model.records import Ranking
from model.registry import Manifest, RegistryError

logger = logging.getLogger(__name__)

Outcome = Literal["published", "topped-up", "mended", "unchanged"]

# A window that is emptier than this share is topped up, so that annotators never run dry between labels.
_LOW_WINDOW = 0.5

# Texts that take some ten seconds to encode: long enough for people to have labelled meanwhile.
_LONG_ENCODING = 1000

_INTERRUPTED = "The loop was interrupted."


@dataclass(slots=True)
class LoopReport:
    """What one loop did, and how long each part took (`seconds` by stage)."""

    outcome: Outcome = "unchanged"
    version: str | None = None
    record: Figures = field(default_factory=Figures)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> Json:
        """The record as it is stored, less the seconds."""
        return self.record.to_json()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measures one stage; what comes twice is added up."""
        started = time.monotonic()
        yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.monotonic() - started, 3)


def run_loop(workspace: Workspace, *, reason: str, progress: Progress) -> LoopReport:
    """One loop of a project; the caller holds its lease. Raises NextlabelError; either end is recorded."""
    answered = last_hint(workspace)
    loop_id = _begin(workspace, reason)
    report = LoopReport()
    error: str | None = _INTERRUPTED
    remote = workspace.context.label_studio()
    try:
        _look_and_do(workspace, remote, report=report, progress=progress)
        error = None
    except NextlabelError as failure:
        error = failure.message
        raise
    finally:
        traffic = _traffic(remote)
        report.record.writes = traffic.writes
        report.record.label_studio_seconds = traffic.label_studio_seconds
        _end(workspace, loop_id, report=report, error=error)
        remote.close()
    forget_hints(workspace, up_to=answered)
    return report


def tidy(workspace: Workspace) -> int:
    """Deletes what older versions left in Label Studio; stops when a loop is due. Returns how many."""
    remote = workspace.context.label_studio()
    keep = set(published_versions(workspace, limit=2))
    try:
        return publish.sweep(workspace, remote, keep=keep, interrupted=lambda: is_due(workspace))
    finally:
        remote.close()


def _look_and_do(
    workspace: Workspace, remote: LabelStudio, *, report: LoopReport, progress: Progress
) -> None:
    progress.stage("looking at Label Studio")
    details = remote.project(workspace.label_studio_id)
    if created_stamp(details) != workspace.created_stamp:
        raise NotFound(
            f"Project {workspace.label_studio_id} in Label Studio is another one than was connected.",
            hint=f"Run: python -m backend connect {workspace.label_studio_id}",
        )
    backend = find_backend(context, remote, workspace.label_studio_id)
    config = parse_label_config(details["label_config"])
    _remember(workspace, details)
    _fetch_and_encode(workspace, remote, config=config, report=report, progress=progress)
    with report.timed("snapshot"):
        snapshot = take_snapshot(workspace, config)
    record = report.record
    record.labels, record.pool = len(snapshot.labels), int(snapshot.pool.sum())
    record.fingerprint, record.code_version = snapshot.fingerprint, _code_version()
    record.seed, record.order_seed = workspace.seed, order_seed(workspace, snapshot)
    if snapshot.fingerprint == workspace.state.active_fingerprint and _active_is_readable(workspace):
        _maintain(workspace, remote, config=config, snapshot=snapshot, backend=backend, report=report)
        return
    _renew(
        workspace,
        remote,
        config=config,
        snapshot=snapshot,
        backend=backend,
        report=report,
        progress=progress,
    )


def _fetch_and_encode(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    config: LabelConfig,
    report: LoopReport,
    progress: Progress,
) -> None:
    """Brings tasks and vectors up to date, once more after a long encoding."""
    record = report.record
    record.tasks_read = record.tasks_deleted = record.encoded = 0
    while True:
        with report.timed("sync"):
            synced = sync_tasks(workspace, remote, config=config, progress=progress)
        with report.timed("embed"):
            encoded = embed_project(workspace, progress=progress)
        record.tasks_read += synced.read
        record.tasks_deleted += synced.deleted
        record.encoded += encoded
        if encoded < _LONG_ENCODING:
            return


def _renew(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    config: LabelConfig,
    snapshot: Snapshot,
    backend: Json,
    report: LoopReport,
    progress: Progress,
) -> None:
    """Trains, ranks and publishes a new version, and then measures it."""
    known = {*workspace.registry.versions(workspace.key), *remote.model_versions(workspace.label_studio_id)}
    if snapshot.synthetic:
        progress.stage("judging synthetic tasks")
    with report.timed("judge"):
        judged = judge_tasks(workspace, snapshot)
        taught_by = teachers(judged)
    progress.stage("training and ranking")
    with report.timed("learn"):
        learned = learn(workspace, config, snapshot, teachers=taught_by)
    serving = Serving(
        version=next_version(known, by_name=learned.by_name),
        head=learned.trained.head,
        by_name=learned.by_name,
        config=config,
        snapshot=learned.seen,
        floor=workspace.settings.preannotate_floor,
        of_new_classes=new_class_members(workspace, snapshot),
    )
    ranking = _rank_and_save(
        workspace, serving, snapshot=snapshot, learned=learned, taught_by=taught_by, report=report
    )
    _publish(workspace, remote, serving, ranking=ranking, backend=backend, report=report, progress=progress)
    with report.timed("reflect"):
        found = reflect(workspace, remote, learned=learned, serving=serving, judged=judged, progress=progress)
        report.record.signals = found.signals
        if found.failed:
            report.record.failed = found.failed


def _rank_and_save(
    workspace: Workspace,
    serving: Serving,
    *,
    snapshot: Snapshot,
    learned: Learned,
    taught_by: Sequence[Teacher],
    report: LoopReport,
) -> Ranking:
    """The order that a version asks for; the version and what it depended on are in the registry then."""
    with report.timed("rank"):
        queues = lane_queues(workspace, learned.seen)
        ranking = rank_pool(workspace, serving, queues=queues)
    with report.timed("save"):
        manifest = _manifest(workspace, learned, version=serving.version, strategy=ranking.strategy)
        record = pack_record(
            workspace,
            snapshot,
            label_config=workspace.state.label_config,
            teachers=taught_by,
            queues=queues,
            ranking=ranking,
        )
        workspace.registry.save(workspace.key, serving.version, learned.trained, manifest, record=record)
    report.record.strategy, report.record.representation = ranking.strategy, learned.representation
    report.record.metrics = HeadMetrics.model_validate(learned.metrics)
    return ranking


def _publish(
    workspace: Workspace,
    remote: LabelStudio,
    serving: Serving,
    *,
    ranking: Ranking,
    backend: Json,
    report: LoopReport,
    progress: Progress,
) -> None:
    """Sends the window of a version and lets it serve."""
    task_ids = ranking.ids[: workspace.settings.queue_window].tolist()
    progress.stage("publishing", total=len(task_ids))
    with report.timed("publish"):
        published = publish_places(workspace, remote, serving, ranking=ranking, task_ids=task_ids)
        fingerprint = serving.snapshot.fingerprint
        publish.activate(workspace, remote, version=serving.version, fingerprint=fingerprint, backend=backend)
    progress.advance(len(task_ids))
    report.outcome, report.version = "published", serving.version
    report.record.window, report.record.rejected = published.kept, list(published.rejected)
    report.record.until_published = _traffic(remote)


def _traffic(remote: LabelStudio) -> Traffic:
    """What Label Studio was asked so far."""
    return Traffic(writes=remote.writes, label_studio_seconds=round(remote.seconds, 3))


def _maintain(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    config: LabelConfig,
    snapshot: Snapshot,
    backend: Json,
    report: LoopReport,
) -> None:
    """Nothing new was said: mend what somebody changed in Label Studio, and fill up a low window."""
    report.version = workspace.state.active_version
    mended = publish.align(workspace, remote, backend=backend)
    if mended:
        report.outcome = "mended"
        report.record.mended = mended
    if lost := publish.forget_lost(workspace, remote):
        report.record.lost = lost
    if top_up(workspace, remote, config=config, snapshot=snapshot):
        report.outcome = "topped-up"


def top_up(workspace: Workspace, remote: LabelStudio, *, config: LabelConfig, snapshot: Snapshot) -> int:
    """Adds tasks behind a window that has run low, under the same version; returns how many."""
    left = window_left(workspace)
    window = workspace.settings.queue_window
    outside = int(snapshot.pool.sum()) - len(left)
    if len(left) >= window * _LOW_WINDOW or outside == 0 or workspace.state.active_version is None:
        return 0
    serving = load_serving(workspace, snapshot, config=config, version=workspace.state.active_version)
    ranking = rank_pool(workspace, serving)
    waiting = set(left)
    chosen = [task_id for task_id in ranking.ids.tolist() if task_id not in waiting][: window - len(left)]
    report = publish_places(
        workspace,
        remote,
        serving,
        ranking=ranking,
        task_ids=chosen,
        first_position=next_position(workspace),
    )
    return report.kept


def _active_is_readable(workspace: Workspace) -> bool:
    if workspace.state.active_version is None:
        return False
    try:
        workspace.registry.load(workspace.key, workspace.state.active_version)
    except RegistryError as error:
        logger.warning("version unreadable project=%s message=%s", workspace.label_studio_id, error)
        return False
    return True


def _manifest(workspace: Workspace, learned: Learned, *, version: str, strategy: str) -> Manifest:
    snapshot = learned.seen
    return Manifest(
        version=version,
        kind="label-names" if learned.by_name else "trained",
        classes=learned.trained.head.space.names,
        encoder=snapshot.embeddings.encoder,
        seed=workspace.seed,
        data_fingerprint=snapshot.fingerprint,
        audit_threshold=snapshot.audit_threshold,
        metrics=learned.metrics,
        strategy=strategy,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code_version=_code_version(),
        representation=learned.representation,
        words=learned.words,
    )


def _code_version() -> str:
    try:
        return package_version("nextlabel")
    except PackageNotFoundError:
        return "source"


def _remember(workspace: Workspace, details: Json) -> None:
    """Keeps what a project is called and asks; where tasks are to be read otherwise, all are read anew."""
    config = str(details["label_config"])
    reading = reading_digest(workspace, config)
    if workspace.state.reading != reading:
        workspace.state.synced_until = None
    workspace.state.title, workspace.state.label_config, workspace.state.connected = (
        str(details["title"]),
        config,
        True,
    )
    workspace.state.reading = reading
    with workspace.database.session() as session:
        row = session.get_one(Project, workspace.id)
        row.title, row.label_config, row.connected = workspace.state.title, config, True
        row.reading, row.synced_until = reading, workspace.state.synced_until


def _begin(workspace: Workspace, reason: str) -> int:
    with workspace.database.session() as session:
        # we hold the lease: whoever began these was killed
        session.execute(
            update(Loop)
            .where(Loop.project_id == workspace.id, Loop.outcome == "running")
            .values(outcome="failed", error=_INTERRUPTED)
        )
        loop = Loop(project_id=workspace.id, reason=reason, started_at=datetime.now(UTC).replace(tzinfo=None))
        session.add(loop)
        session.get_one(Project, workspace.id).last_looked_at = time.time()
        session.flush()
        return loop.id


def _end(workspace: Workspace, loop_id: int, *, report: LoopReport, error: str | None) -> None:
    with workspace.database.session() as session:
        loop = session.get_one(Loop, loop_id)
        loop.finished_at = datetime.now(UTC).replace(tzinfo=None)
        loop.outcome = "failed" if error is not None else report.outcome
        loop.version, loop.error = report.version, error
        loop.figures = report.record.model_copy(update={"seconds": report.seconds}).to_json()
