"""`disconnect` takes back what `connect` brought, and nothing else."""

from tests.e2e.connected import ConnectedProject

SETTINGS = {"queue_window": 10, "retrain_every_labels": 3}


def test_disconnect_undoes_connect_leaves_the_work_of_people_and_can_be_undone(
    admin, shared_backend, documents
):
    connected = ConnectedProject.create(admin, shared_backend, documents[:30])
    connected.change_settings(sampling="Uniform sampling")
    cold = connected.connect(**SETTINGS).version
    labelled = connected.label_served(3)
    trained = connected.wait_for_version_after(cold)
    connected.wait_for_worker()
    order = connected.window()
    foreign_webhook = _add_foreign_things(connected)

    done = shared_backend.command_line("disconnect", str(connected.project.id))

    assert done.returncode == 0, done.stderr
    assert connected.ml_backends() == []
    assert [hook["id"] for hook in connected.webhooks()] == [foreign_webhook]
    assert connected.stored_versions() == {"somebody-else": 1}
    assert connected.project.settings()["sampling"] == "Uniform sampling"
    assert [len(connected.annotations(task_id)) for task_id in labelled] == [1, 1, 1]
    assert connected.status()["connected"] is False
    assert connected.project.serve_next()["id"] not in labelled

    connected.connect(**SETTINGS)
    assert connected.window() == order
    assert connected.version > trained


def _add_foreign_things(connected):
    """A prediction and a webhook of somebody else; returns the id of the webhook."""
    prediction = {"task": connected.window()[0], "result": [], "score": 0.5, "model_version": "somebody-else"}
    connected.client.post("/api/predictions/", json=prediction).raise_for_status()
    hook = {"project": connected.project.id, "url": "http://127.0.0.1:9/elsewhere", "is_active": False}
    return connected.client.post("/api/webhooks/", json=hook).raise_for_status().json()["id"]
