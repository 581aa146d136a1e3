"""A backend that asks for a log-in, and for a secret on webhooks."""

import httpx
import pytest

from tests.e2e.connected import ConnectedProject

LOG_IN = ("label-studio", "a-password-of-tests")
SECRET = "a-secret-of-tests"
WINDOW = 10


@pytest.fixture
def connected(admin, make_backend, documents):
    backend = make_backend(BASIC_AUTH_USER=LOG_IN[0], BASIC_AUTH_PASS=LOG_IN[1], WEBHOOK_SECRET=SECRET)
    backend.start()
    connected = ConnectedProject.create(admin, backend, documents[:40])
    connected.log_in = LOG_IN
    return connected.connect(queue_window=WINDOW, retrain_every_labels=3)


def test_a_secured_backend_connects_retrains_and_refuses_strangers(connected):
    assert connected.report["in_order"]
    assert {finding["verdict"] for finding in connected.run("doctor")["findings"]} == {"ok"}
    (hook,) = connected.webhooks()
    for action in ("ANNOTATION_CREATED", "START_TRAINING"):
        answer = httpx.post(hook["url"], json={"action": action}, trust_env=False)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
    status_page = f"{connected.backend.url}/projects/{connected.project.id}.json"
    assert httpx.get(status_page, trust_env=False).status_code == httpx.codes.UNAUTHORIZED

    cold = connected.version
    connected.label_served(3)
    by_webhook = connected.wait_for_version_after(cold)
    connected.label_served(1)
    connected.start_training()
    connected.wait_for_version_after(by_webhook)
    assert connected.wait_for_worker()["figures"]["labels"] == 4
