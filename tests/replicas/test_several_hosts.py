"""Two machines that share a PostgreSQL and a bucket, and no folder: what one does the other goes on with."""

import re

import httpx
import pytest

from demo.waiting import wait_for
from tests.siege import LABELS

# Twice as long as a worker may be missed at most; how long that is, `bench_replicas` says.
MISSED_S = 60.0


@pytest.fixture(scope="module")
def fleet(make_fleet, label_studio):
    return make_fleet(label_studio)


@pytest.fixture
def calm(fleet, s3_environment):
    """Nothing is left to do."""
    wait_for(lambda: not fleet.fault(), f"all is done, but {fleet.fault()}", timeout_s=120)
    return fleet


def predict(fleet, host):
    """What one machine answers for a task of the project: its version, and the results."""
    with fleet.inside.people():
        task = next(task for task in fleet.inside.tasks.values() if not task["annotations"])
        project = fleet.inside.projects[fleet.project]
        body = {
            "tasks": [fleet.inside._simple_task(task["id"])],
            "project": fleet.inside._reference(project),
            "label_config": project["label_config"],
        }
    answer = httpx.post(f"{host.url}/predict", json=body, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"][0]


def test_a_version_that_one_publishes_is_what_all_answer_from_that_moment_on(calm):
    before = calm.version()
    calm.label(LABELS)
    version = wait_for(lambda: calm.version() != before and calm.version(), "a new version", timeout_s=60)
    answered = [predict(calm, host) for host in calm.hosts]
    assert {one["model_version"] for one in answered} == {version}
    assert answered[0]["result"] == answered[1]["result"] and answered[0]["result"]


def test_the_worker_of_either_answers_the_webhooks_of_the_other(calm):
    for host in calm.hosts:
        host.worker.kill()
        before = calm.version()
        calm.label(LABELS)
        wait_for(lambda before=before: calm.version() != before, "a new version", timeout_s=60)
        host.worker.start()
        wait_for(lambda: not calm.fault(), "all is done", timeout_s=60)


def test_no_machine_has_a_queue_of_its_own(calm):
    assert not list(calm.folder.rglob("jobs.db")) and not list(calm.folder.rglob("nextlabel.db"))


def test_a_worker_frozen_past_its_lease_is_replaced_and_changes_nothing_when_it_wakes(calm):
    frozen = []

    def freeze_once(request):
        if request.url.path.endswith("/import/predictions") and not frozen:
            frozen.append(calm.holder())
            frozen[0].worker.freeze()

    before = calm.version()
    calm.inside.before_answering.append(freeze_once)
    calm.label(LABELS)
    wait_for(lambda: bool(frozen), "a worker publishes", timeout_s=60)
    (host,) = frozen
    try:
        (other,) = (one for one in calm.hosts if one is not host)
        wait_for(lambda: calm.holder() is other or calm.version() != before, "the other", timeout_s=MISSED_S)
        wait_for(lambda: not calm.fault(), "the other publishes", timeout_s=60)
        version = calm.version()
        assert version != before
    finally:
        calm.inside.before_answering.remove(freeze_once)
        host.worker.thaw()
    wait_for(lambda: "code=lease-lost" in host.worker.said(), "it notices", timeout_s=60)
    wait_for(lambda: not calm.fault(), "all is done", timeout_s=60)
    assert calm.version() == version
    assert calm.torn_versions() == []


def test_a_worker_that_is_told_to_end_leaves_nothing_to_wait_for(calm):
    host = calm.hosts[0]
    assert host.worker.end()
    assert not re.search("Traceback", host.worker.said())
    assert calm.holder() is None
    host.worker.start()
