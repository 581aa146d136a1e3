"""Rollback: an earlier version serves again, and holds until there is something new."""

import pytest

from backend.errors import NotConnected, NotFound
from backend.workflows.project.progress import Silent
from backend.workflows.serving.rollback import rollback


def go_back(workbench, version):
    return rollback(workbench.workspace, version, progress=Silent())


def test_the_earlier_version_serves_again(trained):
    assert go_back(trained, "nl-000002") == 10
    assert trained.version == trained.remote["model_version"] == trained.backend["title"] == "nl-000002"
    assert trained.backend["model_version"] == "nl-000002"
    assert trained.served() == trained.window


def test_its_window_is_made_of_what_is_unlabelled_now(trained):
    go_back(trained, "nl-000002")
    assert all(not trained.tasks[task_id]["is_labeled"] for task_id in trained.window)
    assert len(set(trained.scores)) == len(trained.label_studio.published(1, "nl-000002")) == 10


def test_a_version_by_label_names_can_serve_again_whose_predictions_are_gone(trained):
    assert trained.label_studio.published(1, "nl-000001-label-names") == {}
    assert go_back(trained, "nl-000001-label-names") == 10
    assert trained.served() == trained.window


def test_live_answers_come_from_the_version_that_serves(trained, label_studio):
    go_back(trained, "nl-000002")
    outside = next(
        task_id
        for task_id, task in trained.tasks.items()
        if task_id not in trained.window and not task["is_labeled"]
    )
    label_studio.predictions = {
        key: row for key, row in label_studio.predictions.items() if row["task"] != outside
    }
    (stored,) = label_studio.open_task(outside)
    assert stored["model_version"] == "nl-000002"


def test_it_holds_until_something_new_is_said(trained):
    go_back(trained, "nl-000002")
    assert trained.loop().outcome == "unchanged"
    assert trained.version == "nl-000002"
    trained.label(1)
    assert trained.loop().outcome == "published"
    assert trained.version == "nl-000004"
    assert trained.served() == trained.window


def test_going_back_and_forth_works(trained):
    for version in ("nl-000002", "nl-000003", "nl-000002"):
        go_back(trained, version)
        assert trained.version == version
        assert trained.served() == trained.window


def test_going_back_to_the_version_that_serves_changes_nothing(trained, label_studio):
    label_studio.calls.clear()
    assert go_back(trained, "nl-000003") == 10
    assert label_studio.writes == []


def test_an_unknown_version_is_not_found_with_the_cure(trained):
    with pytest.raises(NotFound, match="no version 'nl-000099'") as caught:
        go_back(trained, "nl-000099")
    assert "nextlabel versions 1" in caught.value.hint


@pytest.mark.parametrize("version", ["", "../../etc", "nl-000002/../nl-000003", "a" * 300])
def test_a_name_that_is_no_version_is_not_found(version, trained):
    with pytest.raises(NotFound):
        go_back(trained, version)


def test_a_version_that_cannot_be_read_is_no_way_back(trained, settings):
    (settings.model_folder / trained.project.key / "nl-000002" / "manifest.json").write_text("{")
    with pytest.raises(NotFound, match="cannot be read") as caught:
        go_back(trained, "nl-000002")
    assert "nextlabel versions 1" in caught.value.hint
    assert trained.version == "nl-000003" and trained.served() == trained.window


def test_without_a_backend_in_label_studio_nothing_is_changed(trained, label_studio):
    label_studio.backends.clear()
    label_studio.calls.clear()
    with pytest.raises(NotConnected):
        go_back(trained, "nl-000002")
    assert trained.version == "nl-000003"
    assert label_studio.writes == []


def test_a_kill_in_the_middle_leaves_the_newer_version_serving(trained, monkeypatch):
    served = trained.served()

    def kill(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("backend.workflows.serving.publish.activate", kill)
        with pytest.raises(KeyboardInterrupt):
            go_back(trained, "nl-000002")
    assert trained.served() == served
    assert go_back(trained, "nl-000002") == 10
    assert trained.served() == trained.window


def test_labels_that_left_the_config_meanwhile_are_not_suggested(trained, label_studio):
    label_studio.change_project(
        trained.project_id,
        label_config='<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
        '<Choice value="cats"/><Choice value="birds"/></Choices></View>',
    )
    trained.loop()
    assert go_back(trained, "nl-000002") == 10
    suggested = {
        region["value"]["choices"][0] for task_id in trained.window for region in trained.result_of(task_id)
    }
    assert suggested <= {"cats", "birds"}
