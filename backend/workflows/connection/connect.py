"""Connects a project in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from backend.context import Context
from backend.errors import NextlabelError, NotConnected
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig, Preference
from backend.label_studio.label_hints import require_known
from backend.label_studio.queue_settings import find_disturbances
from backend.task_types import is_single_choice
from backend.workflows.connection.connect_report import ConnectReport
from backend.workflows.connection.register import register
from backend.workflows.connection.required_answer import require_main_answer, why_free
from backend.workflows.connection.shown import add_link, show_line, shows_line
from backend.workflows.intake.empty_answers import empty_words, read_none
from backend.workflows.intake.published import window_for
from backend.workflows.intake.question import remember_question, settle_question
from backend.workflows.intake.readable import find_gaps
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.loop import run_loop, tidy
from backend.workflows.project.hints import is_due, wake
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.registration import EXTRA_PARAMS_KEY, find_backend
from backend.workflows.project.workspace import Workspace, ensure_workspace, find_workspace

# The queue of Label Studio that comes before every sampling where a task needs several answers.
_BREADTH_FIRST = "breadth first"


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """What an admin asks of a connection.

    `overrides` are settings of this project alone. `explain` adds a line to the labeling config that shows
    annotators why a task comes and how sure its pre-annotation is. It, for one choice, and `require` make an
    answer to our question required, so that nobody submits an empty one; not where an empty one says
    something. `link` adds the dashboard's address to the project's description. `encoder` names the
    project's own; without one, texts that are clearly not English get the multilingual one. `pull` registers
    nothing in Label Studio and lets a worker ask it what changed; None leaves that as it was. `by` is the
    person whose act it is; empty, nobody's.
    """

    overrides: Mapping[str, object] = field(default_factory=dict)
    explain: bool = False
    require: bool = False
    link: bool = False
    encoder: str | None = None
    pull: bool | None = None
    by: str = ""


def connect(
    context: Context,
    label_studio_id: int,
    options: ConnectOptions = ConnectOptions(),  # noqa: B008 (it never changes)
    *,
    progress: Progress,
) -> ConnectReport:
    """Registers the backend, runs the first loop and checks the order. Safe to run again.

    Raises EncoderUnavailable when the encoder that is asked for cannot be loaded.
    """
    if options.encoder is not None:
        context.encoders.named(options.encoder).get()
    address = context.settings.dashboard_link(label_studio_id)
    report = ConnectReport(project=label_studio_id, dashboard=address)
    with closing(context.label_studio()) as remote:
        progress.stage("checking the token")
        user = remote.whoami()
        report.user, report.token = _user_name(user), remote.token_kind
        details = remote.project(label_studio_id)
        known = find_workspace(context, label_studio_id, created_stamp(details))
        workspace, config = _settle(context, remote, details, options.overrides)
        if options.by:
            workspace.decisions.add("connected", {"settings": sorted(options.overrides)}, by=options.by)
        _tell_question(report, config, title=str(details["title"]))
        report.changes += _change_config(workspace, remote, config, options)
        report.not_required = why_free(read_none(workspace, config).questions[0]) if options.require else ""
        is_first = workspace.state.active_version is None
        report.could_explain = is_first and not shows_line(workspace, remote)
        with lease(workspace, wait_s=PEOPLE_WAIT_S, progress=progress):
            progress.stage("registering the backend")
            if options.pull is not None:
                workspace.change(is_pulled=options.pull)
            report.is_pulled = workspace.state.is_pulled
            with _connected_only_if_registered(workspace, known):
                report.changes += register(workspace, remote, details=details)
            report.changes += _first_loop(workspace, report, encoder=options.encoder, progress=progress)
        if is_due(workspace):  # a worker that looked meanwhile found the project held
            wake(workspace)
        tidy(workspace)
        report.left_empty = tuple(empty_words(workspace, config).values())
        report.gaps = find_gaps(workspace, config)
        progress.stage("asking for the next task")
        _check_order(workspace, remote, person=int(user["id"]), report=report)
    return report


@contextmanager
def _connected_only_if_registered(workspace: Workspace, known: Workspace | None) -> Iterator[None]:
    """A new project that could not be registered is left to nobody: the clock would fail on it for ever."""
    try:
        yield
    except NextlabelError:
        workspace.change(connected=known is not None and known.state.connected)
        raise


def _settle(
    context: Context, remote: LabelStudio, details: Json, overrides: Mapping[str, object]
) -> tuple[Workspace, LabelConfig]:
    """The project with its settings, and the question that is answered in it."""
    changed = _stored_overrides(context, remote, int(details["id"])) | dict(overrides)
    config = _read_config(context, remote, details, changed)
    if "label_hints" in overrides:
        require_known(config.questions, dict(context.settings.for_project(changed).hint_pairs))
    return _remember(context, details, changed, question=config.from_name), config


def _change_config(
    workspace: Workspace, remote: LabelStudio, config: LabelConfig, options: ConnectOptions
) -> list[str]:
    changes = []
    if options.explain:
        changes += show_line(workspace, remote)
    # of several choices none may be the answer: only who asks for it makes one required
    if options.require or (options.explain and is_single_choice(config)):
        changes += require_main_answer(workspace, remote, read_none(workspace, config))
    if options.link:
        changes += add_link(workspace, remote)
    return changes


def _first_loop(
    workspace: Workspace, report: ConnectReport, *, encoder: str | None, progress: Progress
) -> list[str]:
    # bulk edits of task data announce nothing: whoever connects wants all of it read
    workspace.change(synced_until=None)
    before = workspace.state.encoder
    if encoder is not None:
        workspace.change(encoder=encoder)
    report.loop = run_loop(workspace, reason="connect", progress=progress)
    return _encoder_change(workspace, before, named=encoder)


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
    preference = Preference(questions=settings.question_names, hints=settings.hint_pairs)
    return settle_question(remote, int(details["id"]), details["label_config"], preference)


def _tell_question(report: ConnectReport, config: LabelConfig, *, title: str) -> None:
    report.title, report.questions = title, config.questions
    report.ignored, report.other_questions = config.other_controls, config.other_questions
    report.obstacles = config.obstacles


def _remember(context: Context, details: Json, overrides: dict[str, object], *, question: str) -> Workspace:
    workspace = ensure_workspace(context, int(details["id"]), created_stamp(details))
    all_overrides = {**context.settings.known_overrides(workspace.state.overrides), **overrides}
    context.settings.for_project(all_overrides)
    workspace.change(overrides=all_overrides, title=str(details["title"]))
    remember_question(workspace, question)
    return workspace


def _encoder_change(workspace: Workspace, before: str | None, *, named: str | None) -> list[str]:
    now = workspace.state.encoder
    if now == before:
        return []
    why = "" if named is not None else ": the texts are not English (another: connect --encoder NAME)"
    return [f"encoder set to {now!r}{why}"]


def _check_order(workspace: Workspace, remote: LabelStudio, *, person: int, report: ConnectReport) -> None:
    report.disturbances = find_disturbances(workspace.state.queue_settings, project=workspace.label_studio_id)
    left = window_for(workspace, person)
    report.expected = left[0] if left else None
    unread = unread_pictures(workspace)
    if unread.count:
        report.unread_pictures, report.pictures_outlook = unread.words, unread.outlook
    task = remote.next_task(workspace.label_studio_id)
    if task:
        report.served = int(task["id"])
        queue = str(task.get("queue", "")).lower()
        report.reserved, report.begun_first = "lock" in queue, _BREADTH_FIRST in queue
