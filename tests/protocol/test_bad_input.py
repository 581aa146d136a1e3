"""Bad input: a 4xx in our one error shape, never a traceback, never a 5xx."""

import json
from urllib.parse import urlencode

import pytest

from tests.answers import assert_error, form_token

KNOWN = "7.1700000000"
NEW_YEAR = "2026-01-01T00:00:00Z"
POSTS = ["/setup", "/predict", "/webhook", "/train"]
NO_OBJECTS = [
    b"",
    b"{",
    b"not json",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"[1]",
    b'[{"action": "START_TRAINING"}]',
    b"\xff\xfe",
    b"{" * 200_000,
    b"1" * 10_000,
    b'{"a": 1} more',
]
WRONG_BODIES = [
    ("/setup", {"project": "7"}, "bad-request"),
    ("/setup", {"project": "seven.1700000000"}, "bad-request"),
    ("/setup", {"project": "7.1700000000.5"}, "bad-request"),
    ("/setup", {"project": "-7.1700000000"}, "bad-request"),
    ("/setup", {"project": f"{10**30}.1700000000"}, "bad-request"),
    ("/setup", {"project": f"7.{10**30}"}, "bad-request"),
    ("/setup", {"project": f"{2**31}.1700000000"}, "bad-request"),
    ("/setup", {"project": "7" * 5000 + ".1"}, "bad-request"),
    ("/setup", {"project": "٧.١٧"}, "bad-request"),
    ("/setup", {"project": ["7.1700000000"]}, "bad-request"),
    ("/setup", {"project": {"id": 7}}, "bad-request"),
    ("/setup", {"project": True}, "bad-request"),
    ("/setup", {"project": KNOWN, "extra_params": {"nextlabel": "queue_window=5"}}, "bad-request"),
    ("/setup", {"project": KNOWN, "extra_params": {"nextlabel": [1]}}, "bad-request"),
    ("/predict", {}, "bad-request"),
    ("/predict", {"tasks": None}, "bad-request"),
    ("/predict", {"tasks": "text"}, "bad-request"),
    ("/predict", {"tasks": 7}, "bad-request"),
    ("/predict", {"tasks": [1, 2]}, "bad-request"),
    ("/predict", {"tasks": [[{}]]}, "bad-request"),
    ("/predict", {"tasks": [{}, None]}, "bad-request"),
    ("/predict", {"tasks": [{}], "label_config": 7}, "bad-request"),
    ("/predict", {"tasks": [{}], "label_config": ["<View/>"]}, "bad-request"),
    ("/predict", {"tasks": [{}], "label_config": "<View>"}, "bad-request"),
    ("/predict", {"tasks": [{}], "label_config": "text"}, "bad-request"),
    ("/predict", {"tasks": [{}], "project": "7"}, "bad-request"),
    ("/predict", {"tasks": [{}], "project": 7}, "bad-request"),
    ("/predict", {"tasks": [{}], "project": {"id": 7}}, "bad-request"),
    ("/predict", {"tasks": [{}], "project": "8.1700000000"}, "not-found"),
    ("/predict", {"tasks": [], "project": "7.1700000001"}, "not-found"),
    ("/webhook", {}, "bad-request"),
    ("/webhook", {"action": None}, "bad-request"),
    ("/webhook", {"action": 7}, "bad-request"),
    ("/webhook", {"action": ["START_TRAINING"]}, "bad-request"),
    ("/webhook", {"action": "X", "project": {"id": 7}}, "bad-request"),
    ("/webhook", {"action": "X", "project": {"id": 7, "created_at": None}}, "bad-request"),
    ("/webhook", {"action": "X", "project": {"id": 7, "created_at": 7}}, "bad-request"),
    ("/webhook", {"action": "X", "project": {"id": 7, "created_at": "yesterday"}}, "bad-request"),
    ("/webhook", {"action": "X", "project": {"id": 7, "created_at": "0001-01-01T00:00:00"}}, None),
    ("/webhook", {"action": "X", "project": {"id": 8, "created_at": NEW_YEAR}}, "not-found"),
    ("/webhook", {"action": "X", "project": {"id": -8, "created_at": NEW_YEAR}}, "not-found"),
    ("/webhook", {"action": "X", "project": {"id": 10**30, "created_at": NEW_YEAR}}, "not-found"),
    ("/webhook?project=", {}, "bad-request"),
    ("/webhook?project=7", {"action": "X"}, "bad-request"),
    ("/webhook?project=x.y", {"action": "X"}, "bad-request"),
    ("/webhook?project=8.1700000000", {"action": "X"}, "not-found"),
    ("/webhook?project=7.1700000001", {"action": "X"}, "not-found"),
    ("/train?project=8.1700000000", {}, "not-found"),
    ("/projects/8/retrain", {}, "not-found"),
    (f"/projects/{10**30}/retrain", {}, "not-found"),
]  # fmt: skip

ODD_TEXTS = ["\x00", "\ud800", "9" * 5000, str(2**63), "-1", "1e3", "٧", "a" * 5000]
ODD_FIELDS = [
    ("add-class", "group", {"name": "x"}),
    ("add-class", "name", {"group": "1"}),
    ("reject-group", "group", {}),
    ("rollback", "version", {}),
    ("labels/preview", "label", {"kind": "rename", "new": "x"}),
    ("labels/preview", "question", {"kind": "rename", "label": "cats", "new": "x"}),
    ("labels/preview", "new", {"kind": "rename", "label": "cats"}),
    ("skips/answer", "group", {"answer": "class"}),
    ("skips/answer", "answer", {"group": "1"}),
    ("skips/reopen", "group", {}),
    ("search", "task", {}),
    ("search", "sentence", {}),
    ("search", "count", {"sentence": "cats"}),
    ("tabs", "tasks", {}),
    ("tabs", "title", {"tasks": "1"}),
    ("ask-next", "tasks", {}),
]


@pytest.fixture
def known_project(set_up):
    set_up(KNOWN)


@pytest.mark.parametrize("body", NO_OBJECTS, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("path", POSTS)
def test_what_is_no_json_object_is_refused(path, body, client):
    error = assert_error(client.post(path, data=body), 400, "bad-request")
    assert "not a JSON object" in error["message"] and error["hint"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/setup", "", ""),
        ("/setup", '{"project": ', "}"),
        ("/setup", '{"project": "7.1700000000", "extra_params": {"nextlabel": {"strategy": ', "}}}"),
        ("/predict", "", ""),
        ("/predict", '{"tasks": [{"id": ', "}]}"),
        ("/predict", '{"tasks": ', "}"),
        ("/predict", '{"tasks": [{}], "project": ', "}"),
        ("/webhook", '{"action": ', "}"),
        ("/webhook", '{"action": "X", "project": {"id": 7, "created_at": ', "}}"),
    ],
)
def test_json_nested_without_end_is_no_fault_of_ours(path, before, after, client, known_project):
    for depth in (500, 700, 800, 850, 900, 950, 1000, 10_000, 200_000):
        response = client.post(path, data=before + "[" * depth + "]" * depth + after)
        if response.status_code >= 300:
            assert_error(response, 400, "bad-request")


@pytest.mark.parametrize(("path", "body", "code"), WRONG_BODIES, ids=lambda value: str(value)[:60])
def test_wrong_fields_are_refused_and_named(path, body, code, client, known_project):
    status = {"not-found": 404, "bad-request": 400}.get(code)
    response = client.post(path, json=body)
    assert_error(response, status or response.status_code, code)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("path", ["/projects/8.json", f"/projects/{10**30}.json"])
def test_the_status_of_an_unknown_project_is_not_found(path, client):
    assert_error(client.get(path), 404, "not-found")


@pytest.mark.parametrize("task", [0, 2**31, 10**30])
def test_the_picture_of_a_task_that_is_not_there_is_not_found(task, trained, client):
    assert_error(client.get(f"/projects/1/tasks/{task}/picture.jpg"), 404, "not-found")


def test_odd_fields_of_forms_are_answered(trained, client):
    trained.context.encoder.get()
    token = form_token(client.get("/projects/1").get_data(as_text=True))
    for path, name, others in ODD_FIELDS:
        for text in ODD_TEXTS:
            body = urlencode({"csrf_token": token, **others, name: text}, errors="surrogatepass")
            kind = "application/x-www-form-urlencoded"
            sent = client.post(f"/projects/1/{path}", data=body, content_type=kind)
            assert sent.status_code < 500, f"{path} {name}={text[:9]!r}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/projects/x.json", 404),
        ("GET", "/projects/-1.json", 404),
        ("POST", "/projects/x/retrain", 404),
        ("POST", "/projects/1.5/retrain", 404),
        ("GET", "/predict", 405),
        ("DELETE", "/setup", 405),
        ("PUT", "/webhook", 405),
        ("POST", "/health", 405),
        ("GET", "/projects/1/retrain", 405),
    ],
)
def test_unknown_paths_and_methods_have_the_same_shape(method, path, status, client):
    assert_error(client.open(path, method=method), status)


@pytest.mark.parametrize("path", POSTS)
def test_a_huge_body_is_refused_with_the_limit(path, app):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    response = app.test_client().post(path, data=json.dumps({"tasks": [{}] * 1000}))
    error = assert_error(response, 413, "body-too-large")
    assert error["hint"]


def test_the_limit_is_what_label_studio_itself_takes(app):
    assert app.config["MAX_CONTENT_LENGTH"] == 250 * 1024 * 1024


def test_a_missing_encoder_is_named_with_the_cure(
    make_context, make_app, settings, monkeypatch, label_studio
):
    context = make_context(settings)

    def fail():
        raise OSError("no such folder")

    monkeypatch.setattr(context.encoders.named(None), "_load", fail)
    config = (
        '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="A"/>'
        '<Choice value="B"/></Choices></View>'
    )
    body = {"tasks": [{"data": {"t": "x"}}], "label_config": config}
    error = assert_error(make_app(context).test_client().post("/predict", json=body), 503)
    assert error["code"] == "encoder-unavailable" and "TEXT_ENCODER" in error["hint"]


def test_a_fault_of_our_own_says_nothing_about_the_text(app, client, monkeypatch, caplog):
    text = " ".join(["only", "the", "annotator", "may", "see", "this"])

    def fail(*_arguments, **_options):
        raise ValueError(text)

    monkeypatch.setattr("backend.ml_backend.predict_by_names", fail)
    response = client.post("/predict", json={"tasks": [{}]})
    error = assert_error(response, 500, "internal")
    assert text not in json.dumps(error)
    assert "ValueError" in caplog.text and text not in caplog.text
