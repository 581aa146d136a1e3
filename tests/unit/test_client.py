"""The client: our errors instead of status codes, with the cure in each."""

import httpx
import pytest

from backend.errors import (
    AddressBlocked,
    BackendUnreachable,
    LabelStudioError,
    LabelStudioUnreachable,
    NotFound,
    TokenRefused,
)
from backend.label_studio.client import LabelStudio, UnknownTask
from tests.fake_label_studio import LEGACY_TOKEN, PERSONAL_TOKEN
from tests.topics import write_texts


@pytest.fixture
def remote(label_studio):
    with_token = LabelStudio(label_studio.url, LEGACY_TOKEN, transport=label_studio.transport)
    yield with_token
    with_token.close()


@pytest.fixture(autouse=True)
def no_waiting(no_pauses):
    """Between two tries nobody waits."""


def answering(*answers):
    """A client of a server that gives these answers in turn (it raises exceptions); what it was asked."""
    asked, waiting = [], list(answers)

    def answer(request):
        asked.append(request.method)
        current = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(current, Exception):
            raise current
        return current

    return LabelStudio("http://ls.test", LEGACY_TOKEN, transport=httpx.MockTransport(answer)), asked


def a_prediction(task_id, label="cats", *, score=0.25, version="nl-000001"):
    region = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return {"task": task_id, "model_version": version, "score": score, "result": [region]}


def test_it_says_which_kind_of_token_it_has(label_studio):
    kinds = [LabelStudio(label_studio.url, token).token_kind for token in (LEGACY_TOKEN, PERSONAL_TOKEN)]
    assert kinds == ["legacy", "personal"]


@pytest.mark.parametrize("token", [LEGACY_TOKEN, PERSONAL_TOKEN])
def test_either_token_signs_in(token, label_studio):
    remote = LabelStudio(label_studio.url, token, transport=label_studio.transport)
    assert remote.whoami()["email"] == "admin@example.com"


def test_without_a_token_nothing_is_sent_and_the_cure_is_named(label_studio):
    remote = LabelStudio(label_studio.url, "", transport=label_studio.transport)
    with pytest.raises(TokenRefused, match="LABEL_STUDIO_API_KEY is not set") as caught:
        remote.whoami()
    assert "Personal Access Token" in caught.value.hint
    assert label_studio.calls == []


@pytest.mark.parametrize(
    ("token", "legacy_enabled", "kind", "hint"),
    [
        ("0" * 40, True, "legacy token", "Copy the token again"),
        (LEGACY_TOKEN, False, "legacy token", "personal access token"),
        (PERSONAL_TOKEN[:-3] + "xxx", True, "personal access token", "Copy the token again"),
    ],
)
def test_a_refused_token_is_named_by_its_kind_with_the_cure(token, legacy_enabled, kind, hint, label_studio):
    label_studio.legacy_tokens_enabled = legacy_enabled
    remote = LabelStudio(label_studio.url, token, transport=label_studio.transport)
    with pytest.raises(TokenRefused) as caught:
        remote.whoami()
    assert kind in caught.value.message and hint in caught.value.hint
    assert token not in caught.value.message + caught.value.hint


def test_nobody_there_is_tried_three_times_and_named():
    remote, asked = answering(httpx.ConnectError("refused"))
    with pytest.raises(LabelStudioUnreachable, match="http://ls.test") as caught:
        remote.whoami()
    assert "LABEL_STUDIO_URL" in caught.value.hint
    assert asked == ["GET"] * 3


@pytest.mark.parametrize("first", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.Response(503)])
def test_a_read_that_fails_once_is_tried_again(first):
    remote, asked = answering(first, httpx.Response(200, json={"id": 1}))
    assert remote.whoami() == {"id": 1}
    assert len(asked) == 2


def test_a_server_that_stays_busy_is_an_error_with_a_cure():
    remote, asked = answering(httpx.Response(503))
    with pytest.raises(LabelStudioError, match="answers 503 to GET /api/current-user/whoami") as caught:
        remote.whoami()
    assert caught.value.hint and len(asked) == 3


@pytest.mark.parametrize("answer", [httpx.Response(200, json=[]), httpx.Response(200, json="x")])
def test_an_answer_of_another_shape_is_an_error(answer):
    remote, _asked = answering(answer)
    with pytest.raises(LabelStudioError, match="is not an object"):
        remote.project(1)
    with pytest.raises(LabelStudioError, match="is not a list"):
        answering(httpx.Response(200, json={}))[0].ml_backends(1)


def test_a_page_instead_of_json_is_an_error_that_asks_for_the_address():
    remote, _asked = answering(httpx.Response(200, html="<html>log in</html>"))
    with pytest.raises(LabelStudioError, match="no JSON") as caught:
        remote.whoami()
    assert "LABEL_STUDIO_URL" in caught.value.hint


def test_an_unknown_project_is_not_found(remote):
    with pytest.raises(NotFound, match="no project 99"):
        remote.project(99)


def test_what_label_studio_finds_invalid_is_passed_on(remote, project_id):
    with pytest.raises(LabelStudioError, match="is not a valid choice"):
        remote.update_project(project_id, sampling="By the moon")
    with pytest.raises(LabelStudioError, match="Model version doesn't exist"):
        remote.update_project(project_id, model_version="nl-000077")


def test_a_backend_that_label_studio_cannot_reach_is_named_with_the_cure(remote, project_id):
    with pytest.raises(BackendUnreachable) as caught:
        remote.create_ml_backend(project=project_id, url="http://nobody.test", title="x")
    assert "BACKEND_URL" in caught.value.hint


def test_a_blocked_address_is_named_with_the_cure(remote, project_id, app, label_studio, settings):
    label_studio.refuses_local_addresses = True
    with pytest.raises(AddressBlocked) as caught:
        remote.create_ml_backend(project=project_id, url=settings.backend_url, title="x")
    assert "USE_DEFAULT_BANNED_SUBNETS=false" in caught.value.hint


def test_tasks_come_in_pages(remote, label_studio, monkeypatch):
    monkeypatch.setattr("backend.label_studio.client._PAGE_SIZE", 4)
    project = label_studio.add_project(texts=write_texts(10))
    pages = list(remote.tasks(project))
    assert [len(page) for page in pages] == [4, 4, 2]
    assert [task["id"] for page in pages for task in page] == list(label_studio.tasks)
    assert [number for page in remote.task_ids(project) for number in page] == list(label_studio.tasks)


@pytest.mark.parametrize("count", [0, 4, 8])
def test_no_page_beyond_the_last_is_asked_for(count, remote, label_studio, monkeypatch):
    monkeypatch.setattr("backend.label_studio.client._PAGE_SIZE", 4)
    project = label_studio.add_project(texts=write_texts(count))
    assert sum(len(page) for page in remote.tasks(project)) == count


def test_only_what_changed_after_a_moment_is_fetched(remote, label_studio, project_id):
    moment = label_studio.tasks[40]["updated_at"]
    label_studio.annotate(7, "cats")
    (page,) = remote.tasks(project_id, updated_after=moment)
    (task,) = page
    assert task["id"] == 7
    assert set(task) == {"id", "data", "is_labeled", "updated_at", "annotations", "created_at"}
    assert task["annotations"][0]["was_cancelled"] is False


def test_the_counts_leave_out_what_was_cancelled(remote, label_studio, project_id):
    label_studio.annotate(1, "cats")
    label_studio.skip(2)
    assert remote.counts(project_id) == (40, 1)


def test_predictions_of_one_version_are_told_from_the_others(remote, label_studio, project_id):
    remote.import_predictions(project_id, [a_prediction(1), a_prediction(2, version="nl-000002")])
    remote.import_predictions(project_id, [a_prediction(1, version="nl-000002", score=0.5)])
    rows = remote.predictions_of(project_id, "nl-000002")
    assert {(row["task"], row["score"]) for row in rows} == {(1, 0.5), (2, 0.25)}
    assert remote.model_versions(project_id) == {"nl-000001": 1, "nl-000002": 2}


def test_the_count_shows_what_was_dropped(remote, project_id):
    sent = [a_prediction(1), a_prediction(2, "birds"), a_prediction(3, score=1.5), a_prediction(4, score="x")]
    assert remote.import_predictions(project_id, sent) == 1


def test_an_unknown_task_is_named_by_its_number(remote, label_studio, project_id):
    label_studio.delete_tasks([3])
    with pytest.raises(UnknownTask) as caught:
        remote.import_predictions(project_id, [a_prediction(2), a_prediction(3), a_prediction(4)])
    assert caught.value.task_id == 3
    assert label_studio.predictions == {}


@pytest.mark.parametrize(
    "said",
    [
        "{'task': 31, 'score': 0.1, 'result': []} contains invalid \"task\" field: corresponding task ID "
        "couldn't be retrieved from project p (id=1) tasks",
        "{'task': 31, 'score': 0.1} contains invalid \"task\" field: task ID 31 not found in project p",
        "Prediction 4: Invalid task ID 31 - task not found in project",
    ],
)
def test_every_way_in_which_label_studio_says_it_is_understood(said):
    body = {"detail": "Validation error", "validation_errors": {"non_field_errors": [said]}}
    remote, _asked = answering(httpx.Response(400, json=body))
    with pytest.raises(UnknownTask) as caught:
        remote.import_predictions(1, [a_prediction(31)])
    assert caught.value.task_id == 31


def test_another_fault_of_an_import_is_not_taken_for_an_unknown_task():
    body = {"detail": "Validation error", "validation_errors": ["Prediction 4: Region 0: Invalid value"]}
    remote, _asked = answering(httpx.Response(400, json=body))
    with pytest.raises(LabelStudioError) as caught:
        remote.import_predictions(1, [a_prediction(31)])
    assert not isinstance(caught.value, UnknownTask)


def test_a_version_and_a_single_prediction_can_be_deleted(remote, label_studio, project_id):
    remote.import_predictions(project_id, [a_prediction(1), a_prediction(2), a_prediction(3, version="v")])
    remote.delete_prediction(1)
    remote.delete_prediction(1)  # gone already: nothing happens
    assert remote.delete_version(project_id, "nl-000001") == 1
    assert [row["task"] for row in label_studio.predictions.values()] == [3]


def test_no_next_task_is_none(remote, label_studio):
    empty = label_studio.add_project()
    assert remote.next_task(empty) is None


def test_writes_and_seconds_are_counted(remote, project_id):
    remote.project(project_id)
    assert (remote.writes, remote.seconds > 0) == (0, True)
    remote.update_project(project_id, title="renamed")
    assert remote.writes == 1
