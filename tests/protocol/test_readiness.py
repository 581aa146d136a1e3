"""/healthz says that the process lives, /readyz which of its parts can be used."""

import shutil

import pytest


@pytest.fixture
def client(context, make_app):
    client = make_app(context).test_client()
    context.encoder.get()
    return client


def ready(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.get_json()


def test_with_all_parts_there_it_is_ready(client):
    parts = {"encoder": "ready", "database": "ready", "store": "ready"}
    assert ready(client) == (200, {"status": "ready", "parts": parts})


def test_without_its_encoder_it_lives_and_is_not_ready(client, context):
    context.encoder._encoder = None
    code, answer = ready(client)
    assert (code, answer["status"], answer["parts"]["encoder"]) == (503, "not ready", "not loaded")
    assert client.get("/healthz").get_json() == {"status": "alive"}
    assert client.get("/health").status_code == 200


def test_without_its_database_it_lives_and_is_not_ready(client, database_fails, caplog):
    with database_fails("FROM projects"):
        code, answer = ready(client)
        assert client.get("/healthz").status_code == 200
    assert (code, answer["parts"]["database"]) == (503, "does not answer")
    assert "part=database" in caplog.text and "full" not in str(answer)
    assert ready(client)[0] == 200


def test_a_store_that_was_not_mounted_or_does_not_answer_is_named(trained, make_app, monkeypatch):
    client = make_app(trained.context).test_client()
    trained.context.encoder.get()
    assert ready(client)[0] == 200
    folder = trained.context.settings.data_dir / "models"
    shutil.move(folder, folder.with_name("elsewhere"))
    code, answer = ready(client)
    assert (code, answer["parts"]["store"]) == (503, "a version in use is missing")

    def fail(_project):
        raise OSError("no route to s3://bucket")

    monkeypatch.setattr(type(trained.context.registry), "versions", lambda _self, project: fail(project))
    code, answer = ready(client)
    assert (code, answer["parts"]["store"]) == (503, "does not answer")
    assert "bucket" not in str(answer)
