"""The encoder of a project: chosen by its texts, or named by people; changed without mixing two spaces."""

import pytest

from backend.errors import EncoderUnavailable
from backend.label_studio.label_config import parse_label_config
from backend.simulation.labels import encode_rows
from backend.simulation.rows import LabelledText
from backend.workflows.connection.connect import ConnectOptions, connect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.connection.setup import take_setup
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.project.progress import Silent
from backend.workflows.serving.predict import predict_tasks
from model.encoders.hashing import HashingEncoder
from tests.topics import write_texts

CHINESE = [
    f"{who}{what}{number}" for who in ("小猫在", "小狗在") for what in ("睡觉", "玩球") for number in range(5)
]
MULTILINGUAL = HashingEncoder(48)
WITH_MULTILINGUAL = ConnectOptions(encoder="multilingual")


@pytest.fixture
def texts():
    return CHINESE


@pytest.fixture
def project_id(label_studio, texts):
    return label_studio.add_project(texts=texts)


@pytest.fixture
def installed(context, monkeypatch):
    """The multilingual encoder is there; a small one stands in for it."""
    monkeypatch.setattr(context.encoders.named("multilingual"), "_load", lambda: MULTILINGUAL)


@pytest.fixture
def missing(context, monkeypatch):
    def fail():
        raise ValueError("it is not installed: run `make setup`")

    monkeypatch.setattr(context.encoders.named("multilingual"), "_load", fail)


@pytest.fixture
def installed_later(context, monkeypatch):
    def act():
        monkeypatch.setattr(context.encoders.named("multilingual"), "_load", lambda: MULTILINGUAL)

    return act


def language_finding(workbench):
    (found,) = [row for row in diagnose(workbench.context, workbench.project_id) if row.check == "language"]
    return found


def encoders_of(workbench):
    """Encoders of the vectors that the project's tasks have."""
    snapshot = take_snapshot(workbench.workspace, parse_label_config(workbench.project.label_config))
    assert len(snapshot.embeddings) == len(workbench.tasks)
    return snapshot.embeddings.encoder


def test_texts_that_are_clearly_not_english_get_the_multilingual_encoder(workbench, installed):
    report = workbench.connect()
    assert workbench.project.encoder == "multilingual"
    assert encoders_of(workbench) == MULTILINGUAL.revision
    assert any("encoder set to 'multilingual': the texts are not English" in line for line in report.changes)
    assert language_finding(workbench).verdict == "ok"
    assert workbench.connect().changes == []


@pytest.mark.parametrize("texts", [write_texts(40), ["A-12", "B-7", "x"], []])
def test_other_texts_keep_the_encoder_of_the_environment(workbench, installed, encoder):
    report = workbench.connect()
    assert workbench.project.encoder is None
    assert workbench.workspace.encoder.get() is encoder
    assert not any("encoder" in line for line in report.changes)
    assert language_finding(workbench).verdict == "ok"


def test_where_it_is_not_installed_the_doctor_offers_it(workbench, missing, encoder):
    workbench.connect()
    assert workbench.workspace.encoder.get() is encoder
    found = language_finding(workbench)
    assert found.verdict == "warning"
    assert found.cure == f"Run: nextlabel connect {workbench.project_id} --encoder multilingual"
    with pytest.raises(EncoderUnavailable, match="make setup"):
        connect(
            workbench.context, workbench.project_id, ConnectOptions(encoder="multilingual"), progress=Silent()
        )
    assert workbench.project.encoder is None


@pytest.mark.parametrize("texts", [[f"the {text} and that is all" for text in write_texts(16)] + CHINESE])
def test_of_a_mixed_pool_the_doctor_tells_and_nothing_is_chosen(workbench, installed):
    workbench.connect()
    assert workbench.project.encoder is None
    assert language_finding(workbench).verdict == "warning"


def test_an_encoder_that_somebody_named_stays(workbench, installed, context, monkeypatch):
    monkeypatch.setattr(context.encoders.named("english"), "_load", lambda: HashingEncoder(32))
    connect(context, workbench.project_id, ConnectOptions(encoder="english"), progress=Silent())
    assert encoders_of(workbench) == HashingEncoder(32).revision
    workbench.connect()
    assert workbench.project.encoder == "english"


def test_a_project_with_labels_is_not_changed_without_being_asked(workbench, missing, installed_later):
    workbench.connect()
    workbench.label_studio.annotate(min(workbench.tasks), "cats")
    workbench.loop()
    installed_later()
    workbench.connect()
    assert workbench.project.encoder is None


@pytest.mark.parametrize("texts", [[]])
def test_a_project_that_was_connected_empty_is_chosen_for_when_its_texts_come(workbench, installed):
    workbench.connect()
    assert workbench.project.encoder is None
    workbench.label_studio.add_tasks(workbench.project_id, [{"text": text} for text in CHINESE])
    workbench.loop()
    assert workbench.project.encoder == "multilingual"
    assert encoders_of(workbench) == MULTILINGUAL.revision


def test_an_encoder_named_later_encodes_anew_and_never_mixes_two_spaces(workbench, missing, installed_later):
    workbench.connect()
    first = workbench.version
    config = parse_label_config(workbench.project.label_config)
    installed_later()
    workbench.workspace.change(encoder="multilingual")
    (answer,) = predict_tasks(workbench.workspace, [{"id": -1, "data": {"text": "小猫 cats"}}], config)
    assert answer["result"][0]["value"]["choices"] == ["cats"]  # by names, as the version is of another space
    told = []
    report = connect(
        workbench.context, workbench.project_id, ConnectOptions(encoder="multilingual"), progress=Heard(told)
    )
    assert report.loop.record.encoded == len(CHINESE)
    assert ("encoding texts", len(CHINESE)) in told
    assert workbench.version != first
    manifests = [
        workbench.context.registry.load(workbench.project.key, version)[1]
        for version in (first, workbench.version)
    ]
    assert manifests[1].encoder == encoders_of(workbench) == MULTILINGUAL.revision != manifests[0].encoder


class Heard(Silent):
    """Progress that keeps its stages."""

    def __init__(self, told):
        self._told = told

    def stage(self, name, total=None):
        self._told.append((name, total))


@pytest.mark.parametrize("name", ["encoder", "text_encoder"])
def test_what_label_studio_sends_never_names_an_encoder(workbench, missing, name):
    workbench.connect()
    body = {"project": workbench.project.reference, "extra_params": {"nextlabel": {name: "/etc/passwd"}}}
    take_setup(workbench.context, body)
    assert workbench.project.encoder is None
    assert workbench.workspace.encoder.get().revision != "/etc/passwd"
    assert workbench.workspace.settings_passed_over == {name: "/etc/passwd"}


@pytest.mark.parametrize(("texts", "revision"), [(CHINESE, MULTILINGUAL.revision), (write_texts(20), None)])
def test_simulations_choose_in_the_same_way(context, installed, encoder, texts, revision):
    rows = [LabelledText(text, str(number % 2), None) for number, text in enumerate(texts)]
    embeddings, names = encode_rows(context, rows, with_names=True, progress=Silent())
    assert embeddings.encoder == (revision or encoder.revision)
    assert names.shape[1] == embeddings.vectors.shape[1]
