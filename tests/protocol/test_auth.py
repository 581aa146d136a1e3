"""Who may call: the log-in for everything but /health, a secret header for webhooks."""

import re

import pytest

from backend.workflows.project.registration import SECRET_HEADER
from tests.answers import assert_error

KNOWN = "7.1700000000"
LOGIN = ("nextlabel", "a pass: word, ü")
SECRET = "a-secret"
OPEN = {"/health", "/healthz", "/readyz", "/"}
FORM = "/login"
EVENT = {"action": "ANNOTATION_CREATED"}
TRAINING = {"action": "START_TRAINING"}
HOOK = f"/webhook?project={KNOWN}"


@pytest.fixture
def open_app(make_context, make_app, make_settings):
    """open_app(with_login=…, with_secret=…): a client of an app that asks for these."""

    def make(*, with_login, with_secret):
        settings = make_settings(
            webhook_secret=SECRET if with_secret else "",
            basic_auth_user=LOGIN[0] if with_login else "",
            basic_auth_pass=LOGIN[1] if with_login else "",
        )
        context = make_context(settings)
        client = make_app(context).test_client()
        context.encoder.get()
        login = LOGIN if with_login else None
        assert client.post("/setup", json={"project": KNOWN}, auth=login).status_code == 200
        return client

    return make


def routes(client):
    """Every route: a method and a path that reaches it."""
    for rule in client.application.url_map.iter_rules():
        if rule.endpoint != "static":
            method = "POST" if "POST" in rule.methods else "GET"
            yield method, re.sub(r"<int:\w+>", "7", str(rule))


def test_everything_but_health_asks_for_the_login(open_app):
    client = open_app(with_login=True, with_secret=False)
    answers = {path: client.open(path, method=method, json={}) for method, path in routes(client)}
    assert len(answers) >= 10
    for path, response in answers.items():
        if path in OPEN:
            assert response.status_code == 200
        elif path == FORM:
            assert response.status_code in (200, 303)
        else:
            assert "BASIC_AUTH_USER" in assert_error(response, 401, "unauthorized")["hint"]


def test_with_the_login_nothing_is_refused(open_app):
    client = open_app(with_login=True, with_secret=False)
    for method, path in routes(client):
        assert client.open(path, method=method, json={}, auth=LOGIN).status_code != 401


def test_without_a_login_in_the_settings_nothing_but_the_webhook_asks_for_anything(open_app):
    client = open_app(with_login=False, with_secret=False)
    refused = {
        path
        for method, path in routes(client)
        if client.open(path, method=method, json={}).status_code == 401
    }
    assert refused == {"/webhook"}


@pytest.mark.parametrize(
    "login",
    [
        None,
        ("nextlabel", ""),
        ("nextlabel", "wrong"),
        ("somebody", LOGIN[1]),
        ("", ""),
        ("nextlabel", LOGIN[1] + " "),
    ],
)
def test_a_wrong_login_is_refused(login, open_app):
    client = open_app(with_login=True, with_secret=True)
    assert_error(client.get("/versions", auth=login), 401, "unauthorized")


@pytest.mark.parametrize(
    "header", ["Bearer x", "Basic", "Basic !!!", "Basic bmV4dGxhYmVs", "Token 123", "", "\xff", "Basic //79"]
)
def test_a_header_that_is_no_login_is_refused(header, open_app):
    client = open_app(with_login=True, with_secret=True)
    assert_error(client.get("/versions", headers={"Authorization": header}), 401, "unauthorized")


@pytest.mark.parametrize("with_login", [True, False])
def test_a_webhook_with_the_secret_is_taken(with_login, open_app):
    client = open_app(with_login=with_login, with_secret=True)
    assert client.post(HOOK, json=EVENT, headers={SECRET_HEADER: SECRET}).status_code == 201


@pytest.mark.parametrize(
    "headers", [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: "\xff"}]
)
@pytest.mark.parametrize("with_login", [True, False])
def test_a_webhook_without_the_secret_is_refused(headers, with_login, open_app):
    client = open_app(with_login=with_login, with_secret=True)
    assert_error(client.post(HOOK, json=EVENT, headers=headers), 401, "unauthorized")


def test_a_refused_webhook_names_the_cure(open_app):
    client = open_app(with_login=False, with_secret=True)
    assert "nextlabel connect" in assert_error(client.post(HOOK, json=EVENT), 401)["hint"]


def test_the_secret_opens_nothing_but_webhooks(open_app):
    client = open_app(with_login=True, with_secret=True)
    assert_error(client.get("/versions", headers={SECRET_HEADER: SECRET}), 401)


def test_start_training_comes_with_the_login_and_without_the_secret(open_app):
    client = open_app(with_login=True, with_secret=True)
    assert client.post(HOOK, json=TRAINING, auth=LOGIN).status_code == 201
    assert_error(client.post(HOOK, json=TRAINING), 401)


def test_start_training_is_taken_when_there_is_no_login_to_bring(open_app):
    client = open_app(with_login=False, with_secret=True)
    assert client.post(HOOK, json=TRAINING).status_code == 201


def test_without_a_secret_a_webhook_may_bring_the_login(open_app):
    client = open_app(with_login=True, with_secret=False)
    assert client.post(HOOK, json=EVENT, auth=LOGIN).status_code == 201
    assert_error(client.post(HOOK, json=EVENT), 401)


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"7", b'"START_TRAINING"', b"{", b"null"])
def test_a_body_that_is_no_object_is_no_way_in(body, open_app):
    client = open_app(with_login=False, with_secret=True)
    assert_error(client.post(HOOK, data=body), 401, "unauthorized")
