"""`connect`, `doctor` and `status` with a real Label Studio."""

import json
from contextlib import closing

import pytest

from backend.label_studio.queue_settings import SAMPLING
from backend.workflows.project.registration import WEBHOOK_EVENTS
from demo.label_studio_accounts import create_personal_access_token, log_in
from tests.e2e.connected import ConnectedProject
from tests.real_backend import Backend

TASKS = 40


@pytest.fixture(scope="module")
def client(label_studio):
    with label_studio.connect() as client:
        yield client


@pytest.fixture(scope="module")
def connected(client, running_backend, documents):
    return ConnectedProject.create(client, running_backend, documents[:TASKS]).connect(queue_window=10)


def test_connect_says_that_the_order_served_is_the_order_published(connected):
    report = connected.report
    assert report["in_order"]
    assert report["verdict"].startswith("The order served is the order published")
    assert report["served"] == report["expected"] == connected.window()[0]
    assert connected.project.serve_next()["id"] == connected.window()[0]
    assert len(connected.window()) == report["loop"]["figures"]["window"] == 10


def test_connect_leaves_one_version_in_all_places(connected):
    (row,) = connected.ml_backends()
    assert connected.version == "nl-000001-label-names"
    assert row["title"] == row["model_version"] == connected.status()["version"] == connected.version
    assert (row["state"], row["url"]) == ("CO", connected.backend.url)
    assert connected.project.settings()["sampling"] == SAMPLING


def test_connect_leaves_one_webhook_with_every_event_and_the_secret(connected):
    (hook,) = connected.webhooks()
    assert hook["url"].startswith(f"{connected.backend.url}/webhook?project={connected.project.id}.")
    assert hook["is_active"] and not hook["send_for_all_actions"]
    assert set(hook["actions"]) == set(WEBHOOK_EVENTS)
    assert hook["headers"] == {"X-Nextlabel-Secret": "only-for-tests"}


def test_connecting_again_changes_nothing(connected):
    def look():
        # Label Studio touches `updated_at` of a backend whenever it is asked for it.
        backends = [row | {"updated_at": None} for row in connected.ml_backends()]
        return connected.predictions(), connected.webhooks(), backends, connected.project.settings()

    connected.wait_for_worker()
    before = look()
    again = connected.run("connect")
    assert (again["changes"], again["loop"]["outcome"]) == ([], "unchanged")
    assert again["loop"]["figures"]["writes"] == 0
    assert again["in_order"]
    assert look() == before


def test_doctor_finds_nothing_wrong_after_connect(connected):
    findings = connected.run("doctor")["findings"]
    assert [finding for finding in findings if finding["verdict"] != "ok"] == []
    assert {"worker", "webhook", "sampling", "version", "window"} <= {
        finding["check"] for finding in findings
    }


def test_status_tells_what_is_connected(connected):
    connected.wait_for_worker()
    status = connected.run("status")
    assert [loop["version"] for loop in status.pop("loops")] == [status["version"]]
    assert status == connected.status()
    assert status["connected"] and status["workers"]
    assert (status["tasks"], status["labelled"]) == (TASKS, 0)
    assert status["window"] == {"size": 10, "left": 10}
    everything = json.loads(connected.backend.command_line("status", "--json").stdout)
    assert connected.project.id in {row["project"] for row in everything["projects"]}


def test_connect_works_with_a_personal_access_token(label_studio, admin, running_backend, documents):
    with closing(log_in(label_studio.url, label_studio.email, label_studio.password)) as session:
        token = create_personal_access_token(session)
    # The running backend as its owner of this token has it: same address, same data.
    backend = Backend(
        running_backend.folder,
        label_studio_url=label_studio.url,
        api_key=token,
        port=running_backend.port,
        settings={"WEBHOOK_SECRET": "only-for-tests"},
    )
    connected = ConnectedProject.create(admin, backend, documents[:20]).connect()
    assert connected.report["token"] == "personal"
    assert connected.report["in_order"]


def test_connect_says_that_nobody_serves_at_the_address_of_the_backend(make_project, make_backend):
    project = make_project(texts=["Cats sleep a lot."])
    done = make_backend().command_line("connect", str(project.id), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "backend-unreachable")
    assert "nextlabel start" in error["hint"] and "BACKEND_URL" in error["hint"]
    assert project.client.get("/api/ml", params={"project": project.id}).json() == []


def test_connect_leaves_a_project_alone_that_asks_what_cannot_be_learned(make_project, running_backend):
    config = (
        '<View><Text name="text" value="$text"/><TextArea name="summary" toName="text"/>'
        '<Choices name="topics" toName="text" perItem="true"><Choice value="cats"/></Choices></View>'
    )
    project = make_project(texts=["Cats sleep a lot."], label_config=config)
    done = running_backend.command_line("connect", str(project.id), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "unsupported-config")
    assert "<TextArea>" in error["message"] and 'perItem="true"' in error["message"]
    assert project.client.get("/api/ml", params={"project": project.id}).json() == []
    assert project.settings()["sampling"] == "Sequential sampling"
