"""The answers to what a real Label Studio sent, request by request."""

import time

import pytest
from sqlalchemy import select

from backend.database import Hint
from backend.workflows.project.workspace import FIRST_VERSION, open_workspace
from tests.answers import assert_error, assert_predictions
from tests.protocol.conftest import PAYLOADS, RECORDED

HOOKS = "33.1795499900"  # the project of the recorded webhooks
OPENED = "2.1795499256"  # the project of the recorded predictions and of "Start training"
LABELS = {
    "webhook_ANNOTATION_CREATED",
    "webhook_ANNOTATION_CREATED_skip",
    "webhook_ANNOTATION_UPDATED",
    "webhook_ANNOTATIONS_DELETED",
    "webhook_without_payload",
}
LOOPS = {
    "webhook_TASKS_CREATED": "tasks",
    "webhook_TASKS_DELETED": "tasks",
    "webhook_PROJECT_UPDATED": "config",
    "webhook_START_TRAINING": "training",
}
WEBHOOKS = [name for name in RECORDED if name.startswith("webhook")]


def hints(context):
    with context.database.session() as session:
        return list(session.scalars(select(Hint.kind).where(Hint.kind != "setup")))


def test_every_recorded_webhook_is_tested_here():
    assert set(WEBHOOKS) == LABELS | set(LOOPS)


def test_no_recorded_request_carries_a_secret():
    for path in PAYLOADS.glob("*.json"):
        for line in path.read_text().splitlines():
            assert "token" not in line or '"redacted"' in line


def test_health_is_exactly_what_the_library_answers(replay):
    response = replay("health")
    assert response.status_code == 200
    assert response.json == {"model_class": "NextlabelModel", "status": "UP"}


def test_the_root_answers_like_health(client):
    assert client.get("/").json == client.get("/health").json


def test_setup_names_the_version_as_a_string(replay):
    response = replay("setup")
    assert (response.status_code, response.json) == (200, {"model_version": FIRST_VERSION})


def test_the_first_setup_of_a_project_asks_for_a_loop_and_the_second_does_not(replay, context):
    replay("setup")
    replay("setup")
    assert context.jobs.enqueued == [open_workspace(context, 1).id]


def test_setup_keeps_no_access_token(replay, settings, recorded):
    replay("setup")
    token = recorded("setup")["body"]["access_token"].encode()
    stored = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert stored
    assert all(token not in path.read_bytes() for path in stored)


def test_versions_lists_what_there_is(replay, connected):
    assert replay("versions").json == {"versions": ["nl-000001-label-names"]}


def test_versions_is_an_empty_list_at_first(replay):
    assert replay("versions").json == {"versions": []}


@pytest.mark.parametrize("name", [name for name in RECORDED if name.startswith("predict")])
def test_predictions_fit_what_was_asked(name, replay, recorded, set_up):
    version = set_up(OPENED, extra_params={"nextlabel": {"preannotate_floor": 0.0}})
    body = recorded(name)["body"]
    results = assert_predictions(replay(name), len(body["tasks"]), body["label_config"])
    assert {prediction["model_version"] for prediction in results} == {version}
    assert all(prediction["result"] for prediction in results)
    assert all(prediction["score"] >= 0.5 for prediction in results)


def test_predictions_for_a_project_nobody_set_up_are_refused_with_the_cure(replay):
    error = assert_error(replay("predict_task_opened"), 404, "not-found")
    assert "/setup" in error["hint"]


@pytest.mark.parametrize("name", WEBHOOKS)
def test_every_webhook_is_taken_as_a_hint(name, replay, set_up, context):
    set_up(OPENED if name == "webhook_START_TRAINING" else HOOKS)
    response = replay(name)
    assert (response.status_code, response.json) == (201, {"status": "taken"})
    assert hints(context) == [LOOPS.get(name, "labels")]


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_of_an_unknown_project_is_refused_with_the_cure(name, replay):
    error = assert_error(replay(name), 404, "not-found")
    assert "nextlabel connect" in error["hint"]


def test_a_webhook_is_remembered_as_a_sign_of_life(replay, set_up, context):
    set_up(HOOKS)
    before = time.time()
    replay("webhook_ANNOTATION_CREATED")
    assert before <= open_workspace(context, 33).state.last_webhook_at <= time.time()


def test_the_old_way_to_start_training_does_the_same(client, recorded, set_up, context):
    set_up(OPENED)
    response = client.post("/train", json=recorded("webhook_START_TRAINING")["body"])
    assert response.status_code == 201
    assert hints(context) == ["training"]


def test_a_job_is_never_said_to_run(client):
    response = client.post("/job_status", json={"job": "x"})
    assert (response.status_code, response.json["job_status"]) == (200, "unknown")


def test_a_config_that_is_known_already_starts_no_loop(client, recorded, set_up, context, label_studio):
    body = recorded("webhook_PROJECT_UPDATED")["body"]
    set_up(HOOKS)
    open_workspace(context, 33).change(label_config=body["project"]["label_config"])
    assert client.post("/webhook", json=body).json == {"status": "ignored"}
    assert hints(context) == []
