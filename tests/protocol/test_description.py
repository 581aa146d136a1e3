"""The description of our HTTP names every route, and every answer is one that it names."""

import importlib.metadata
import json
import re

import pytest
from jsonschema import Draft202012Validator

from backend.workflows.project.registration import SECRET_HEADER
from tests.answers import form_token
from tests.conftest import WEBHOOK_SECRET
from tests.description import DESCRIPTION, FILE, assert_described, operations, resolve, served_operations

LOGIN = ("an-admin", "a-password")
CONFIG = '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="A"/></Choices></View>'
MANY = ",".join(map(str, range(1, 41)))
PAGE = {"Accept": "text/html"}
EVENT = {"json": {"action": "ANNOTATION_CREATED"}, "headers": {SECRET_HEADER: WEBHOOK_SECRET}}
RENAME = {"kind": "rename", "question": "topic", "label": ["cats"], "new": "kittens"}
TO_PREDICT = {"json": {"tasks": [{"id": 1, "data": {"t": "cats"}}], "label_config": CONFIG}}

# A request for every operation and each of its good answers; forms get their token.
REQUESTS = [
    ("GET", "/", {}, 200),
    ("GET", "/", {"headers": PAGE}, 302),
    ("GET", "/health", {}, 200),
    ("GET", "/healthz", {}, 200),
    ("GET", "/readyz", {}, 200),
    ("POST", "/setup", {"json": {}}, 200),
    ("POST", "/predict", TO_PREDICT, 200),
    ("POST", "/webhook", EVENT, 201),
    ("POST", "/train", {"json": {}}, 201),
    ("GET", "/versions", {}, 200),
    ("POST", "/job_status", {}, 200),
    ("GET", "/login", {}, 303),
    ("POST", "/login", {"data": {"user": "", "password": ""}}, 303),
    ("POST", "/logout", {"data": {}}, 303),
    ("GET", "/projects", {}, 200),
    ("GET", "/projects/{project_id}", {}, 200),
    ("GET", "/projects/{project_id}.json", {}, 200),
    ("POST", "/projects/{project_id}/retrain", {}, 202),
    ("GET", "/projects/{project_id}/state.json", {}, 200),
    ("GET", "/projects/{project_id}/map.json", {}, 200),
    ("GET", "/projects/{project_id}/wanted.json", {}, 200),
    ("GET", "/projects/{project_id}/wanted.csv", {}, 200),
    ("GET", "/projects/{project_id}/loops.json", {}, 200),
    ("GET", "/projects/{project_id}/loops.csv", {}, 200),
    ("GET", "/projects/{project_id}/tasks.json", {"query_string": {"task": "1,2"}}, 200),
    ("POST", "/projects/{project_id}/search", {"data": {"task": "1"}}, 200),
    ("POST", "/projects/{project_id}/search", {"data": {"sentence": "cats"}}, 200),
    ("POST", "/projects/{project_id}/tabs", {"data": {"tasks": "1,2"}}, 200),
    ("POST", "/projects/{project_id}/ask-next", {"data": {"tasks": MANY}}, 200),
    ("POST", "/projects/{project_id}/ask-next/undo", {"data": {}}, 200),
    ("POST", "/projects/{project_id}/loop", {"data": {}}, 303),
    ("POST", "/projects/{project_id}/add-class", {"data": {"group": "1", "name": "x"}}, 303),
    ("POST", "/projects/{project_id}/reject-group", {"data": {"group": "1"}}, 303),
    ("POST", "/projects/{project_id}/rollback", {"data": {"version": "nl-000002"}}, 303),
    ("POST", "/projects/{project_id}/labels/preview", {"data": RENAME}, 200),
    ("POST", "/projects/{project_id}/labels/preview", {"data": {"kind": "melt"}}, 303),
    ("POST", "/projects/{project_id}/labels/change", {"data": RENAME}, 303),
    ("POST", "/projects/{project_id}/labels/undo", {"data": {}}, 303),
    ("POST", "/projects/{project_id}/skips/answer", {"data": {"group": "1", "answer": "class"}}, 303),
    ("POST", "/projects/{project_id}/skips/reopen", {"data": {"group": "1"}}, 303),
    ("GET", "/metrics", {}, 200),
]
# Their good answer needs something else than a trained project of texts, and has a test of its own below.
ELSEWHERE = {("GET", "/projects/{project_id}/tasks/{task_id}/picture.jpg", 200), ("GET", "/login", 200)}


def address(path, project=1):
    return path.replace("{project_id}", str(project)).replace("{task_id}", "1")


def send(client, method, path, given, *, project=1):
    """Sends a request; a form with the token of the page."""
    if "data" in given and not path.endswith("/search"):
        token = form_token(client.get("/projects/1").get_data(as_text=True))
        given = given | {"data": given["data"] | {"csrf_token": token}}
    return client.open(address(path, project), method=method, **given)


@pytest.fixture
def with_login(make_settings, make_context, make_app, trained):
    """A client before the trained project, who is asked for a log-in."""
    context = make_context(make_settings(basic_auth_user=LOGIN[0], basic_auth_pass=LOGIN[1]))
    return make_app(context).test_client()


def test_every_route_is_described_and_no_other(app):
    assert set(operations()) == served_operations(app)


def test_every_good_answer_has_a_request():
    good = {
        (*operation, int(status))
        for operation, described in operations().items()
        for status in described["responses"]
        if int(status) < 400
    }
    assert {(method, path, status) for method, path, _given, status in REQUESTS} | ELSEWHERE == good


def test_every_operation_answers_as_it_says(trained, make_app):
    trained.context.encoder.get()
    client = make_app(trained.context).test_client()
    for method, path, given, status in REQUESTS:
        response = send(client, method, path, given)
        told = f"{method} {path}: {response.get_data(as_text=True)[:300]}"
        assert response.status_code == status, told
        assert_described(method, path, response)


def test_a_picture_is_sent_as_it_says(make_picture_bench, make_app):
    bench = make_picture_bench()
    path = "/projects/{project_id}/tasks/{task_id}/picture.jpg"
    response = make_app(bench.context).test_client().get(address(path, bench.project_id))
    assert response.status_code == 200
    assert_described("GET", path, response)


def test_before_the_encoder_is_there_it_is_not_ready_as_it_says(
    make_context, make_app, settings, monkeypatch
):
    monkeypatch.setattr("backend.app.warm_up", lambda _context: None)
    response = make_app(make_context(settings)).test_client().get("/readyz")
    assert response.status_code == 503
    assert_described("GET", "/readyz", response)


def test_strangers_are_answered_as_it_says(with_login):
    for (method, path), operation in operations().items():
        response = with_login.open(address(path), method=method, data={})
        assert operation.get("security") == [] or response.status_code == 401
        assert_described(method, path, response)


def test_pages_of_other_sites_are_answered_as_it_says(client):
    headers = {"Sec-Fetch-Site": "cross-site", SECRET_HEADER: WEBHOOK_SECRET}
    for method, path in operations():
        if method == "POST":
            response = client.open(address(path), method=method, headers=headers)
            assert response.status_code == 403
            assert_described(method, path, response)


@pytest.mark.parametrize("headers", [{}, PAGE], ids=["program", "browser"])
def test_a_project_that_is_not_there_is_answered_as_it_says(headers, trained, make_app):
    client = make_app(trained.context).test_client()
    for method, path in operations():
        if "{project_id}" in path:
            given = {"headers": headers} | ({"data": {}} if method == "POST" else {})
            response = send(client, method, path, given, project=99)
            assert response.status_code in (303, 404)
            assert_described(method, path, response)


def test_an_empty_request_is_answered_as_it_says(trained, make_app):
    client = make_app(trained.context).test_client()
    headers = {SECRET_HEADER: WEBHOOK_SECRET}
    for method, path in operations():
        assert_described(method, path, client.open(address(path), method=method, headers=headers))


def test_the_form_of_the_log_in_answers_as_it_says(with_login):
    page = with_login.get("/login")
    assert page.status_code == 200
    assert_described("GET", "/login", page)
    token = form_token(page.get_data(as_text=True))
    for number in range(12):
        wrong = {"user": "a", "password": str(number), "csrf_token": token}
        answer = with_login.post("/login", data=wrong)
        assert_described("POST", "/login", answer)
    assert answer.status_code == 429
    assert_described("GET", "/versions", with_login.get("/versions", auth=("a", "b")))


def test_whoever_may_read_gets_it_from_the_server(with_login):
    assert with_login.get("/static/openapi.json").status_code == 401
    with with_login.get("/static/openapi.json", auth=LOGIN) as answer:
        assert answer.mimetype == "application/json" and answer.get_data() == FILE.read_bytes()


def test_the_document_is_sound():
    text = FILE.read_text()
    for reference in re.findall(r'"\$ref": "([^"]+)"', text):
        assert resolve({"$ref": reference})
    for kind in ("schemas", "responses", "parameters"):
        unused = [n for n in DESCRIPTION["components"][kind] if f'"#/components/{kind}/{n}"' not in text]
        assert unused == []
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    assert DESCRIPTION["info"]["version"] == importlib.metadata.version("nextlabel")


def test_every_error_is_told_in_the_one_shape():
    for (method, path), operation in operations().items():
        for status, answer in operation["responses"].items():
            told = json.dumps(resolve(answer)["content"])
            is_page = operation["tags"] == ["page"] and "text/html" in told
            is_error = int(status) >= 400 and (method, path) != ("GET", "/readyz")
            assert not is_error or is_page or "schemas/Error" in told
