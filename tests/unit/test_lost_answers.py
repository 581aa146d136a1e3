"""What may pass: tried again, and a write whose answer was lost is read back before it is sent again."""

import httpx
import pytest

from backend.errors import LabelStudioBusy, LabelStudioError, NextlabelError, NotFound, UnexpectedAnswer
from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import tab_data
from tests.fake_label_studio import LEGACY_TOKEN
from tests.unit.test_client import a_prediction, answering

LOCKED = httpx.Response(500, json={"detail": "database is locked"})
PASSING = [
    LOCKED,
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    httpx.Response(503),
    httpx.Response(504),
    httpx.Response(429, json={"detail": "slow down"}),
    httpx.Response(200, html="<h1>Back soon</h1>"),
    httpx.Response(201, content=b'{"created": 1'),
    httpx.Response(404, text="404 page not found"),
    httpx.Response(200, json={"status": "maintenance"}),
    httpx.ReadTimeout("lost"),
    httpx.RemoteProtocolError("cut off"),
    httpx.DecodingError("no gzip"),
]


@pytest.fixture
def remote(label_studio, no_pauses):
    with_token = LabelStudio(label_studio.url, LEGACY_TOKEN, transport=label_studio.transport)
    yield with_token
    with_token.close()


@pytest.fixture
def fail_once(label_studio):
    """fail_once("POST", failure, done=True): the next such call fails, after it was done or without."""

    def prepare(method, failure, *, done):
        failed = []

        def act(request):
            if request.method != method or failed:
                return None
            failed.append(request)
            if done:
                label_studio._dispatch(request)
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(failure.status_code, headers=failure.headers, content=failure.content)

        label_studio.before_answering.append(act)
        return failed

    return prepare


def count(label_studio, method, part):
    return sum(asked == method and part in path for asked, path in label_studio.calls)


@pytest.mark.parametrize("failure", PASSING)
def test_predictions_whose_answer_was_lost_are_not_sent_twice(
    failure, remote, label_studio, project_id, fail_once
):
    failed = fail_once("POST", failure, done=True)
    assert remote.import_predictions(project_id, [a_prediction(1), a_prediction(2, score=0.5)]) == 2
    assert failed and count(label_studio, "POST", "import") == 1
    assert len(label_studio.predictions) == 2


@pytest.mark.parametrize("failure", PASSING)
def test_predictions_that_did_not_arrive_are_sent_again(failure, remote, label_studio, project_id, fail_once):
    fail_once("POST", failure, done=False)
    assert remote.import_predictions(project_id, [a_prediction(1), a_prediction(2)]) == 2
    assert count(label_studio, "POST", "import") == 2
    assert len(label_studio.predictions) == 2


def test_of_predictions_that_arrived_in_part_the_rest_is_sent(remote, label_studio, project_id, fail_once):
    remote.import_predictions(project_id, [a_prediction(1), a_prediction(2, score=0.75)])
    fail_once("POST", LOCKED, done=False)
    assert remote.import_predictions(project_id, [a_prediction(1), a_prediction(2)]) == 2
    assert [row["task"] for row in label_studio.predictions.values()] == [1, 2, 2]


def test_what_label_studio_found_invalid_is_not_counted_after_a_lost_answer(
    remote, label_studio, project_id, fail_once
):
    fail_once("POST", LOCKED, done=True)
    assert remote.import_predictions(project_id, [a_prediction(1), a_prediction(2, "birds")]) == 1
    assert len(label_studio.predictions) == 1


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("failure", [LOCKED, httpx.ReadTimeout("lost"), httpx.Response(200, html="x")])
def test_every_write_that_makes_something_makes_one(
    failure, done, remote, label_studio, project_id, app, settings, fail_once
):
    made = {
        "backends": lambda: remote.create_ml_backend(project=project_id, url=settings.backend_url, title="t"),
        "webhooks": lambda: remote.create_webhook(project=project_id, url="http://hooks.test/", headers={}),
        "tabs": lambda: remote.create_tab(project_id, tab_data("novel")),
    }
    for rows, write in made.items():
        fail_once("POST", failure, done=done)
        before = len(getattr(label_studio, rows))
        write()
        assert len(getattr(label_studio, rows)) == before + 1


def test_a_change_of_the_project_that_arrived_is_not_sent_again(remote, label_studio, project_id, fail_once):
    fail_once("PATCH", httpx.Response(502), done=True)
    remote.update_project(project_id, title="renamed")
    assert label_studio.projects[project_id]["title"] == "renamed"
    assert count(label_studio, "PATCH", "projects") == 1


def test_a_deletion_that_arrived_is_done(remote, label_studio, project_id, fail_once):
    remote.import_predictions(project_id, [a_prediction(1)])
    fail_once("DELETE", httpx.Response(502), done=True)
    remote.delete_prediction(1)
    assert label_studio.predictions == {}


def test_what_does_not_pass_ends_within_the_minute_and_names_call_and_status(no_pauses):
    remote, asked = answering(LOCKED)
    with pytest.raises(LabelStudioBusy, match="answers 500 to POST /api/dm/actions: database is locked"):
        remote.set_task_field(1, [1], "nextlabel_flag", "novel")
    assert asked == ["POST"] * 7


def test_the_pauses_grow_and_are_less_than_half_a_minute_in_all(monkeypatch):
    pauses = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    remote, _asked = answering(LOCKED)
    with pytest.raises(LabelStudioBusy):
        remote.project(1)
    assert pauses == sorted(set(pauses)) and 10 < sum(pauses) < 30


PROJECT = {
    "id": 1,
    "title": "A project",
    "label_config": "<View/>",
    "created_at": "2026-01-01T00:00:00Z",
    "sampling": "Sequential sampling",
    "model_version": "",
    "show_collab_predictions": True,
}


@pytest.mark.parametrize(
    ("call", "answer", "fault"),
    [
        (lambda remote: remote.project(1), [], "it is not an object"),
        (lambda remote: remote.project(1), PROJECT | {"label_config": None}, "label_config is not str"),
        (lambda remote: remote.project(1), {"id": 1}, "title is missing"),
        (lambda remote: remote.counts(1), {"tasks": [], "total": 3}, "total_annotations is missing"),
        (lambda remote: remote.counts(1), {"total": "3", "total_annotations": 1}, "total is not int"),
        (lambda remote: next(remote.task_ids(1)), {"total": 1, "tasks": None}, "tasks is not a list"),
        (lambda remote: next(remote.tasks(1)), {"total": 1, "tasks": ["x"]}, r"tasks\[0\] is not an object"),
        (lambda remote: remote.ml_backends(1), [{"id": 1}], r"it\[0\].url is missing"),
        (lambda remote: remote.tabs(1), [{"id": 1, "data": []}], r"it\[0\].data is not an object"),
        (lambda remote: remote.webhooks(1), {}, "it is not a list"),
        (lambda remote: remote.model_versions(1), ["v"], "it is not an object"),
        (lambda remote: remote.model_versions(1), {"v": None}, "v is not int"),
        (lambda remote: remote.delete_version(1, "v"), {"deleted": 3}, "deleted_predictions is missing"),
    ],
)
def test_json_of_another_shape_is_named_with_call_and_status(call, answer, fault, no_pauses):
    remote, _asked = answering(httpx.Response(200, json=answer))
    with pytest.raises(UnexpectedAnswer, match=fault) as caught:
        call(remote)
    assert "(200) to " in caught.value.message and "/api/" in caught.value.message


def test_the_words_of_an_answer_stay_out_of_the_error(no_pauses):
    remote, _asked = answering(httpx.Response(200, json={"tasks": [{"data": {"text": "a private text"}}]}))
    with pytest.raises(UnexpectedAnswer) as caught:
        remote.counts(1)
    assert "private" not in caught.value.message


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
def test_json_that_nests_without_end_is_an_answer_like_any_other_that_is_none(status, no_pauses):
    remote, _asked = answering(httpx.Response(status, content=b"[" * 100_000, headers={"Date": "long ago"}))
    with pytest.raises(LabelStudioError, match=str(status)):
        remote.project(1)


def test_a_404_of_label_studio_itself_is_final(no_pauses):
    remote, asked = answering(httpx.Response(404, json={"detail": "No Project matches the given query."}))
    with pytest.raises(NotFound):
        remote.counts(1)
    assert asked == ["GET"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, html="<title>404 | Label Studio</title>"),
        httpx.Response(302, headers={"Location": "http://ls.test/user/login/"}),
        httpx.Response(301, headers={"Location": "https://ls.test/api/x"}),
        httpx.Response(200, html="<title>A blog</title>"),
        httpx.Response(401, html="<h1>Who are you?</h1>"),
        httpx.Response(403, text="no"),
    ],
)
def test_an_address_that_is_not_label_studios_is_named_with_the_setting(answer, no_pauses):
    remote, _asked = answering(answer)
    with pytest.raises(NextlabelError) as caught:
        remote.whoami()
    assert str(answer.status_code) in caught.value.message and "LABEL_STUDIO_URL" in caught.value.hint
