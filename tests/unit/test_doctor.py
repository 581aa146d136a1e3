"""The doctor: for every fault its name and its cure, and nothing but good news when all is well."""

import time
from dataclasses import replace

import httpx
import pytest
from flask import Flask

from backend.context import Encoders
from backend.database import Project, Worker
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from tests.conftest import BACKEND_URL
from tests.fake_label_studio import LEGACY_TOKEN

CHECKS = [
    "encoder",
    "worker",
    "log-in",
    "model store",
    "Label Studio and token",
    "labeling config",
    "ML backend",
    "webhook",
    "sampling",
    "order settings",
    "version",
    "texts",
    "answers",
    "empty answers",
    "window",
    "language",
    "members",
]


@pytest.fixture
def healthy(connected):
    """A connected project with everything in order, a living worker included."""
    with connected.context.database.session() as session:
        session.add(Worker(name="host/1", seen_at=time.time()))
    return connected


def findings(workbench, context=None):
    return {
        finding.check: finding for finding in diagnose(context or workbench.context, workbench.project_id)
    }


def test_when_all_is_well_every_check_says_so(healthy):
    found = findings(healthy)
    assert list(found) == CHECKS
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert {finding.cure for finding in found.values()} == {""}
    assert "legacy token of admin@example.com" in found["Label Studio and token"].message
    assert "2 labels in 'topic', text from text" in found["labeling config"].message
    assert healthy.version in found["version"].message


def test_without_a_project_the_connection_is_not_looked_at(healthy):
    assert [finding.check for finding in diagnose(healthy.context, None)] == CHECKS[:5]


def test_looking_changes_nothing(healthy, label_studio):
    label_studio.calls.clear()
    findings(healthy)
    assert label_studio.writes == []


def stop_worker(healthy):
    with healthy.context.database.session() as session:
        session.get_one(Worker, "host/1").seen_at = 0.0


def go_away(healthy):
    def gone(request):
        raise httpx.ConnectError("gone", request=request)

    healthy.label_studio.before_answering.append(gone)


def forget_version(healthy):
    with healthy.context.database.session() as session:
        session.get_one(Project, healthy.project.id).active_version = None


def add_earlier_backend(healthy):
    healthy.label_studio.backends[0] = healthy.backend | {"id": 0, "url": "http://other.test"}


def answer_with_an_error(healthy):
    healthy.backend["extra_params"] = {"nextlabel": "queue_window=5"}


def shut_label_studio_out(healthy):
    app = Flask("shut out")
    app.add_url_rule("/health", "health", view_func=lambda: {"status": "UP"})
    app.add_url_rule("/setup", "setup", view_func=lambda: ({}, 429), methods=["POST"])
    healthy.label_studio.serve(BACKEND_URL, app.test_client())


def label_everything(healthy):
    for task_id in list(healthy.tasks):
        healthy.label_studio.annotate(task_id, "cats")
    healthy.loop()


def remove_all_tasks(healthy):
    healthy.label_studio.delete_tasks(list(healthy.tasks))
    healthy.loop()


def blank(count):
    def change(healthy):
        for task_id in list(healthy.tasks)[:count]:
            healthy.label_studio.edit_task(task_id, {"text": " \n"})
        healthy.loop()

    return change


def answer_another_question(healthy):
    healthy.label_studio.change_project(healthy.project_id, label_config=TWO_QUESTIONS)
    for task_id in list(healthy.tasks)[:12]:
        healthy.label_studio.answer(task_id, tone="calm")
    for task_id in list(healthy.tasks)[12:14]:
        healthy.label_studio.answer(task_id, topic="cats")
    healthy.loop()


def answer_nothing(healthy):
    for task_id in list(healthy.tasks)[:3]:
        healthy.label_studio.annotate(task_id, None)
    healthy.loop()


def change_project(**fields):
    return lambda healthy: healthy.label_studio.change_project(healthy.project_id, **fields)


def change_webhook(**fields):
    return lambda healthy: healthy.webhooks[0].update(fields)


WITH_MORE = (
    '<View><Text name="text" value="$text"/><TextArea name="why" toName="text"/>'
    '<Choices name="topic" toName="text"><Choice value="cats"/><Choice value="dogs"/></Choices></View>'
)
TWO_QUESTIONS = WITH_MORE.replace(
    '<TextArea name="why" toName="text"/>',
    '<Choices name="tone" toName="text"><Choice value="calm"/><Choice value="angry"/></Choices>',
)
CONNECT = "nextlabel connect 1"
LOOP = "nextlabel loop 1"
NETWORK = "USE_DEFAULT_BANNED_SUBNETS=false"
FAULTS = {
    "no worker": (stop_worker, "worker", "fault", "no worker is alive", "nextlabel start"),
    "label studio is away": (
        go_away,
        "Label Studio and token",
        "fault",
        "Nobody answers at http://label-studio.test",
        "LABEL_STUDIO_URL",
    ),
    "legacy tokens switched off": (
        lambda healthy: setattr(healthy.label_studio, "legacy_tokens_enabled", False),
        "Label Studio and token",
        "fault",
        "refuses the legacy token",
        "Use a personal access token",
    ),
    "deleted project": (
        lambda healthy: healthy.label_studio.delete_project(healthy.project_id),
        "project",
        "fault",
        "no project 1",
        "Make a project in Label Studio first",
    ),
    "config that cannot be learned": (
        change_project(label_config='<View><Image name="i" value="$i"/></View>'),
        "labeling config",
        "fault",
        "no tag of it asks a question",
        "one or several choices among fixed labels",
    ),
    "config with more controls": (
        change_project(label_config=WITH_MORE),
        "labeling config",
        "warning",
        "<TextArea> left to the annotator",
        "",
    ),
    "backend removed": (
        lambda healthy: healthy.label_studio.backends.clear(),
        "ML backend",
        "fault",
        f"no ML backend at {BACKEND_URL}",
        CONNECT,
    ),
    "another backend first": (
        add_earlier_backend,
        "ML backend",
        "warning",
        "http://other.test",
        "Remove it",
    ),
    "backend down or blocked": (
        lambda healthy: healthy.label_studio.serve(BACKEND_URL, None),
        "ML backend",
        "fault",
        "cannot talk to",
        NETWORK,
    ),
    "backend answers with an error": (answer_with_an_error, "ML backend", "fault", "400", "BACKEND_URL"),
    "wrong log-ins from its address": (shut_label_studio_out, "ML backend", "fault", "429", "Wrong log-ins"),
    "no webhook": (
        lambda healthy: healthy.label_studio.webhooks.clear(),
        "webhook",
        "fault",
        "missing",
        CONNECT,
    ),
    "webhook without the secret": (
        change_webhook(headers={}),
        "webhook",
        "fault",
        "secret header",
        CONNECT,
    ),
    "webhook without all events": (change_webhook(actions=[]), "webhook", "fault", "all events", CONNECT),
    "webhook switched off": (change_webhook(is_active=False), "webhook", "fault", "does not", CONNECT),
    "sampling changed": (
        change_project(sampling="Sequential sampling"),
        "sampling",
        "fault",
        "Label Studio ignores the order",
        CONNECT,
    ),
    "title changed": (
        lambda healthy: healthy.backend.update(title="renamed"),
        "version",
        "fault",
        "backend title says 'renamed'",
        LOOP,
    ),
    "version of the project changed": (
        change_project(model_version=""),
        "version",
        "fault",
        "the order would be random: 'nl-000001-label-names' is active, but project says ''",
        LOOP,
    ),
    "nothing published": (forget_version, "version", "fault", "nothing published yet", LOOP),
    "window empty": (label_everything, "window", "warning", "empty: everything is labelled", LOOP),
    "no tasks": (
        remove_all_tasks,
        "window",
        "warning",
        "empty: there are no tasks yet",
        "Import tasks",
    ),
    "no tasks to read": (remove_all_tasks, "texts", "warning", "no tasks yet", "Import tasks"),
    "some tasks without a text": (
        blank(3),
        "texts",
        "warning",
        "3 of 40 tasks have no text in field text",
        "Compare the labeling config",
    ),
    "all tasks without a text": (
        blank(40),
        "texts",
        "fault",
        "40 of 40 tasks have no text in field text",
        "Compare the labeling config",
    ),
    "nothing in the window for want of text": (blank(40), "window", "fault", "no task has a text", "texts"),
    "answers to other questions": (
        answer_another_question,
        "answers",
        "warning",
        "the main question can learn from 2 of 14 answered tasks: 12 with answers to other questions alone",
        "name it first: nextlabel connect 1 --set questions=tone,topic",
    ),
    "empty answers": (
        answer_nothing,
        "answers",
        "warning",
        "0 of 3 answered tasks can be learned from: 3 empty",
        "connect PROJECT --require",
    ),
    "project members": (
        lambda healthy: healthy.remote.update(members=[1, 2, 3]),
        "members",
        "warning",
        "3 project members",
        "harmless",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_named_with_its_cure(fault, healthy):
    break_it, check, verdict, message, cure = FAULTS[fault]
    break_it(healthy)
    found = findings(healthy)
    finding = found[check]
    assert finding.verdict == verdict
    assert message in finding.message
    assert cure in finding.cure
    assert bool(finding.cure) == bool(cure)
    assert all(LEGACY_TOKEN not in str(each.to_json()) for each in found.values())


@pytest.mark.parametrize("fault", ["sampling changed", "no webhook", "webhook without the secret"])
def test_connect_cures_what_it_is_said_to_cure(fault, healthy):
    FAULTS[fault][0](healthy)
    healthy.connect()
    assert {finding.verdict for finding in findings(healthy).values()} == {"ok"}


@pytest.mark.parametrize("fault", ["title changed", "version of the project changed", "nothing published"])
def test_a_loop_cures_what_it_is_said_to_cure(fault, healthy):
    FAULTS[fault][0](healthy)
    healthy.loop()
    assert {finding.verdict for finding in findings(healthy).values()} == {"ok"}


def test_a_missing_encoder_is_named(healthy):
    def fail():
        raise OSError("no such folder")

    context = replace(healthy.context, encoders=Encoders(lambda name: fail(), default=""))
    finding = findings(healthy, context)["encoder"]
    assert finding.verdict == "fault"
    assert "no such folder" in finding.message and "make setup" in finding.cure


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"host": "0.0.0.0"}, "fault"),
        ({"host": "0.0.0.0", "basic_auth_user": "admin"}, "fault"),
        ({"host": "0.0.0.0", "listen_without_login": True}, "warning"),
        ({"host": "0.0.0.0", "basic_auth_user": "admin", "basic_auth_pass": "a-password"}, "ok"),
        ({}, "ok"),
    ],
)
def test_a_backend_that_asks_strangers_for_nothing_is_named(given, verdict, make_context, make_settings):
    found = {one.check: one for one in diagnose(make_context(make_settings(**given)), None)}["log-in"]
    assert found.verdict == verdict
    assert ("BASIC_AUTH_PASS" in found.cure) == (verdict != "ok")
    assert "a-password" not in found.message


def test_a_project_that_is_not_connected_is_named(workbench):
    finding = findings(workbench)["connection"]
    assert (finding.verdict, finding.cure) == ("fault", f"Run: {CONNECT}")


def test_a_disconnected_project_is_not_called_healthy(healthy):
    disconnect(healthy.workspace)
    assert {finding.verdict for finding in findings(healthy).values()} > {"ok"}


@pytest.mark.parametrize(("token", "message"), [("", "is not set"), ("0" * 40, "refuses the legacy token")])
def test_a_token_that_will_not_do_is_named(token, message, make_context, make_settings, label_studio):
    context = make_context(make_settings(label_studio_api_key=token))
    finding = diagnose(context, 1)[-1]
    assert (finding.check, finding.verdict) == ("Label Studio and token", "fault")
    assert message in finding.message and finding.cure
