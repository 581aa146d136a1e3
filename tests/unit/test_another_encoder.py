"""A version made with another encoder than the project has now: its vectors are of another space."""

import pytest

from backend.errors import BadRequest
from backend.label_studio.label_config import parse_label_config
from backend.workflows.project.progress import Silent
from backend.workflows.serving.predict import predict_tasks
from backend.workflows.serving.rollback import rollback
from model.encoders.hashing import HashingEncoder


class Turned(HashingEncoder):
    """Vectors as long as those of the default encoder, in another space."""

    @property
    def revision(self):
        return "turned@v1"

    def encode(self, texts, **options):
        return super().encode(texts, **options)[:, ::-1].copy()


@pytest.fixture
def turned(trained, monkeypatch):
    """A project with trained versions, whose encoder somebody changed a moment ago."""
    monkeypatch.setattr(trained.context.encoders.named("multilingual"), "_load", lambda: Turned(64))
    trained.workspace.change(encoder="multilingual")
    return trained


def test_until_the_loop_is_done_label_names_answer_but_not_under_the_name_of_a_trained_version(turned):
    config = parse_label_config(turned.remote["label_config"])
    (answer,) = predict_tasks(turned.workspace, [{"id": None, "data": {"text": "about cats"}}], config)
    assert answer["result"][0]["value"]["choices"] == ["cats"]
    assert answer["model_version"] == "nl-000000-label-names"


def test_it_is_no_way_back(turned):
    turned.loop()
    serving = turned.version
    with pytest.raises(BadRequest, match="made with another encoder"):
        rollback(turned.workspace, "nl-000003", progress=Silent())
    assert turned.version == turned.remote["model_version"] == serving
    assert len(turned.scores) == len(turned.window) == 10


def test_with_its_encoder_back_it_can_serve_again(turned):
    turned.loop()
    turned.workspace.change(encoder=None)
    assert rollback(turned.workspace, "nl-000003", progress=Silent()) == 10
    assert turned.version == "nl-000003"
