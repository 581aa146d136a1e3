"""Connects a project in one go, and takes the connection apart again."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.context import Context
from backend.errors import AddressBlocked, NotConnected
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig, Preference, add_note
from backend.label_studio.queue_settings import (
    WANTED,
    Disturbance,
    find_disturbances,
    read_queue_settings,
)
from backend.label_studio.required import free_answer, require_answer
from backend.label_studio.versions import version_number
from backend.settings import Settings
from backend.workflows.findings.notes import remove_notes
from backend.workflows.intake.published import window_for
from backend.workflows.intake.question import remember_question, settle_question
from backend.workflows.intake.readable import TextGaps, find_gaps
from backend.workflows.loop import run_loop, tidy
from backend.workflows.loop_report import LoopReport
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.registration import (
    EXTRA_PARAMS_KEY,
    SAMPLING_DEFAULT,
    backend_address,
    earlier_backends,
    earlier_webhooks,
    find_backend,
    our_webhooks,
    webhook_fields,
    webhook_is_right,
)
from backend.workflows.project.workspace import Workspace, ensure_workspace, find_workspace

_CONNECTED = "CO"
# The queue of Label Studio that comes before every sampling where a task needs several answers.
_BREADTH_FIRST = "breadth first"
_ORDER_CHANGES = {
    "sampling": f"sampling set to {WANTED['sampling']!r}",
    "show_collab_predictions": "pre-annotations switched on",
    "show_overlap_first": "tasks that several people answer do not come first any more",
}


@dataclass(slots=True)
class ConnectReport:
    """What connect found and did, in sentences for the terminal and as fields for machines."""

    project: int
    title: str = ""
    user: str = ""
    token: str = ""
    dashboard: str = ""
    question: str = ""
    labels: int = 0
    ignored: tuple[str, ...] = ()
    other_questions: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    gaps: TextGaps = field(default_factory=lambda: TextGaps(0, 0, {}))
    changes: list[str] = field(default_factory=list)
    loop: LoopReport = field(default_factory=LoopReport)
    served: int | None = None
    expected: int | None = None
    reserved: bool = False
    begun_first: bool = False
    disturbances: list[Disturbance] = field(default_factory=list)

    @property
    def in_order(self) -> bool:
        """Whether Label Studio serves what was published (or what it had reserved for us before)."""
        return self.served == self.expected or self.reserved or self.begun_first

    @property
    def verdict(self) -> str:
        """One sentence about the order."""
        if self.begun_first:
            then = "" if self.expected is None else f", from task {self.expected} on"
            return (
                f"Label Studio gives you task {self.served} first, which others have begun: it serves "
                f"such tasks at random before all others; then comes the order published{then}."
            )
        if self.expected is None:
            return self._why_empty()
        if self.served != self.expected and self.reserved:
            return (
                f"Label Studio gives you task {self.served} first, which it reserved for you earlier; "
                f"then comes the order published, from task {self.expected} on."
            )
        if self.in_order:
            return f"The order served is the order published: task {self.served} comes next."
        return (
            f"The order served is NOT the order published: Label Studio serves task {self.served}, "
            f"published is {self.expected}. Run: python -m backend doctor {self.project}"
        )

    def _why_empty(self) -> str:
        if self.gaps.tasks == 0:
            return "There are no tasks yet: the queue starts when some are imported."
        if self.gaps.is_unreadable:
            return f"There is nothing to read: {'; '.join(self.gaps.sentences)}."
        return "There is nothing left to label: the queue is empty."


def connect(
    context: Context,
    label_studio_id: int,
    *,
    overrides: dict[str, object],
    progress: Progress,
    explain: bool = False,
    require: bool = False,
    encoder: str | None = None,
) -> ConnectReport:
    """Registers the backend, runs the first loop and checks the order. Safe to run again.

    `explain` adds a line to the labeling config that shows annotators why a task stands out. It and `require`
    make an answer to our question required, so that nobody submits an empty one. `encoder` names the
    project's own; without one, texts that are clearly not English get the multilingual one. Raises
    EncoderUnavailable when it cannot be loaded.
    """
    if encoder is not None:
        context.encoders.named(encoder).get()
    remote = context.label_studio()
    address = f"{context.settings.backend_url}/projects/{label_studio_id}"
    report = ConnectReport(project=label_studio_id, dashboard=address)
    try:
        progress.stage("checking the token")
        user = remote.whoami()
        report.user, report.token = _user_name(user), remote.token_kind
        details = remote.project(label_studio_id)
        changed = _stored_overrides(context, remote, label_studio_id) | overrides
        config = _read_config(context, remote, details, changed)
        _tell_question(report, config, title=str(details["title"]))
        workspace = _remember(context, details, changed, question=config.from_name)
        if explain and (noted := add_note(remote.project(label_studio_id)["label_config"])):
            remote.update_project(label_studio_id, label_config=noted)
            report.changes.append("a line that explains tasks added to the labeling config")
        if explain or require:
            report.changes += _require_answer(workspace, remote, config)
        with lease(workspace, wait_s=PEOPLE_WAIT_S):
            progress.stage("registering the backend")
            report.changes += _register(workspace, remote, details=details)
            # bulk edits of task data announce nothing: whoever connects wants all of it read
            workspace.change(synced_until=None)
            before = workspace.state.encoder
            if encoder is not None:
                workspace.change(encoder=encoder)
            report.loop = run_loop(workspace, reason="connect", progress=progress)
            report.changes += _encoder_change(workspace, before, named=encoder)
        tidy(workspace)
        report.gaps = find_gaps(workspace, config.text_fields)
        progress.stage("asking for the next task")
        _check_order(workspace, remote, person=int(user["id"]), report=report)
    finally:
        remote.close()
    return report


def disconnect(workspace: Workspace) -> list[str]:
    """Takes everything back that connect put into Label Studio; returns what was done."""
    label_studio_id, context = workspace.label_studio_id, workspace.context
    remote = context.label_studio()
    done = []
    try:
        with lease(workspace, wait_s=PEOPLE_WAIT_S):
            for hook in our_webhooks(context.settings, remote, label_studio_id):
                remote.delete_webhook(hook["id"])
                done.append("webhook removed")
            done += _remove_earlier(
                workspace, remote, earlier_backends(context.settings, remote, label_studio_id), moved=-1
            )
            try:
                remote.delete_ml_backend(find_backend(context.settings, remote, label_studio_id)["id"])
                done.append("ML backend removed")
            except NotConnected:
                done.append("no ML backend was registered")
            removed = _remove_predictions(remote, label_studio_id)
            done.append(f"{removed} predictions removed")
            remove_notes(workspace, remote)
            done.append("flags and tabs removed")
            done += _free_answer(workspace, remote)
            sampling = workspace.state.sampling_before or SAMPLING_DEFAULT
            remote.update_project(label_studio_id, sampling=sampling)
            done.append(f"sampling set back to {sampling!r}")
            if before := workspace.state.settings_before:
                remote.update_project(label_studio_id, **before)
                workspace.change(settings_before={})
                done.append("tasks that several people answer come first again")
            _forget_connection(workspace)
    finally:
        remote.close()
    return done


def _require_answer(workspace: Workspace, remote: LabelStudio, config: LabelConfig) -> list[str]:
    # read anew: another change of the config must not be written over
    xml = remote.project(workspace.label_studio_id)["label_config"]
    if (required := require_answer(xml, config)) is None:
        return []
    workspace.change(required_control=config.from_name)
    remote.update_project(workspace.label_studio_id, label_config=required)
    return [f"an answer to {config.from_name!r} is required now"]


def _free_answer(workspace: Workspace, remote: LabelStudio) -> list[str]:
    name = workspace.state.required_control
    if name is None:
        return []
    freed = free_answer(remote.project(workspace.label_studio_id)["label_config"], name)
    if freed is not None:
        remote.update_project(workspace.label_studio_id, label_config=freed)
    workspace.change(required_control=None)
    return [f"an answer to {name!r} is not required any more"]


def _user_name(user: Json) -> str:
    return str(user.get("email") or user.get("username") or user.get("id"))


def _stored_overrides(context: Context, remote: LabelStudio, label_studio_id: int) -> dict[str, object]:
    """The project's own settings as Label Studio keeps them: there they outlive our data folder."""
    try:
        extra = find_backend(context.settings, remote, label_studio_id)["extra_params"]
        return context.settings.known_overrides(extra[EXTRA_PARAMS_KEY])
    except (NotConnected, KeyError, TypeError):
        return {}


def _read_config(
    context: Context, remote: LabelStudio, details: Json, overrides: dict[str, object]
) -> LabelConfig:
    """The question that we answer, settled anew whatever was settled before."""
    known = find_workspace(context, int(details["id"]), created_stamp(details))
    before = context.settings.known_overrides(known.state.overrides) if known else {}
    settings = context.settings.for_project({**before, **overrides})
    preference = Preference(questions=settings.question_names)
    return settle_question(remote, int(details["id"]), details["label_config"], preference)


def _tell_question(report: ConnectReport, config: LabelConfig, *, title: str) -> None:
    report.title, report.question, report.labels = title, config.from_name, len(config.labels)
    report.ignored, report.other_questions = config.other_controls, config.other_questions
    report.obstacles = config.obstacles


def _remember(context: Context, details: Json, overrides: dict[str, object], *, question: str) -> Workspace:
    workspace = ensure_workspace(context, int(details["id"]), created_stamp(details))
    all_overrides = {**context.settings.known_overrides(workspace.state.overrides), **overrides}
    context.settings.for_project(all_overrides)
    workspace.change(overrides=all_overrides, title=str(details["title"]))
    remember_question(workspace, question)
    return workspace


def _register(workspace: Workspace, remote: LabelStudio, *, details: Json) -> list[str]:
    changes = []
    number = workspace.label_studio_id
    wanted = _backend_fields(workspace.context.settings, workspace)
    earlier = earlier_backends(workspace.context.settings, remote, number)
    try:
        row = find_backend(workspace.context.settings, remote, number)
    except NotConnected:
        row, change = _move_or_create(workspace.context, remote, wanted, earlier)
        changes.append(change)
    if _differs(row, wanted) or row["state"] != _CONNECTED:
        remote.update_ml_backend(row["id"], **(wanted | {"title": row["title"]}))
        changes.append("ML backend updated")
    changes += _remove_earlier(workspace, remote, earlier, moved=row["id"])
    changes += _mend_webhooks(workspace.context.settings, workspace, remote)
    return changes + _set_order(workspace, remote, details)


def _set_order(workspace: Workspace, remote: LabelStudio, details: Json) -> list[str]:
    """Sets what must be so for our order to be served, and remembers how it was."""
    settings = read_queue_settings(details)
    wrong = {name: value for name, value in WANTED.items() if settings[name] != value}
    if "sampling" in wrong:
        workspace.change(sampling_before=str(settings["sampling"]))
    if "show_overlap_first" in wrong:
        workspace.change(settings_before={"show_overlap_first": settings["show_overlap_first"]})
    for name, value in wrong.items():
        remote.update_project(workspace.label_studio_id, **{name: value})
    return [_ORDER_CHANGES[name] for name in wrong]


def _move_or_create(
    context: Context, remote: LabelStudio, wanted: Json, earlier: list[Json]
) -> tuple[Json, str]:
    """Our row, and how it came: the one of an earlier address keeps the version that serves."""
    if not earlier:
        return _create_backend(context, remote, wanted), "ML backend registered"
    old = earlier[0]
    remote.update_ml_backend(old["id"], **(wanted | {"title": old["title"]}))
    found = find_backend(context.settings, remote, wanted["project"])
    return found, f"ML backend moved here from {old['url']}"


def _remove_earlier(
    workspace: Workspace, remote: LabelStudio, earlier: list[Json], *, moved: int
) -> list[str]:
    """Takes away what leads to addresses that this backend had before: each costs every submit."""
    changes = []
    for row in earlier:
        if row["id"] != moved:
            remote.delete_ml_backend(row["id"])
            changes.append(f"ML backend at {row['url']} removed")
    addresses = [str(row["url"]) for row in earlier]
    settings = workspace.context.settings
    for hook in earlier_webhooks(settings, workspace, remote, addresses=addresses):
        remote.delete_webhook(hook["id"])
        changes.append(f"webhook to {str(hook['url']).partition('?')[0]} removed")
    return changes


def _backend_fields(settings: Settings, workspace: Workspace) -> Json:
    return backend_address(settings) | {
        "project": workspace.label_studio_id,
        "title": workspace.version,
        "is_interactive": False,
        "extra_params": {EXTRA_PARAMS_KEY: workspace.state.overrides} if workspace.state.overrides else None,
    }


def _encoder_change(workspace: Workspace, before: str | None, *, named: str | None) -> list[str]:
    now = workspace.state.encoder
    if now == before:
        return []
    why = "" if named is not None else ": the texts are not English (another: connect --encoder NAME)"
    return [f"encoder set to {now!r}{why}"]


def _differs(row: Json, wanted: Json) -> bool:
    # a log-in that is not used any more stays in the row
    compared = {"extra_params", "auth_method", "basic_auth_user"} & set(wanted)
    return any((row.get(name) or None) != (wanted[name] or None) for name in compared)


def _create_backend(context: Context, remote: LabelStudio, fields: Json) -> Json:
    try:
        return remote.create_ml_backend(**fields)
    except AddressBlocked:
        # Label Studio may have kept a half-made row, which would never get its webhook.
        for row in remote.ml_backends(fields["project"]):
            if str(row["url"]).rstrip("/") == context.settings.backend_url:
                remote.delete_ml_backend(row["id"])
        raise


def _mend_webhooks(settings: Settings, workspace: Workspace, remote: LabelStudio) -> list[str]:
    hooks = our_webhooks(settings, remote, workspace.label_studio_id)
    wanted = webhook_fields(settings, workspace)
    for extra in hooks[1:]:
        remote.delete_webhook(extra["id"])
    if not hooks:
        remote.create_webhook(project=workspace.label_studio_id, **wanted)
        return ["webhook added"]
    if len(hooks) == 1 and webhook_is_right(settings, workspace, hooks[0]):
        return []
    remote.update_webhook(hooks[0]["id"], **wanted)
    return ["webhook mended"]


def _check_order(workspace: Workspace, remote: LabelStudio, *, person: int, report: ConnectReport) -> None:
    report.disturbances = find_disturbances(workspace.state.queue_settings, project=workspace.label_studio_id)
    left = window_for(workspace, person)
    report.expected = left[0] if left else None
    task = remote.next_task(workspace.label_studio_id)
    if task:
        report.served = int(task["id"])
        queue = str(task.get("queue", "")).lower()
        report.reserved, report.begun_first = "lock" in queue, _BREADTH_FIRST in queue


def _remove_predictions(remote: LabelStudio, label_studio_id: int) -> int:
    removed = 0
    for version in remote.model_versions(label_studio_id):
        if version_number(version) is not None:
            removed += remote.delete_version(label_studio_id, version)
    return removed


def _forget_connection(workspace: Workspace) -> None:
    workspace.change(connected=False, active_version=None, active_fingerprint=None)
