"""The loop: look at Label Studio, work out what is missing, do it. Run twice, the second does nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from backend import __version__
from backend.errors import NextlabelError, NotConnected, NotFound
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.queue_settings import FINISHING, find_disturbances, read_queue_settings
from backend.label_studio.versions import next_version, version_number
from backend.log_fields import note_field
from backend.tracing import note_on_span
from backend.workflows.findings.notes import drop_outdated_notes
from backend.workflows.findings.reflect import Renewal, reflect
from backend.workflows.findings.switched import find_switches
from backend.workflows.intake.earlier_findings import new_class_members, novel_members
from backend.workflows.intake.empty_answers import none_names, read_none
from backend.workflows.intake.encoder_choice import choose_encoder
from backend.workflows.intake.fetch_pictures import fetch_pictures
from backend.workflows.intake.part_items import embed_parts
from backend.workflows.intake.published import published_versions, window_left
from backend.workflows.intake.question import (
    forget_other_objects,
    remember_question,
    settle_question,
)
from backend.workflows.intake.share import embed_share
from backend.workflows.intake.skips import waiting_tasks
from backend.workflows.intake.snapshot import Snapshot, take_snapshot
from backend.workflows.intake.sync import reading_digest, sync_tasks
from backend.workflows.loop_report import LoopReport
from backend.workflows.project.damage import mend_row
from backend.workflows.project.failures import named_disk_errors, unforeseen
from backend.workflows.project.figures import Figures, HeadMetrics, Traffic
from backend.workflows.project.hints import few_beside, leave_hint
from backend.workflows.project.lease import check_lease, is_held_by_another
from backend.workflows.project.parking import counted
from backend.workflows.project.progress import PUBLISHING, Progress
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.registration import find_row, mend_webhooks
from backend.workflows.project.turns import is_any_waiting
from backend.workflows.project.workspace import Workspace, is_disconnected
from backend.workflows.record import pack_record
from backend.workflows.serving import publish
from backend.workflows.serving.lanes import lane_queues
from backend.workflows.serving.serving import Serving, load_serving, serve
from backend.workflows.serving.window import first_window, order_seed, publish_places, rank_pool
from backend.workflows.training.judging import auxiliary_items, judge_tasks
from backend.workflows.training.learn import AuxiliaryItem, Learned, learn
from model.records import Ids, Ranking
from model.registry import Manifest, QuestionEntry, RegistryError

logger = logging.getLogger(__name__)

# A window that is emptier than this share is topped up, so that annotators never run dry between labels.
_LOW_WINDOW = 0.5

# Texts that take some ten seconds to encode: long enough for people to have labelled meanwhile.
_LONG_ENCODING = 1000

# Why a loop runs that nobody asked for.
HINTS = "hints"

_INTERRUPTED = "The loop was interrupted."


def run_loop(workspace: Workspace, *, reason: str, progress: Progress) -> LoopReport:
    """One loop of a project; the caller holds its lease. Raises NextlabelError; either end is recorded.

    One that fails on a project that was disconnected here is recorded as that: nothing is amiss.
    """
    with counted(workspace):
        return _run_recorded(workspace, reason, progress)


def _run_recorded(workspace: Workspace, reason: str, progress: Progress) -> LoopReport:
    answered, was_connected = workspace.hints.newest(), workspace.state.connected
    loop_id = workspace.loops.begin(reason, interrupted=_INTERRUPTED)
    number = workspace.loops.count_to(loop_id)  # the one that commands take
    note_field("loop", number)
    note_on_span("loop", number)
    report = LoopReport()
    error: str | None = _INTERRUPTED
    remote = workspace.context.label_studio()
    try:
        with named_disk_errors():
            ProjectLoop(workspace, remote, report, progress).run(may_put_off=reason == HINTS)
        error = None
    except NextlabelError as failure:
        error = failure.with_hint
        # in the middle, or before it began; a first connect that fails is a failure
        if (was_connected or isinstance(failure, NotConnected)) and is_disconnected(workspace):
            report.outcome, error = "disconnected", None
        raise
    except Exception as failure:
        error = unforeseen(failure)
        raise
    finally:
        traffic = _traffic(remote)
        report.record.writes = traffic.writes
        report.record.label_studio_seconds = traffic.label_studio_seconds
        with workspace.context.survived.failures_of("recording a loop"):
            _end(workspace, loop_id, report=report, error=error)
        remote.close()
    workspace.hints.forget(up_to=answered, but=report.put_off)
    return report


def tidy(workspace: Workspace) -> int:
    """Deletes what older versions left in Label Studio. Returns how many predictions.

    Needs no lease, and gives way to whoever holds the project and to a loop that is due, of any project; but
    what has gathered beyond some windows goes first, so that it never grows without end.
    """
    remote = workspace.context.label_studio()

    def interrupted() -> bool:
        is_told = workspace.context.stopping.is_set()
        return is_told or is_held_by_another(workspace) or is_any_waiting(workspace.context)

    def kept() -> set[str]:
        workspace.refresh()
        return set(published_versions(workspace, limit=2))

    try:
        return publish.sweep(workspace, remote, kept=kept, interrupted=interrupted)
    finally:
        remote.close()


class ProjectLoop:
    """One pass over one project, with all that every step of it needs in one hand."""

    def __init__(
        self, workspace: Workspace, remote: LabelStudio, report: LoopReport, progress: Progress
    ) -> None:
        self.workspace = workspace
        self.remote = remote
        self.report = report
        self.progress = progress

    def run(self, *, may_put_off: bool = False) -> None:
        """Look, take in what is new, and do what it asks for; a few answers among skips may be put off."""
        self.progress.stage("looking at Label Studio")
        details, backend = self._look()
        mend_row(self.workspace, backend)
        config = settle_question(
            self.remote, int(details["id"]), details["label_config"], self.workspace.preference
        )
        config, unread = self._fetch_and_encode(details, config)
        with self.report.timed("snapshot"):
            snapshot = take_snapshot(self.workspace, config)
        if unread:
            snapshot = replace(snapshot, open_unencoded=snapshot.open_unencoded + unread)
        record = self.report.record
        record.skipped = int(snapshot.skipped.sum())
        record.labels, record.pool = len(snapshot.labels), snapshot.open_tasks
        if waiting := len(snapshot.unencoded) + unread:
            record.unencoded = waiting
        if unread:
            record.unread = unread
        record.fingerprint, record.code_version = snapshot.fingerprint, __version__
        record.seed, record.order_seed = self.workspace.seed, order_seed(self.workspace, snapshot)
        is_known = snapshot.fingerprint == self.workspace.state.active_fingerprint
        if self._active_is_readable() and (is_known or (may_put_off and self._is_put_off(snapshot))):
            self._maintain(config, snapshot, backend)
        else:
            self._renew(config, snapshot, backend)

    def _is_put_off(self, snapshot: Snapshot) -> bool:
        """Whether what gathered is mostly skips, and those change nothing about the tasks that come next."""
        workspace = self.workspace
        before = Figures.read(workspace.loops.newest_counted()).skipped
        others = None if before is None else few_beside(workspace, int(snapshot.skipped.sum()) - before)
        if others is None:
            return False
        by_strategy = workspace.windows.of_lane(workspace.state.active_version, "informative")
        waiting = set(waiting_tasks(workspace, snapshot).likely.tolist())
        if waiting.intersection(by_strategy, window_left(workspace)):
            return False
        self.report.put_off = others
        return True

    def _look(self) -> tuple[Json, Json | None]:
        """The project, and our row among its ML backends if there is to be one.

        Raises NotFound and NotConnected.
        """
        number = self.workspace.label_studio_id
        details = self.remote.project(number)
        if created_stamp(details) != self.workspace.state.created_stamp:
            raise NotFound(
                f"Project {number} in Label Studio is another one than was connected.",
                hint=f"Run: nextlabel connect {number}",
            )
        return details, find_row(self.workspace, self.remote)

    def _remember(self, details: Json, config: LabelConfig) -> None:
        """Keeps what a project is called and asks; where tasks are read otherwise now, all are read anew."""
        remember_question(self.workspace, config.from_name)
        forget_other_objects(self.workspace, config)
        xml, known = str(details["label_config"]), self.workspace.state
        reading = reading_digest(self.workspace, xml, config)
        settings = read_queue_settings(details)
        same = known.reading == reading and not _finishes_otherwise(known.queue_settings, settings)
        went_back = _is_earlier(str(details["model_version"]), known.active_version)
        self.workspace.change(
            title=str(details["title"]),
            label_config=xml,
            connected=True,
            reading=reading,
            queue_settings=settings,
            synced_until=known.synced_until if same and not went_back else None,
        )
        for found in find_disturbances(settings, project=self.workspace.label_studio_id):
            logger.warning(
                "order disturbed project=%s setting=%s: %s",
                self.workspace.label_studio_id,
                found.setting,
                found.words,
            )

    def _fetch_and_encode(self, details: Json, settled: LabelConfig) -> tuple[LabelConfig, int]:
        """Brings tasks and vectors up to date, once more after a long encoding; the config as they were read.

        Returns how many tasks were not read, too: of a large project a first look leaves most of them.
        All are read once more where the answers now say that a question is left empty on purpose, or no more.
        Where texts are left to the workers, people wait for an order: what changed meanwhile waits in turn.
        """
        config = read_none(self.workspace, settled)
        self._remember(details, config)
        record = self.report.record
        record.tasks_read = record.tasks_deleted = record.encoded = 0
        while True:
            with self.report.timed("sync"):
                synced = sync_tasks(self.workspace, self.remote, config=config, progress=self.progress)
            if synced.read or self.workspace.state.active_version is None:
                choose_encoder(self.workspace)
            with self.report.timed("embed"):
                encoded = fetch_pictures(self.workspace, progress=self.progress)
                share = embed_share(self.workspace, progress=self.progress)
                encoded += share.encoded
                encoded += embed_parts(self.workspace, config.questions, progress=self.progress)
            record.tasks_read += synced.read
            record.tasks_deleted += synced.deleted
            record.encoded += encoded
            known, config = config, read_none(self.workspace, settled)
            if none_names(config) != none_names(known):
                self._remember(details, config)
            elif encoded < _LONG_ENCODING or share.left or synced.unread:
                if synced.unread:
                    leave_hint(self.workspace, "tasks")
                return config, synced.unread

    def _renew(self, config: LabelConfig, snapshot: Snapshot, backend: Json | None) -> None:
        """Trains, ranks and publishes a new version, and then measures it."""
        taken = self._taken_names()
        if switched := find_switches(self.workspace, config, snapshot):
            self.report.record.switched = switched
        if snapshot.synthetic:
            self.progress.stage("judging synthetic tasks")
        with self.report.timed("judge"):
            judged = judge_tasks(self.workspace, config, snapshot)
            auxiliary = auxiliary_items(judged, config)
        self.progress.stage("training and ranking")
        with self.report.timed("learn"):
            learned = learn(self.workspace, config, snapshot, auxiliary=auxiliary)
        serving = replace(
            serve(learned, version=next_version(taken, by_name=learned.kind == "label-names"), config=config),
            floor=self.workspace.settings.preannotate_floor,
            of_new_classes=new_class_members(self.workspace, snapshot),
            novel=novel_members(self.workspace),
        )
        with self.report.timed("rank"):
            behind = waiting_tasks(self.workspace, learned.seen)
        self.report.record.behind = len(behind.ids)
        ranking = self._rank_and_save(serving, snapshot, learned, auxiliary, behind.ids)
        self._publish(serving, ranking, backend)
        with self.report.timed("reflect"):
            made = Renewal(learned, serving, judged, behind)
            found = reflect(self.workspace, self.remote, made, progress=self.progress)
        self.report.record.signals = found.signals
        if found.failed:
            self.report.record.failed = found.failed

    def _taken_names(self) -> set[str]:
        """Names of versions that exist, here or in Label Studio."""
        workspace = self.workspace
        here = workspace.registry.taken(workspace.key)
        return {*here, *self.remote.model_versions(workspace.label_studio_id)}

    def _rank_and_save(
        self,
        serving: Serving,
        snapshot: Snapshot,
        learned: Learned,
        auxiliary: Sequence[AuxiliaryItem],
        behind: Ids,
    ) -> Ranking:
        """The order a version asks for; the version and what it depended on are in the registry then."""
        workspace = self.workspace
        with self.report.timed("rank"):
            queues = lane_queues(workspace, learned.seen)
            ranking = rank_pool(workspace, serving, queues=queues, behind=behind)
        with self.report.timed("save"):
            record = pack_record(
                workspace,
                serving.config,
                snapshot,
                auxiliary=auxiliary,
                queues=queues,
                behind=behind,
                ranking=ranking,
            )
            manifest = _manifest(workspace, learned, version=serving.version, strategy=ranking.strategy)
            check_lease(workspace)
            workspace.registry.save(
                workspace.key,
                serving.version,
                serving.choice,
                manifest,
                questions=[one.trained.head.tensors() for one in learned.questions],
                record=record,
            )
        found = self.report.record
        found.moved = ranking.moved if snapshot.priority else None
        found.strategy, found.representation = ranking.strategy, learned.representation
        found.metrics = HeadMetrics.read(learned.metrics)
        return ranking

    def _publish(self, serving: Serving, ranking: Ranking, backend: Json | None) -> None:
        """Sends the window of a version and lets it serve."""
        workspace, remote = self.workspace, self.remote
        task_ids = first_window(workspace, serving, ranking)
        self.progress.stage(PUBLISHING, total=len(task_ids))
        with self.report.timed("publish"):
            published = publish_places(workspace, remote, serving, ranking=ranking, task_ids=task_ids)
            fingerprint = serving.snapshot.fingerprint
            publish.activate(
                workspace, remote, version=serving.version, fingerprint=fingerprint, backend=backend
            )
        self.progress.advance(len(task_ids))
        self.report.outcome, self.report.version = "published", serving.version
        record = self.report.record
        record.window, record.rejected = published.kept, list(published.rejected)
        record.until_published = _traffic(remote)

    def _maintain(self, config: LabelConfig, snapshot: Snapshot, backend: Json | None) -> None:
        """Nothing new was said: mend what somebody changed in Label Studio, and fill up a low window."""
        report = self.report
        report.version = self.workspace.state.active_version
        # first what serves, then that it serves: a version of which nothing is there cannot be switched to
        if lost := publish.forget_lost(self.workspace, self.remote):
            report.record.lost = lost
        topped_up = self._top_up(config, snapshot)
        mended = publish.align(self.workspace, self.remote, backend=backend)
        if backend is not None and mend_webhooks(self.workspace, self.remote):
            mended.append("webhook")
        if mended:
            report.outcome = "mended"
            report.record.mended = mended
        if topped_up:
            report.outcome = "topped-up"
        drop_outdated_notes(self.workspace, self.remote, snapshot)

    def _top_up(self, config: LabelConfig, snapshot: Snapshot) -> int:
        """Adds tasks behind a window that has run low, under the same version; returns how many."""
        workspace, version = self.workspace, self.workspace.state.active_version
        left = window_left(workspace)
        window = workspace.settings.queue_window
        outside = int(snapshot.pool.sum()) - len(left)
        if len(left) >= window * _LOW_WINDOW or outside == 0 or version is None:
            return 0
        serving = load_serving(workspace, snapshot, config=config, version=version)
        ranking = rank_pool(workspace, serving)
        waiting = set(left)
        chosen = [task_id for task_id in ranking.ids.tolist() if task_id not in waiting][: window - len(left)]
        report = publish_places(workspace, self.remote, serving, ranking=ranking, task_ids=chosen)
        return report.kept

    def _active_is_readable(self) -> bool:
        workspace, version = self.workspace, self.workspace.state.active_version
        if version is None:
            return False
        try:
            workspace.registry.load(workspace.key, version)
        except RegistryError as error:
            logger.warning("version unreadable project=%s message=%s", workspace.label_studio_id, error)
            return False
        return True


def _finishes_otherwise(before: Json, now: Json) -> bool:
    """Whether a changed setting makes other tasks count as finished, which moves no `updated_at`."""
    return any(before.get(name, now[name]) != now[name] for name in FINISHING)


def _is_earlier(version: str, ours: str | None) -> bool:
    """Whether Label Studio serves an earlier version than was published, as after its database was restored.

    What people said since is gone then, and neither counts nor `updated_at` need tell.
    """
    number, last = version_number(version), version_number(ours or "")
    return number is not None and last is not None and number < last


def _traffic(remote: LabelStudio) -> Traffic:
    """What Label Studio was asked so far: calls that write, and the seconds that all calls took."""
    return Traffic(writes=remote.writes, label_studio_seconds=round(remote.seconds, 3))


def _manifest(workspace: Workspace, learned: Learned, *, version: str, strategy: str) -> Manifest:
    snapshot = learned.seen
    return Manifest(
        version=version,
        kind=learned.kind,
        classes=snapshot.labels.space.names,
        encoder=snapshot.embeddings.encoder,
        seed=workspace.seed,
        data_fingerprint=snapshot.fingerprint,
        audit_threshold=snapshot.audit_threshold,
        metrics=learned.metrics,
        strategy=strategy,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code_version=__version__,
        representation=learned.representation,
        words=learned.words,
        questions=tuple(
            QuestionEntry(
                one.question.name, one.question.kind, one.trained.head.space.names, dict(one.metrics)
            )
            for one in learned.questions
        ),
    )


def _end(workspace: Workspace, loop_id: int, *, report: LoopReport, error: str | None) -> None:
    workspace.loops.end(
        loop_id,
        outcome="failed" if error else report.outcome,
        version=report.version,
        error=error,
        figures=report.record.model_copy(update={"seconds": report.seconds}).to_json(),
    )
