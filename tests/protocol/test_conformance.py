"""As lenient as the server of the label-studio-ml library, which other tools are written against."""

import pytest

from tests.answers import assert_predictions

CHOICES = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="label" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def test_health_names_the_class_and_says_up(client):
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json == {"model_class": "NextlabelModel", "status": "UP"}


def test_metrics_answer(client):
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"nextlabel_workers" in response.data


def test_predict_takes_one_task_without_a_list_and_a_config_without_tags(client):
    body = {"tasks": {"data": {"text": "x"}}, "label_config": "<View></View>", "project": None}
    (prediction,) = assert_predictions(client.post("/predict", json=body), 1, "<View></View>")
    assert prediction["result"] == []


@pytest.mark.parametrize("config", [None, "", "  "])
def test_predict_answers_without_a_config(config, client):
    body = {"tasks": [{"id": 1, "data": {"text": "x"}}], "label_config": config}
    (prediction,) = assert_predictions(client.post("/predict", json=body), 1, "<View></View>")
    assert prediction["result"] == []


def test_predict_without_a_project_guesses_from_the_label_names(client):
    body = {"tasks": [{"id": 1, "data": {"text": "good"}}], "label_config": CHOICES}
    (prediction,) = assert_predictions(client.post("/predict", json=body), 1, CHOICES)
    assert prediction["result"][0]["value"] == {"choices": ["good"]}


def test_predict_takes_no_tasks(client):
    assert_predictions(client.post("/predict", json={"tasks": [], "label_config": CHOICES}), 0, CHOICES)


def test_predict_does_not_mind_unknown_fields_and_params(client):
    body = {"tasks": [{"data": {"text": "x"}}], "label_config": CHOICES, "params": {"context": {}}, "more": 1}
    assert_predictions(client.post("/predict", json=body), 1, CHOICES)


def test_predict_does_not_need_a_content_type(client):
    response = client.post("/predict", data='{"tasks": [{"data": {"text": "x"}}]}')
    assert_predictions(response, 1, "<View></View>")


@pytest.mark.parametrize(
    "body",
    [
        {"schema": CHOICES, "project": ""},
        {"schema": CHOICES},
        {"schema": "<View></View>", "project": "3.1700000000", "extra_params": ""},
        {"project": "3.1700000000", "extra_params": {"other-tool": {"x": 1}}},
    ],
)
def test_setup_answers_with_a_version(body, client):
    response = client.post("/setup", json=body)
    assert response.status_code == 200
    assert isinstance(response.json["model_version"], str)


@pytest.mark.parametrize(
    "body",
    [
        {"action": "ANNOTATION_CREATED"},
        {"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": None},
        {"action": "ANNOTATION_CREATED", "project": {}},
        {"action": "ANNOTATION_CREATED", "project": "3"},
        {"action": "SOMETHING_NEW"},
        {"action": ""},
    ],
)
def test_a_webhook_without_a_project_is_taken_politely(body, client):
    response = client.post("/webhook", json=body)
    assert (response.status_code, response.json) == (201, {"status": "ignored"})


def test_an_event_of_a_later_label_studio_is_ignored(client, set_up, context):
    set_up("3.1700000000")
    context.jobs.enqueued.clear()
    response = client.post("/webhook?project=3.1700000000", json={"action": "SOMETHING_NEW"})
    assert (response.status_code, response.json) == (201, {"status": "ignored"})
    assert context.jobs.enqueued == []
