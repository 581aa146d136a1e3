"""Whatever JSON is posted to whatever route: an answer below 500, and errors in our one shape."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.workflows.project.registration import SECRET_HEADER
from tests.answers import assert_error
from tests.conftest import WEBHOOK_SECRET

KNOWN = "7.1700000000"
CONFIG = (
    '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="A"/><Choice value="B"/>'
    "</Choices></View>"
)
PATHS = [
    "/setup",
    "/predict",
    "/webhook",
    f"/webhook?project={KNOWN}",
    "/train",
    "/job_status",
    "/projects/7/retrain",
]

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**40)
plain = st.none() | st.booleans() | numbers | st.text(max_size=12)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def or_anything(*usual):
    """What Label Studio sends there, or anything at all."""
    return st.sampled_from(usual) | anything


tasks = st.fixed_dictionaries(
    {},
    optional={
        "id": or_anything(1, 2),
        "data": st.fixed_dictionaries({"t": or_anything("cats", "")}) | anything,
        "annotations": anything,
    },
)
projects = st.fixed_dictionaries(
    {},
    optional={
        "id": or_anything(7, 8),
        "created_at": or_anything("2023-11-14T22:13:20Z", "2023-11-14", "0001-01-01", "9999-12-31T23:59:59"),
        "label_config": or_anything(CONFIG, "<View/>"),
    },
)
own_settings = st.fixed_dictionaries(
    {},
    optional={
        "queue_window": or_anything(5, 100),
        "strategy": or_anything("margin"),
        "audit_share": anything,
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "action": or_anything("ANNOTATION_CREATED", "START_TRAINING", "PROJECT_UPDATED"),
        "project": or_anything(KNOWN, "8.1", "7") | projects,
        "tasks": st.lists(tasks | anything, max_size=3) | tasks | anything,
        "label_config": or_anything(CONFIG, "<View/>", "<View>"),
        "schema": anything,
        "extra_params": st.fixed_dictionaries({"nextlabel": own_settings | anything}) | anything,
        "annotations": anything,
        "params": anything,
    },
)


@pytest.fixture
def known_project(client):
    assert client.post("/setup", json={"project": KNOWN}).status_code == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(path=st.sampled_from(PATHS), body=bodies | anything)
def test_any_json_is_answered(path, body, client, known_project):
    response = client.post(path, json=body, headers={SECRET_HEADER: WEBHOOK_SECRET})
    if response.status_code >= 300:
        assert_error(response, response.status_code)
        assert 400 <= response.status_code < 500
    elif path == "/predict":
        sent = body["tasks"] if isinstance(body["tasks"], list) else [body["tasks"]]
        assert len(response.json["results"]) == len(sent)
        assert all(0 <= prediction["score"] <= 1 for prediction in response.json["results"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=60))
def test_any_bytes_are_answered(path, body, client, known_project):
    response = client.post(path, data=body, headers={SECRET_HEADER: WEBHOOK_SECRET})
    if response.status_code >= 300:
        assert_error(response, response.status_code)
        assert 400 <= response.status_code < 500
