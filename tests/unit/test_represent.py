"""What the head of a live project looks at: chosen in the loop, stored with the version, used by /predict."""

import shutil

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.project.progress import Silent
from backend.workflows.publish_all import publish_project
from backend.workflows.serving.predict import predict_tasks
from backend.workflows.serving.rollback import rollback
from backend.workflows.training.represent import version_words
from backend.workflows.views.status import project_status
from backend.workflows.views.versions import list_versions
from model.encoders.hashing import HashingEncoder
from model.representations.choice import FEWEST_LABELS
from tests.stored_vectors import stored_vectors
from tests.topics import topic_of, write_texts

TASKS = 120


@pytest.fixture
def encoder():
    """Two numbers a text: it hardly tells topics apart, so that words are worth a look."""
    return HashingEncoder(2)


@pytest.fixture
def project_id(label_studio):
    return label_studio.add_project(texts=write_texts(TASKS))


@pytest.fixture
def by_words(workbench, bring_to):
    """A project whose labels have chosen words."""

    def act():
        workbench.connect()
        workbench.label(FEWEST_LABELS + 4)
        workbench.loop()

    return bring_to("by words", workbench, act)


def manifest(workbench):
    return workbench.context.registry.load(workbench.project.key, workbench.version)[1]


def config_of(workbench):
    return parse_label_config(workbench.project.label_config)


def add_texts(workbench, count):
    texts = [f"{text} too" for text in write_texts(count, seed=5)]
    workbench.label_studio.add_tasks(workbench.project_id, [{"text": text} for text in texts])


def counted(workbench):
    """Revisions of words of which counts are kept, and of how many texts."""
    found = stored_vectors(workbench.context)
    return {revision: len(vectors) for revision, vectors in found.items() if revision.startswith("tfidf@")}


def test_with_few_labels_the_encoder_is_used_and_nothing_is_counted(workbench):
    workbench.connect()
    workbench.label(FEWEST_LABELS - 1)
    assert workbench.loop().figures["representation"] == "encoder"
    assert (manifest(workbench).representation, manifest(workbench).words) == ("encoder", None)
    assert counted(workbench) == {}


def test_the_labels_choose_words_where_the_encoder_is_blind(by_words):
    assert manifest(by_words).representation in {"joined", "tfidf"}
    assert counted(by_words) == {manifest(by_words).words: TASKS}
    metrics = manifest(by_words).metrics
    assert metrics["loss_encoder"] > metrics[f"loss_{manifest(by_words).representation}"]
    assert metrics["out_of_fold_accuracy"] > 0.9


def test_the_second_loop_does_nothing(by_words):
    report = by_words.loop()
    assert report.outcome == "unchanged"


def test_versions_tell_what_their_heads_look_at(by_words):
    rows = list_versions(by_words.workspace)
    assert [row["representation"] for row in rows] == [manifest(by_words).representation, "encoder"]


def test_the_status_tells_it_too(by_words):
    row = project_status(by_words.workspace)
    assert row["representation"] == manifest(by_words).representation


def test_a_project_too_large_to_count_words_keeps_to_the_encoder(by_words, monkeypatch):
    monkeypatch.setattr("backend.workflows.training.represent.MOST_TASKS", TASKS - 1)
    by_words.label(1)
    by_words.loop()
    assert manifest(by_words).representation == "encoder"


def test_live_answers_agree_with_the_window(by_words):
    waiting = [task_id for task_id in by_words.window if by_words.result_of(task_id)]
    assert waiting
    tasks = [{"id": -1, "data": by_words.tasks[task_id]["data"]} for task_id in waiting]
    answers = predict_tasks(by_words.workspace, tasks, config_of(by_words))
    assert [row["result"][0]["value"] for row in answers] == [
        by_words.result_of(task_id)[0]["value"] for task_id in waiting
    ]


def test_unseen_texts_are_answered_by_their_words_and_odd_ones_too(by_words):
    texts = [*write_texts(20, seed=9), "", "zzz", "日本語"]
    tasks = [{"id": -1, "data": {"text": text}} for text in texts]
    answers = predict_tasks(by_words.workspace, tasks, config_of(by_words))
    said = [row["result"][0]["value"]["choices"][0] for row in answers[:20]]
    assert sum(name == topic_of(text) for name, text in zip(said, texts, strict=False)) >= 18
    assert len(answers) == len(texts)


def test_a_rollback_to_the_names_and_back_serves_by_words_again(by_words):
    version, window = by_words.version, by_words.window
    rollback(by_words.workspace, "nl-000001-label-names", progress=Silent())
    rollback(by_words.workspace, version, progress=Silent())
    assert by_words.window == window
    assert by_words.served() == window


def test_a_low_window_is_filled_up_by_the_same_head(by_words):
    lost, before = by_words.window[3:], {task_id: by_words.result_of(task_id) for task_id in by_words.window}
    by_words.label_studio.predictions = {
        key: row for key, row in by_words.label_studio.predictions.items() if row["task"] not in lost
    }
    assert by_words.loop().outcome == "topped-up"
    assert {task_id: by_words.result_of(task_id) for task_id in by_words.window} == before


def test_everything_can_be_published_by_words(by_words):
    sent = publish_project(by_words.workspace, everything=True, progress=Silent())
    assert sent == TASKS - (FEWEST_LABELS + 4) - 10


def test_new_tasks_have_their_words_counted_by_the_words_there_are(by_words):
    before = manifest(by_words).words
    add_texts(by_words, 3)
    assert by_words.loop().outcome == "published"
    assert manifest(by_words).words == before
    assert counted(by_words) == {before: TASKS + 3}


def test_many_new_tasks_bring_new_words_and_the_old_counts_go(by_words):
    before = manifest(by_words).words
    add_texts(by_words, 60)
    by_words.loop()
    assert manifest(by_words).words != before
    assert counted(by_words) == {manifest(by_words).words: TASKS + 60}
    assert version_words(by_words.workspace, manifest(by_words)) is not None


def test_lost_words_are_fitted_again_with_the_same_bits(by_words):
    workspace, window = by_words.workspace, by_words.window
    folder = by_words.context.settings.model_folder / workspace.key / "words"
    contents = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(contents) == 2  # words and characters
    shutil.rmtree(folder)
    report = by_words.loop()
    assert report.outcome == "published"
    assert {path: path.read_bytes() for path in folder.iterdir()} == contents
    assert by_words.window == window


def test_a_snapshot_is_seen_by_the_encoder_until_a_head_says_otherwise(by_words):
    snapshot = take_snapshot(by_words.workspace, config_of(by_words))
    assert snapshot.features is snapshot.embeddings
