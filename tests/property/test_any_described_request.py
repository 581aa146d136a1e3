"""Whatever is asked within or against our own description: an answer that it names, and none of 5xx."""

import pytest

from backend.workflows.project.registration import SECRET_HEADER
from tests.answers import form_token
from tests.conftest import WEBHOOK_SECRET
from tests.described_requests import Known, draw_requests
from tests.description import assert_described, operations

EACH = 4


@pytest.fixture
def known(client, trained):
    """What a request may name."""
    token = form_token(client.get("/projects/1").get_data(as_text=True))
    return Known(
        values={
            **{"project_id": 1, "task_id": 1, "task": "1", "tasks": "1,2,3,4,5,6,7,8", "count": "5"},
            **{"project": trained.label_studio._reference(trained.remote), "csrf_token": token, "group": 1},
            **{"label_config": trained.remote["label_config"], "version": "nl-000002", "kind": "rename"},
            **{"label": ["cats"], "new": "kittens", "question": "topic", "action": "ANNOTATION_CREATED"},
        },
        headers={SECRET_HEADER: WEBHOOK_SECRET},
    )


def test_any_described_request_is_answered_as_described(client, known):
    statuses = {}
    for sent in draw_requests(known, each=EACH):
        method, path = sent.operation
        response = client.open(sent.address, method=method, headers=dict(sent.headers), data=sent.body)
        assert response.status_code < 500, f"{sent}: {response.get_data(as_text=True)[:300]}"
        # another page of ours than the one that was meant
        if response.status_code not in (301, 308, 404, 405):
            assert_described(method, path, response)
        statuses.setdefault(sent.operation, set()).add(response.status_code)
    assert set(statuses) == set(operations())
    assert {200, 201, 202, 303, 400, 403, 404} <= set().union(*statuses.values())
