"""Checks every link of the chain and names, for each fault, the cure."""

from __future__ import annotations

from collections.abc import Iterator

from backend.context import Context
from backend.errors import NextlabelError
from backend.exposure import asks_for_login, is_reachable_by_others
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig, Preference, parse_label_config
from backend.label_studio.queue_settings import find_disturbances, read_queue_settings
from backend.label_studio.shown_noun import shown_words
from backend.model_store import store_fault, store_hint
from backend.workflows.connection.encoder_check import check_encoders
from backend.workflows.connection.finding import Finding, try_check
from backend.workflows.connection.required_answer import check_required
from backend.workflows.intake.empty_answers import empty_words, read_none
from backend.workflows.intake.encoder_choice import (
    MULTILINGUAL,
    SAMPLE,
    knows_english_alone,
)
from backend.workflows.intake.priority import read_priority
from backend.workflows.intake.published import window_left
from backend.workflows.intake.readable import TextGaps, find_gaps
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.project.account import read_account
from backend.workflows.project.damage import passed_over, row_damage
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.registration import (
    find_backend,
    find_row,
    our_webhooks,
    webhook_is_right,
)
from backend.workflows.project.workers import HOW_TO_START_ONE, NO_WORKER, living_workers
from backend.workflows.project.workspace import Workspace, find_workspace
from backend.workflows.serving.stored import damage
from model.encoders.language import read_language

# As Label Studio says, of an answer 429, why it has no connection.
_GUESSED_OUT = ("TOO MANY REQUESTS", "429")


def diagnose(context: Context, label_studio_id: int | None) -> list[Finding]:
    """All findings, in the order of the chain; with a project id, its connection too."""
    findings = [
        check_encoders(context, label_studio_id),
        _check_worker(context),
        _check_login(context),
        _check_store(context),
    ]
    remote = context.label_studio()
    try:
        user = try_check("Label Studio and token", lambda: _check_token(remote))
        findings.append(user)
        if user.verdict == "ok" and label_studio_id is not None:
            findings += _check_project(context, remote, label_studio_id)
    finally:
        remote.close()
    return findings


def _check_worker(context: Context) -> Finding:
    workers = living_workers(context)
    if workers:
        return Finding("worker", "ok", f"{len(workers)} alive")
    return Finding(
        "worker",
        "fault",
        NO_WORKER,
        HOW_TO_START_ONE,
    )


def _check_login(context: Context) -> Finding:
    settings = context.settings
    if asks_for_login(settings):
        return Finding("log-in", "ok", f"asked for, of {settings.basic_auth_user!r}")
    if not is_reachable_by_others(settings.host):
        return Finding("log-in", "ok", f"none, and HOST={settings.host} is this machine alone")
    return Finding(
        "log-in",
        "warning" if settings.listen_without_login else "fault",
        f"none, and others can reach HOST={settings.host}: they can read every text and press every button",
        "Set BASIC_AUTH_USER and BASIC_AUTH_PASS, then run connect for each project again.",
    )


def _check_store(context: Context) -> Finding:
    store = context.registry.store
    if fault := store_fault(context.settings, store):
        return Finding("model store", "fault", fault, store_hint(context.settings))
    return Finding("model store", "ok", f"{store.place} can be written")


def _check_token(remote: LabelStudio) -> Finding:
    user = remote.whoami()
    kind = "personal access token" if remote.token_kind == "personal" else "legacy token"
    return Finding("Label Studio and token", "ok", f"{kind} of {user.get('email', user.get('id'))} accepted")


def _check_project(context: Context, remote: LabelStudio, label_studio_id: int) -> Iterator[Finding]:
    try:
        details = remote.project(label_studio_id)
    except NextlabelError as error:
        yield Finding("project", "fault", error.message, error.hint)
        return
    workspace = find_workspace(context, label_studio_id, created_stamp(details))
    preference = _preference(context, workspace)
    yield try_check("labeling config", lambda: _check_config(details, preference))
    if workspace is None or not workspace.state.connected:
        yield Finding(
            "connection",
            "fault",
            f"project {label_studio_id} is not connected to this backend",
            f"Run: nextlabel connect {label_studio_id}",
        )
        return
    yield from _check_row(workspace)
    if workspace.state.is_pulled:
        yield _check_pull(workspace)
    else:
        yield try_check("ML backend", lambda: _check_backend(remote, workspace))
        yield try_check("webhook", lambda: _check_webhook(remote, workspace))
    yield from _check_order_settings(details)
    yield try_check("version", lambda: _check_version(remote, workspace, details))
    if config := _readable(details, preference):
        gaps = find_gaps(workspace, config)
        yield _check_texts(gaps, config)
        if config.pictures:
            yield try_check("pictures", lambda: _check_pictures(workspace))
        yield _check_answers(workspace, config)
        yield check_required(details, read_none(workspace, config))
        yield from (Finding("left empty", "ok", words) for words in empty_words(workspace, config).values())
        yield _check_window(workspace, gaps)
        yield from _check_priority(workspace)
    yield try_check("language", lambda: _check_language(workspace))
    yield _check_members(details)


def _preference(context: Context, workspace: Workspace | None) -> Preference:
    if workspace is None:
        settings = context.settings
        return Preference(questions=settings.question_names, hints=settings.hint_pairs)
    return workspace.preference


def _readable(details: Json, preference: Preference) -> LabelConfig | None:
    try:
        return parse_label_config(details["label_config"], preference)
    except NextlabelError:
        return None


def _check_config(details: Json, preference: Preference) -> Finding:
    config = parse_label_config(details["label_config"], preference)
    message = f"{len(config.labels)} labels in {config.from_name!r}, {shown_words(config)}"
    if also := config.questions[1:]:
        message += f"; answered as well: {', '.join(question.name for question in also)}"
    if config.other_controls:
        left = ", ".join(f"<{tag}>" for tag in config.other_controls)
        message += f"; {left} left to the annotator"
        if config.other_questions:
            message += f"; could be answered instead: {', '.join(config.other_questions)}"
        return Finding("labeling config", "warning", message)
    return Finding("labeling config", "ok", message)


def _check_row(workspace: Workspace) -> Iterator[Finding]:
    number = workspace.label_studio_id
    if words := row_damage(workspace):
        yield Finding("database", "fault", words, f"Run: nextlabel loop {number}")
    if lost := workspace.tasks.count_damaged():
        yield Finding(
            "database",
            "fault",
            f"what people said, or what our notes are, cannot be read of {lost:,} tasks",
            f"Run: nextlabel connect {number} (it reads every task again)",
        )
    if words := passed_over(workspace):
        yield Finding(
            "settings",
            "warning",
            words,
            f"Run: nextlabel connect {number} (it forgets them; --set NAME=VALUE gives others)",
        )


def _check_backend(remote: LabelStudio, workspace: Workspace) -> Finding:
    number = workspace.label_studio_id
    row = find_backend(workspace.context.settings, remote, number)
    others = [other for other in remote.ml_backends(number) if other["id"] < row["id"]]
    if others:
        return Finding(
            "ML backend",
            "warning",
            f"another backend was registered earlier ({others[0]['url']}): Label Studio asks that one first",
            "Remove it in the project's settings, Model.",
        )
    if row["state"] != "CO":
        why = str(row.get("error_message") or row["readable_state"])
        words = f"Label Studio cannot talk to {row['url']}: {why}"
        return Finding("ML backend", "fault", words, _cure_of_silence(why))
    return Finding("ML backend", "ok", f"registered at {row['url']}, connected")


def _cure_of_silence(why: str) -> str:
    """What to do where Label Studio says that it cannot talk to us."""
    if any(words in why.upper() for words in _GUESSED_OUT):
        return (
            "Wrong log-ins came from Label Studio's address (one for all behind a proxy that BEHIND_PROXIES "
            "does not count). Once they have ended, and a minute has gone by: nextlabel connect PROJECT"
        )
    return (
        "Is `serve` running, and is BACKEND_URL its address as Label Studio sees it? A local or private "
        "address needs USE_DEFAULT_BANNED_SUBNETS=false in Label Studio's environment."
    )


def _check_pull(workspace: Workspace) -> Finding:
    seconds = workspace.context.settings.pull_every_seconds
    return Finding(
        "connection",
        "ok",
        f"nothing is registered in Label Studio: a worker asks it every {seconds:g} s what changed",
    )


def _check_webhook(remote: LabelStudio, workspace: Workspace) -> Finding:
    settings = workspace.context.settings
    cure = f"Run: nextlabel connect {workspace.label_studio_id}"
    hooks = our_webhooks(settings, remote, workspace.label_studio_id)
    if not hooks:
        return Finding("webhook", "fault", "missing: new labels are only noticed by the timer", cure)
    if any(not webhook_is_right(settings, workspace, hook) for hook in hooks):
        return Finding("webhook", "fault", "does not carry the secret header or all events", cure)
    return Finding("webhook", "ok", "there, with its secret and all events")


def _check_order_settings(details: Json) -> Iterator[Finding]:
    found = find_disturbances(read_queue_settings(details), project=details["id"])
    if all(one.setting != "sampling" for one in found):
        yield Finding("sampling", "ok", str(details["sampling"]))
    for one in found:
        yield Finding(one.setting, one.verdict, one.words, one.cure)
    if not found:
        yield Finding("order settings", "ok", "nothing in Label Studio's settings changes the order")


def _check_language(workspace: Workspace) -> Finding:
    texts = workspace.tasks.sample_texts(SAMPLE)
    if not texts:
        return Finding("language", "ok", "no texts to read")
    if not knows_english_alone(workspace):
        return Finding("language", "ok", f"encoder {workspace.encoder.revision}")
    found = read_language(texts)
    if found.fit == "english":
        return Finding("language", "ok", "English, as the encoder expects")
    return Finding(
        "language",
        "warning",
        f"the encoder knows English alone; of {len(texts)} texts {found.not_english:.0%} of the letters and "
        f"{found.foreign:.0%} of the words are of other languages",
        f"Run: nextlabel connect {workspace.label_studio_id} --encoder {MULTILINGUAL}",
    )


def _check_version(remote: LabelStudio, workspace: Workspace, details: Json) -> Finding:
    version = workspace.state.active_version
    if version is None:
        return Finding(
            "version",
            "fault",
            "nothing published yet",
            f"Run: nextlabel loop {workspace.label_studio_id}",
        )
    if words := damage(workspace):
        return Finding("version", "fault", words, f"Run: nextlabel loop {workspace.label_studio_id}")
    strings = {"project": details["model_version"]}
    if row := find_row(workspace, remote):
        strings |= {"backend title": row["title"], "/setup": row["model_version"]}
    wrong = [f"{where} says {value!r}" for where, value in strings.items() if value != version]
    if wrong:
        return Finding(
            "version",
            "fault",
            f"mismatch, the order would be random: {version!r} is active, but {', '.join(wrong)}",
            f"Run: nextlabel loop {workspace.label_studio_id}",
        )
    return Finding("version", "ok", f"{version} in all places")


def _check_texts(gaps: TextGaps, config: LabelConfig) -> Finding:
    check = gaps.noun.check
    if gaps.tasks == 0:
        return Finding(check, "warning", "no tasks yet", "Import tasks in Label Studio.")
    if not gaps.sentences:
        fields = ", ".join(config.text_fields)
        return Finding(check, "ok", f"all {gaps.tasks:,} tasks have {gaps.noun.given} in {fields}")
    return Finding(
        check,
        "fault" if gaps.is_unreadable else "warning",
        "; ".join(gaps.sentences),
        "Such tasks are never in the order. Compare the labeling config with the data of the tasks.",
    )


def _check_pictures(workspace: Workspace) -> Finding:
    unread = unread_pictures(workspace)
    if not unread.count:
        encoder = workspace.context.encoders.images.revision
        return Finding("pictures", "ok", f"all that were tried could be read; encoder {encoder}")
    return Finding(
        "pictures",
        "warning",
        unread.words,
        unread.outlook,
    )


def _check_answers(workspace: Workspace, config: LabelConfig) -> Finding:
    account = read_account(workspace)
    if account.is_well:
        return Finding("answers", "ok", account.words)
    cure = account.cure
    names = [*(question.name for question in config.questions[1:]), *config.other_questions]
    if account.reasons["another question"] and names:
        order = ",".join([*names, config.from_name])
        cure += (
            " To make another question the main one, name it first: "
            f"nextlabel connect {workspace.label_studio_id} --set questions={order}"
        )
    return Finding("answers", "warning", account.words, cure)


def _check_window(workspace: Workspace, gaps: TextGaps) -> Finding:
    left = len(window_left(workspace))
    if left:
        return Finding("window", "ok", f"{left} tasks wait in order")
    if gaps.tasks == 0:
        return Finding("window", "warning", "empty: there are no tasks yet", "Import tasks in Label Studio.")
    if gaps.is_unreadable:
        return Finding(
            "window",
            "fault",
            f"empty: no task has a {gaps.noun.one}",
            f"See the check of the {gaps.noun.check}.",
        )
    if unread_pictures(workspace).count:
        return Finding(
            "window",
            "warning",
            "empty: everything whose picture can be read is labelled, or the worker has not caught up",
            f"See the check of the pictures, or run: nextlabel loop {workspace.label_studio_id}",
        )
    return Finding(
        "window",
        "warning",
        "empty: everything is labelled, or the worker has not caught up",
        f"Run: nextlabel loop {workspace.label_studio_id}",
    )


def _check_priority(workspace: Workspace) -> Iterator[Finding]:
    wishes = read_priority(workspace)
    if not wishes.sentences:
        return
    words = "; ".join(wishes.sentences)
    if wishes.is_heard:
        yield Finding("priority", "ok", words)
        return
    yield Finding(
        "priority",
        "warning",
        words,
        "Compare PRIORITY_FIELD and QUOTAS with the data of the tasks; edits of these data are noticed by: "
        f"nextlabel connect {workspace.label_studio_id}",
    )


def _check_members(details: Json) -> Finding:
    members = details.get("members")
    if members is None:
        return Finding("members", "ok", "this edition lists no project members: the order is exact")
    count = len(members)
    if count < 2:
        return Finding("members", "ok", "at most one project member: the order is exact")
    return Finding(
        "members",
        "warning",
        f"{count} project members: Label Studio picks at random among the first {count + 1} tasks",
        "This is harmless; the window still comes first.",
    )
