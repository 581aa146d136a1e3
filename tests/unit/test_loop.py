"""The loop: look at Label Studio, work out what is missing, do it; the second does nothing."""

import shutil
from datetime import datetime

import httpx
import pytest
from sqlalchemy import select

from backend.database import Loop, Task
from backend.errors import LabelStudioUnreachable, NotConnected, NotFound, UnsupportedConfig
from backend.label_studio.client import UnknownTask
from backend.label_studio.queue_order import window_score
from backend.label_studio.tabs import NOTE_FIELD
from backend.workflows.serving.lines import MOST_LINES
from tests.fake_label_studio import ADMIN, SOMEBODY_ELSE, is_valid_prediction
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench


def labels(workbench):
    """Label by task, as the backend knows it."""
    with workbench.context.database.session() as session:
        rows = session.execute(
            select(Task.task_id, Task.label).where(Task.project_id == workbench.project.id)
        )
        return {row.task_id: row.label for row in rows if row.label}


def history(workbench):
    with workbench.context.database.session() as session:
        return list(session.scalars(select(Loop).order_by(Loop.id)))


def shown_lines(workbench):
    """The line that each task shows in Label Studio."""
    return {task_id: task["data"].get(NOTE_FIELD, "") for task_id, task in workbench.tasks.items()}


def places_of_version(workbench):
    """What names the version in use: /setup, our row, the project, and the name and row of the backend."""
    setup = workbench.label_studio.asked and workbench.backend["model_version"]
    return {workbench.version, workbench.remote["model_version"], workbench.backend["title"], setup}


# Before the first label


def test_the_first_window_is_served_in_the_order_published(connected):
    assert connected.version == "nl-000001-label-names"
    assert len(connected.window) == 10
    assert connected.served() == connected.window


def test_the_window_takes_the_lower_half_of_the_scores_by_position(connected):
    expected = {task_id: window_score(place, window=10) for place, task_id in enumerate(connected.window)}
    assert connected.scores == expected


def test_before_the_first_label_suggestions_go_by_the_names_and_leave_no_note_in_annotations(connected):
    suggested = [task_id for task_id in connected.window if connected.result_of(task_id)]
    assert len(suggested) == 8
    for task_id in suggested:
        connected.label_studio.accept(task_id)
    submitted = [
        region
        for task in suggested
        for said in connected.tasks[task]["annotations"]
        for region in said["result"]
    ]
    assert len(submitted) == 8 and all("meta" not in region for region in submitted)


def test_audit_tasks_keep_their_place_and_come_without_a_suggestion(connected):
    blind = [place for place, task_id in enumerate(connected.window) if not connected.result_of(task_id)]
    assert len(blind) == 2  # 15 % of a window of ten, rounded up


def test_every_place_names_the_same_version(connected):
    assert places_of_version(connected) == {"nl-000001-label-names"}
    _head, manifest = connected.workspace.registry.load(connected.workspace.key, connected.version)
    assert manifest.version == connected.version
    assert connected.window and set(connected.scores) == set(connected.window)


# With labels


def test_labels_train_a_model_and_change_the_queue(connected):
    done = connected.label(10)
    report = connected.loop()
    assert (report.outcome, report.version) == ("published", "nl-000002")
    assert report.figures["labels"] == 10
    assert connected.served() == connected.window
    assert not set(done) & set(connected.window)
    assert places_of_version(connected) == {"nl-000002"}


def test_suggestions_of_a_trained_model_are_right_and_carry_no_note(connected):
    connected.label(10)
    connected.loop()
    for task_id in connected.window:
        for region in connected.result_of(task_id):
            assert region["value"]["choices"] == [topic_of(connected.tasks[task_id]["data"]["text"])]
            assert "meta" not in region


def test_every_published_prediction_is_valid_for_the_config(connected):
    connected.label(10)
    connected.loop()
    for row in connected.label_studio.predictions.values():
        assert is_valid_prediction(row, connected.remote["label_config"])


def test_publishing_costs_two_writes_and_one_by_line_whatever_the_size_of_the_pool(connected):
    connected.label_studio.add_tasks(
        connected.project_id, [{"text": text} for text in write_texts(300, seed=3)]
    )
    connected.label(10)
    before = shown_lines(connected)
    connected.label_studio.calls.clear()
    writes = connected.loop().figures["until_published"]["writes"]
    now = shown_lines(connected)
    changed = {now[task_id] for task_id in connected.window if now[task_id] != before[task_id]}
    assert 0 < len(changed) <= MOST_LINES
    assert writes == 2 + len(changed)
    assert connected.label_studio.writes[: writes - 1] == [
        *[("POST", "/api/dm/actions")] * len(changed),
        ("POST", f"/api/projects/{connected.project_id}/import/predictions"),
    ]


def test_the_second_loop_does_nothing(connected):
    connected.label(10)
    connected.loop()
    connected.label_studio.calls.clear()
    report = connected.loop()
    assert (report.outcome, report.version) == ("unchanged", "nl-000002")
    assert connected.label_studio.writes == []


def test_only_what_changed_is_fetched(connected):
    connected.loop()
    connected.label(3)
    assert connected.loop().figures["tasks_read"] <= 4
    assert connected.loop().figures["tasks_read"] <= 1


def test_nothing_is_encoded_twice(connected, encoder, monkeypatch):
    asked = []
    encode = type(encoder).encode
    monkeypatch.setattr(
        type(encoder),
        "encode",
        lambda self, texts, **options: asked.extend(texts) or encode(self, texts, **options),
    )
    text = connected.tasks[1]["data"]["text"]
    connected.label_studio.add_tasks(connected.project_id, [{"text": text}, {"text": "new"}, {"text": "new"}])
    connected.label(5)
    connected.loop()
    connected.loop()
    assert asked == ["new"]


def test_versions_that_served_long_ago_lose_their_predictions(connected):
    for _ in range(3):
        connected.label(4)
        connected.loop()
    stored = {row["model_version"] for row in connected.label_studio.predictions.values()}
    assert stored == {"nl-000003", "nl-000004"}


def test_the_predictions_of_others_are_left_alone(connected, label_studio):
    label_studio.store_prediction({"task": 1, "result": [], "score": 0.1, "model_version": "somebody-elses"})
    for _ in range(3):
        connected.label(4)
        connected.loop()
    assert label_studio.published(connected.project_id, "somebody-elses") == {1: 0.1}


def test_the_loops_are_written_down(connected):
    connected.label(10)
    connected.loop()
    connected.loop()
    first, second, third = history(connected)
    assert [loop.outcome for loop in (first, second, third)] == ["published", "published", "unchanged"]
    assert [loop.reason for loop in (first, second, third)] == ["connect", "test", "test"]
    assert second.version == "nl-000002" and second.error is None
    assert second.figures["metrics"]["audit_labels"] == 2
    assert set(second.figures["seconds"]) >= {"sync", "embed", "learn", "publish"}
    assert second.finished_at >= second.started_at


def test_the_audit_sample_measures_the_accuracy(connected):
    for _ in range(3):
        connected.label(8)
        metrics = connected.loop().figures["metrics"]
    assert metrics["labels"] == 24 and metrics["audit_labels"] >= 3
    assert metrics["audit_accuracy"] == 1.0
    assert metrics["audit_low"] < 1.0


def test_the_last_tasks_are_served_and_then_the_queue_is_empty(connected, label_studio):
    while label_studio.served_order(connected.project_id, 1):
        connected.label(min(8, len(connected.served(8))))
        connected.loop()
    assert connected.window == []
    assert len(labels(connected)) == 40
    assert label_studio.serve_next(connected.project_id) is None
    assert connected.loop().outcome == "unchanged"


def test_two_annotators_share_the_window_in_order(connected, label_studio):
    published, served = connected.window, []
    for turn in range(10):
        user = (ADMIN, SOMEBODY_ELSE)[turn % 2]
        served.append(label_studio.serve_next(connected.project_id, user=user)["id"])
        if turn % 2:
            for task_id, who in ((served[-2], ADMIN), (served[-1], SOMEBODY_ELSE)):
                label_studio.annotate(task_id, "cats", user=who)
    assert served == published


# What people say and take back


@pytest.fixture
def five_labels(connected, label_studio):
    """Tasks 1 to 5 are labelled cats, and the loop knows; their annotations by task."""
    said = {task_id: label_studio.annotate(task_id, "cats") for task_id in range(1, 6)}
    connected.loop()
    assert labels(connected) == dict.fromkeys(range(1, 6), "cats")
    return said


def test_a_changed_annotation_changes_the_label(connected, label_studio, five_labels):
    label_studio.change_annotation(five_labels[2], "dogs")
    assert connected.loop().outcome == "published"
    assert labels(connected)[2] == "dogs"


@pytest.mark.parametrize("quietly", [False, True])
def test_a_deleted_annotation_frees_its_task(connected, label_studio, five_labels, quietly):
    label_studio.delete_annotation(five_labels[2], quietly=quietly)
    assert connected.loop().outcome == "published"
    assert set(labels(connected)) == {1, 3, 4, 5}


def test_all_annotations_deleted_at_once_are_noticed(connected, label_studio, five_labels):
    for annotation in five_labels.values():
        label_studio.delete_annotation(annotation, quietly=True)
    report = connected.loop()
    assert report.version.endswith("-label-names")
    assert labels(connected) == {}


def test_an_annotation_deleted_quietly_while_another_comes_is_noticed(connected, label_studio, five_labels):
    label_studio.delete_annotation(five_labels[2], quietly=True)
    label_studio.annotate(9, "dogs")
    connected.loop()
    assert labels(connected) == {1: "cats", 3: "cats", 4: "cats", 5: "cats", 9: "dogs"}


def test_a_skipped_task_leaves_the_queue_without_a_label(connected, label_studio):
    skipped = connected.window[0]
    label_studio.skip(skipped)
    connected.loop()
    assert labels(connected) == {}
    assert skipped not in connected.window


def test_a_skipped_task_that_somebody_labels_after_all_counts(connected, label_studio):
    label_studio.skip(3)
    connected.loop()
    label_studio.annotate(3, "dogs", user=SOMEBODY_ELSE)
    connected.loop()
    assert labels(connected) == {3: "dogs"}


def test_a_task_submitted_without_a_choice_is_done_but_not_learned(connected, label_studio):
    first = connected.window[0]
    label_studio.annotate(first, None)
    connected.loop()
    assert labels(connected) == {}
    assert first not in connected.window


def test_several_annotators_vote_and_a_tie_does_not_label(make_context, make_app, settings, label_studio):
    project = label_studio.add_project(texts=write_texts(20), maximum_annotations=3)
    workbench = _connect(make_context, make_app, settings, label_studio, project)
    for user, first, second in [(1, "cats", "cats"), (2, "dogs", "dogs"), (3, "dogs", None)]:
        label_studio.annotate(1, first, user=user)
        if second:
            label_studio.annotate(2, second, user=user)
    workbench.loop()
    assert labels(workbench) == {1: "dogs"}
    label_studio.annotate(2, "cats", user=3)
    workbench.loop()
    assert labels(workbench) == {1: "dogs", 2: "cats"}


def test_new_tasks_join_the_pool(connected, label_studio):
    (new,) = label_studio.add_tasks(connected.project_id, [{"text": "bark leash kennel about dogs"}])
    report = connected.loop()
    assert report.figures["encoded"] == 1 and report.figures["pool"] == 41
    assert new in connected.tasks


def test_what_people_label_during_a_long_encoding_is_not_missed(
    connected, label_studio, encoder, monkeypatch
):
    monkeypatch.setattr("backend.workflows.loop._LONG_ENCODING", 2)
    encode, texts = type(encoder).encode, ["bark leash kennel", "purr whiskers", "leash and whiskers"]

    def encode_slowly(self, texts, **options):
        label_studio.annotate(1, "dogs", user=ADMIN)
        return encode(self, texts, **options)

    monkeypatch.setattr(type(encoder), "encode", encode_slowly)
    label_studio.add_tasks(connected.project_id, [{"text": text} for text in texts])
    report = connected.loop()
    assert (report.figures["encoded"], report.figures["labels"]) == (3, 1)
    assert labels(connected) == {1: "dogs"}


def test_deleted_tasks_leave_the_queue(connected, label_studio):
    gone = connected.window[:3]
    label_studio.delete_tasks(gone)
    report = connected.loop()
    assert report.figures["tasks_deleted"] == 3
    assert connected.served() == connected.window
    assert not set(gone) & set(connected.window)


def test_an_edited_task_is_read_anew(connected, label_studio):
    label_studio.edit_task(1, {"text": "a text of quite another kind"})
    report = connected.loop()
    assert (report.outcome, report.figures["encoded"]) == ("published", 1)


# What changes in the project


def with_labels(workbench, *names):
    choices = "".join(f'<Choice value="{name}"/>' for name in names)
    workbench.label_studio.change_project(
        workbench.project_id,
        label_config='<View><Text name="text" value="$text"/>'
        f'<Choices name="topic" toName="text">{choices}</Choices></View>',
    )


def test_a_new_label_in_the_config_is_suggested_after_the_next_loop(connected):
    connected.label(10)
    connected.loop()
    with_labels(connected, "cats", "dogs", "birds")
    report = connected.loop()
    assert report.outcome == "published"
    head, manifest = connected.context.registry.load(connected.project.key, report.version)
    assert manifest.classes == head.space.names == ("cats", "dogs", "birds")
    assert report.figures["labels"] == 10


def test_labels_that_left_the_config_are_forgotten_and_come_back_with_it(connected, label_studio):
    label_studio.annotate(1, "cats")
    label_studio.annotate(2, "dogs")
    connected.loop()
    with_labels(connected, "cats", "birds")
    connected.loop()
    assert labels(connected) == {1: "cats"}
    assert all(
        region["value"]["choices"][0] in {"cats", "birds"}
        for task_id in connected.window
        for region in connected.result_of(task_id)
    )
    with_labels(connected, "cats", "dogs")
    connected.loop()
    assert labels(connected) == {1: "cats", 2: "dogs"}


def test_a_config_that_cannot_be_learned_stops_the_loop_and_not_the_queue(connected, label_studio):
    before = connected.served()
    label_studio.change_project(
        connected.project_id,
        label_config='<View><Text name="text" value="$text"/><TextArea name="a" toName="text"/></View>',
    )
    with pytest.raises(UnsupportedConfig, match="<TextArea>"):
        connected.loop()
    assert connected.served() == before
    assert '<TextArea> "a" is not learned yet' in history(connected)[-1].error


@pytest.mark.parametrize("title", ["renamed", "by somebody"])
def test_a_changed_title_of_the_backend_is_mended(connected, title):
    connected.backend["title"] = title
    assert connected.loop().outcome == "mended"
    assert places_of_version(connected) == {connected.version}


@pytest.mark.parametrize("value", ["", None, "somebody-elses"])
def test_a_changed_version_of_the_project_is_mended(connected, label_studio, value):
    label_studio.store_prediction({"task": 1, "result": [], "score": 0.1, "model_version": "somebody-elses"})
    connected.remote["model_version"] = value
    report = connected.loop()
    assert (report.outcome, report.figures["mended"]) == ("mended", ["project version"])
    assert connected.served() == connected.window


def test_predictions_switched_off_and_on_again_are_mended(connected, label_studio):
    label_studio.change_project(connected.project_id, show_collab_predictions=False)
    assert connected.loop().outcome == "mended"
    assert connected.served() == connected.window


def test_a_removed_backend_is_named_with_the_cure(connected, label_studio):
    label_studio.backends.clear()
    with pytest.raises(NotConnected, match=r"http://backend\.test:9090") as caught:
        connected.loop()
    assert "nextlabel connect 1" in caught.value.hint


def test_predictions_that_somebody_deleted_are_published_again(connected, label_studio):
    lost = connected.window[:7]
    for key in [key for key, row in label_studio.predictions.items() if row["task"] in lost]:
        del label_studio.predictions[key]
    report = connected.loop()
    assert report.outcome == "topped-up"
    assert connected.served() == connected.window
    assert len(connected.window) == 10
    assert connected.loop().outcome == "unchanged"


def test_a_window_is_filled_up_behind_what_still_waits_and_nothing_is_sent_twice(connected, label_studio):
    waiting = connected.window[:3]
    lost = connected.window[3:]
    for key in [key for key, row in label_studio.predictions.items() if row["task"] in lost]:
        del label_studio.predictions[key]
    assert connected.loop().outcome == "topped-up"
    assert connected.window[:3] == waiting
    assert len(set(connected.window)) == len(connected.window) == 10
    sent = [row["task"] for row in label_studio.predictions.values()]
    assert sorted(sent) == sorted(connected.window)


def test_a_deleted_project_is_not_found(connected, label_studio):
    label_studio.delete_project(connected.project_id)
    with pytest.raises(NotFound):
        connected.loop()


def test_a_project_id_that_is_given_away_again_is_another_project(connected, label_studio):
    connected.label(10)
    connected.loop()
    label_studio.delete_project(connected.project_id)
    label_studio.add_project(project_id=connected.project_id, texts=write_texts(12, seed=5))
    with pytest.raises(NotFound, match="another one than was connected") as caught:
        connected.loop()
    assert "connect 1" in caught.value.hint
    connected.connect()
    assert connected.version == "nl-000001-label-names"
    assert labels(connected) == {}
    assert connected.served() == connected.window


# What Label Studio does not take


def before_the_import(label_studio, act):
    """Do something at the last moment before a window is imported, once."""
    done = []

    def look(request):
        if "import/predictions" in request.url.path and not done:
            done.append(True)
            act()

    label_studio.before_answering.append(look)


def test_a_task_deleted_while_the_loop_runs_is_left_out(connected, label_studio):
    connected.label(10)
    gone = []

    def delete():
        gone.extend(connected.served(1))
        others = [task_id for task_id in connected.tasks if not connected.tasks[task_id]["is_labeled"]]
        gone[:] = others[:12]
        label_studio.delete_tasks(gone)

    before_the_import(label_studio, delete)
    report = connected.loop()
    rejected = report.figures["rejected"]
    assert report.outcome == "published"
    assert rejected and set(rejected) <= set(gone)
    assert report.figures["window"] == 10 - len(rejected)
    assert connected.served(report.figures["window"]) == connected.window
    connected.loop()
    assert len(connected.window) == 10


def test_tasks_deleted_by_the_hundred_while_the_loop_runs_fail_it_and_the_old_window_stays(
    make_context, make_app, make_settings, label_studio
):
    project = label_studio.add_project(texts=write_texts(80))
    workbench = _connect(make_context, make_app, make_settings(queue_window=60), label_studio, project)
    workbench.label(5)
    version = workbench.version
    waiting = [task_id for task_id, task in workbench.tasks.items() if not task["is_labeled"]]
    before_the_import(label_studio, lambda: label_studio.delete_tasks(waiting[:70]))
    with pytest.raises(UnknownTask):
        workbench.loop()
    assert workbench.remote["model_version"] == version
    assert workbench.loop().outcome == "published"
    assert workbench.served() == workbench.window


def test_predictions_that_label_studio_drops_are_named(connected, label_studio):
    connected.label(10)
    before_the_import(label_studio, lambda: with_labels(connected, "other", "labels"))
    report = connected.loop()
    blind = [task_id for task_id in connected.window if not connected.result_of(task_id)]
    assert report.figures["window"] == len(blind) == len(connected.window)
    assert len(report.figures["rejected"]) == 10 - len(blind)


# Kills


class Killed(BaseException):
    """Nothing of ours catches this, just as nothing catches a kill."""


KILLS = {
    "before anything is learned": "backend.workflows.loop.learn",
    "before the version is saved": "model.registry.ModelRegistry.save",
    "before the import": "backend.workflows.serving.publish.import_window",
    "between the import and its record": "backend.store.windows.Windows.add",
    "between import and activation": "backend.workflows.serving.publish.activate",
}


@pytest.mark.parametrize("place", KILLS.values(), ids=KILLS.keys())
def test_a_kill_before_the_switch_leaves_the_old_version_serving(place, connected, monkeypatch):
    connected.label(4)
    version, served = connected.version, connected.served(6)
    with monkeypatch.context() as patch:
        patch.setattr(place, _kill)
        with pytest.raises(Killed):
            connected.loop()
    assert places_of_version(connected) == {version}
    assert connected.served(6) == served == connected.window
    report = connected.loop()
    assert report.outcome == "published" and report.figures["labels"] == 4
    assert connected.served() == connected.window
    assert places_of_version(connected) == {report.version}


def test_a_kill_in_the_middle_of_the_switch_is_completed_by_the_next_loop(connected, monkeypatch):
    connected.label(4)
    served = connected.served(6)
    with monkeypatch.context() as patch:
        patch.setattr("backend.workflows.serving.publish.align", _kill)
        with pytest.raises(Killed):
            connected.loop()
    assert connected.served(6) == served
    assert connected.loop().outcome == "mended"
    assert connected.served() == connected.window
    assert places_of_version(connected) == {"nl-000002"}


def test_an_interrupted_loop_says_so_in_the_history(connected, monkeypatch):
    connected.label(4)
    monkeypatch.setattr("backend.workflows.serving.publish.activate", _kill)
    with pytest.raises(Killed):
        connected.loop()
    last = history(connected)[-1]
    assert (last.outcome, last.error) == ("failed", "The loop was interrupted.")


def test_label_studio_going_away_in_the_middle_fails_the_loop_and_nothing_else(
    connected, label_studio, monkeypatch
):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    connected.label(4)
    served = connected.served(6)
    asked = []

    def go_away(request):
        asked.append(request)
        if len(asked) > 4:
            raise httpx.ConnectError("gone", request=request)

    label_studio.before_answering.append(go_away)
    with pytest.raises(LabelStudioUnreachable):
        connected.loop()
    label_studio.before_answering.clear()
    assert connected.served(6) == served
    assert connected.loop().outcome == "published"


# The loss of everything


def test_without_its_data_the_queue_is_as_it_was_under_a_fresh_number(
    connected, make_context, make_app, make_settings, label_studio, tmp_path
):
    connected.label(10)
    connected.loop()
    order, suggestions = connected.window, [connected.result_of(task_id) for task_id in connected.window]
    workbench = _connect(
        make_context, make_app, make_settings(data_dir=tmp_path / "fresh"), label_studio, connected.project_id
    )
    assert workbench.version == "nl-000003"
    assert workbench.served() == workbench.window == order
    assert [workbench.result_of(task_id) for task_id in order] == suggestions
    assert places_of_version(workbench) == {"nl-000003"}


def test_a_lost_model_is_trained_again(connected, settings):
    connected.label(10)
    connected.loop()
    order = connected.window
    shutil.rmtree(settings.model_folder)
    report = connected.loop()
    assert (report.outcome, report.version) == ("published", "nl-000003")
    assert connected.served() == order


def test_a_model_that_cannot_be_read_any_more_is_trained_again(connected, settings):
    (settings.model_folder / connected.project.key / connected.version / "manifest.json").write_text("{")
    report = connected.loop()
    assert (report.outcome, report.version) == ("published", "nl-000002-label-names")
    assert connected.served() == connected.window


# Small and odd projects


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"text": ""}, {"text": None}, {"other": 1}],
        [{"text": "just one about cats"}],
        [{"text": "the same"}] * 12,
        [{"text": "a \0 byte"}, {"text": "🐈 " * 3}],
    ],
    ids=["no tasks", "no texts", "one task", "all the same", "odd characters"],
)
def test_small_and_odd_projects_run_their_loops(data, make_context, make_app, settings, label_studio):
    project = label_studio.add_project()
    label_studio.add_tasks(project, data)
    workbench = _connect(make_context, make_app, settings, label_studio, project)
    with_text = sum(bool(str(row.get("text") or "")) for row in data)
    assert len(workbench.window) == min(with_text, 10)
    for task_id in workbench.served(2):
        label_studio.annotate(task_id, "cats")
    workbench.loop()
    assert workbench.served(len(workbench.window)) == workbench.window
    assert workbench.loop().outcome == "unchanged"


def test_tasks_without_text_are_never_in_the_window_and_come_last(connected, label_studio):
    (empty,) = label_studio.add_tasks(connected.project_id, [{"text": ""}])
    connected.loop()
    assert empty not in connected.scores
    while connected.served(1):
        connected.label(len(connected.window)) if connected.window else label_studio.annotate(empty, "cats")
        connected.loop()
    assert len(labels(connected)) == 41


def test_two_projects_have_their_own_models_and_queues(connected, label_studio, context):
    second = label_studio.add_project(
        labels=["birds", "dogs"], texts=write_texts(20, topics=["birds", "dogs"])
    )
    other = type(connected)(context, label_studio, second)
    other.connect()
    other.label(5)
    assert other.loop().version == "nl-000002"
    assert connected.loop().outcome == "unchanged"
    assert connected.served() == connected.window
    assert set(other.window) <= set(other.tasks)
    assert context.registry.versions(connected.project.key) == ["nl-000001-label-names"]


def _connect(make_context, make_app, settings, label_studio, project_id):
    context = make_context(settings)
    make_app(context)
    workbench = Workbench(context, label_studio, project_id)
    workbench.connect()
    return workbench


def _kill(*_arguments, **_options):
    raise Killed


def test_a_loop_whose_process_was_killed_does_not_run_for_ever_in_the_history(connected):
    with connected.context.database.session() as session:
        killed = Loop(project_id=connected.project.id, reason="hints", started_at=datetime(2026, 1, 1))
        session.add(killed)
    connected.loop()
    with connected.context.database.session() as session:
        assert session.get_one(Loop, killed.id).outcome == "failed"
