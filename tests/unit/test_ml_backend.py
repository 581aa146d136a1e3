"""The class that users of the label-studio-ml library know, as either version of the library calls it."""

import pytest
from label_studio_ml.model import LabelStudioMLBase

from backend.errors import BadRequest, NotFound
from backend.ml_backend import NextlabelModel
from backend.workflows.project.hints import is_due

CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="topic" toName="text"><Choice value="cats"/><Choice value="dogs"/></Choices></View>'
)


@pytest.fixture
def model_class(context):
    return NextlabelModel.bound_to(context)


def test_it_is_a_backend_of_the_library(model_class):
    assert issubclass(model_class, LabelStudioMLBase)
    assert model_class.__name__ == "NextlabelModel"


def test_two_backends_do_not_share_their_context(model_class, make_context, make_settings, tmp_path):
    other = make_context(make_settings(data_dir=tmp_path / "other"))
    assert NextlabelModel.bound_to(other).context is not model_class.context


def test_it_predicts_like_the_route(model_class, connected):
    model = model_class(project_id=connected.project.reference, label_config=CONFIG)
    (prediction,) = model.predict([{"id": 5000, "data": {"text": "about cats"}}])
    assert prediction["model_version"] == model.get_version() == connected.version
    assert prediction["result"][0]["value"] == {"choices": ["cats"]}


def test_without_a_project_it_answers_by_the_label_names(model_class):
    model = model_class(label_config=CONFIG)
    assert model.project is None
    (prediction,) = model.predict([{"data": {"text": "dogs"}}], context={"any": "thing"}, more=1)
    assert prediction["result"][0]["value"] == {"choices": ["dogs"]}


@pytest.mark.parametrize("config", [None, "", "  ", "<View/>"])
def test_without_a_config_it_leaves_every_task_blank(config, model_class):
    assert model_class(label_config=config).predict([{"data": {"text": "x"}}])[0]["result"] == []


def test_a_config_that_is_no_xml_is_named(model_class):
    with pytest.raises(BadRequest):
        model_class(label_config="<View").predict([{"data": {"text": "x"}}])


def test_a_reference_that_is_none_is_named(model_class):
    with pytest.raises(BadRequest):
        _ = model_class(project_id="seven").project


@pytest.mark.parametrize("released", [True, False], ids=["1.0.9", "2.x"])
def test_fit_takes_an_event_and_never_trains(released, model_class, connected, label_studio):
    data = {"action": "START_TRAINING", "project": label_studio.projects[1]}
    model = model_class(project_id=connected.project.reference, label_config=CONFIG)
    version = connected.version
    if released:
        answer = model.fit((), event="START_TRAINING", data=data, job_id="1", workdir="/tmp")
    else:
        answer = model.fit("START_TRAINING", data)
    assert answer == {"model_version": version}
    assert is_due(connected.workspace)
    assert connected.version == version


def test_fit_of_an_unknown_project_is_refused(model_class):
    data = {"project": {"id": 99, "created_at": "2026-01-01T00:00:00Z"}}
    with pytest.raises(NotFound):
        model_class().fit("START_TRAINING", data)


def test_fit_without_an_event_does_nothing(model_class):
    assert model_class().fit(()) == {"model_version": "nl-000000-label-names"}
