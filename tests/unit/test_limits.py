"""Predictions and pages have a bound on what is in flight; webhooks and /health have none."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.errors import TooBusy
from backend.routes import limits
from backend.routes.limits import Places
from tests.answers import assert_error

STARTED = {"project": "7.1700000000"}


@pytest.fixture
def app(make_app, context):
    return make_app(context)


@pytest.fixture
def held(app, monkeypatch):
    """held(method, path, count, at_work=…): requests that wait in their handler until held.go is set."""
    go, inside = threading.Event(), threading.Semaphore(0)

    def wait():
        inside.release()
        assert go.wait(30)
        return "done"

    for endpoint in ("protocol.predict", "dashboard.projects"):
        monkeypatch.setitem(app.view_functions, endpoint, wait)
    threads = ThreadPoolExecutor(60)
    futures = []

    def hold(method, path, count, *, at_work):
        futures.extend(
            threads.submit(lambda: app.test_client().open(path, method=method)) for _ in range(count)
        )
        for _ in range(min(count, at_work)):
            assert inside.acquire(timeout=30)
        return futures

    hold.go = go
    yield hold
    go.set()
    threads.shutdown()


def test_past_the_bound_a_prediction_is_refused_at_once_with_a_time_to_come_again(app, held, monkeypatch):
    monkeypatch.setattr(limits, "_LONGEST_WAIT_S", 0.01)
    futures = held("POST", "/predict", 3, at_work=3)
    answer = app.test_client().post("/predict", json={"tasks": []})
    assert "Ask again" in assert_error(answer, 503, "too-busy")["hint"]
    assert answer.headers["Retry-After"] == "2"
    held.go.set()
    assert [future.result(30).status_code for future in futures] == [200] * 3
    assert app.test_client().post("/predict", json={"tasks": []}).status_code == 200


def test_while_predictions_and_pages_are_full_everything_else_answers(app, held):
    client = app.test_client()
    assert client.post("/setup", json=STARTED).status_code == 200
    held("POST", "/predict", 3, at_work=3)
    held("GET", "/projects", 4, at_work=4)
    secret = {"X-Nextlabel-Secret": "a-secret-for-webhooks"}
    event = {"action": "ANNOTATION_CREATED"}
    assert (
        client.post(f"/webhook?project={STARTED['project']}", json=event, headers=secret).status_code == 201
    )
    for path in ("/health", "/healthz", "/metrics"):
        assert client.get(path).status_code == 200
    assert client.post("/setup", json=STARTED).status_code == 200


def test_all_that_wait_come_to_their_turn(app, held):
    futures = held("POST", "/predict", 20, at_work=3)
    held.go.set()
    assert {future.result(30).status_code for future in futures} == {200}


def test_a_full_room_refuses_without_waiting_and_a_place_that_is_left_is_free_again():
    places = Places(total=2, at_work=2)
    places.enter()
    places.enter()
    with pytest.raises(TooBusy, match="2 requests of this kind"):
        places.enter()
    places.leave()
    places.enter()


def test_who_is_refused_after_waiting_takes_no_place(monkeypatch):
    monkeypatch.setattr(limits, "_LONGEST_WAIT_S", 0.01)
    places = Places(total=2, at_work=1)
    places.enter()
    for _ in range(3):
        with pytest.raises(TooBusy, match="No turn came"):
            places.enter()
    places.leave()
    places.enter()


def test_a_request_that_fails_gives_its_place_back(app):
    client = app.test_client()
    for _ in range(50):
        assert client.post("/predict", data="no JSON").status_code == 400


def test_who_has_no_log_in_takes_no_place(make_settings, make_context, make_app):
    settings = make_settings(basic_auth_user="nextlabel", basic_auth_pass="secret")
    client = make_app(make_context(settings)).test_client()
    for _ in range(50):
        assert client.post("/predict", json={"tasks": []}).status_code == 401
    assert client.post("/predict", json={"tasks": []}, auth=("nextlabel", "secret")).status_code == 200
