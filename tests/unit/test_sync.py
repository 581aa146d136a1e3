"""The mirror of a project's tasks: only what changed is read, and nothing is missed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.database import Task
from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.sync import SyncReport, sync_tasks
from backend.workflows.project.progress import Silent
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.workspace import ensure_workspace


@pytest.fixture
def project(context, label_studio, project_id):
    stamp = created_stamp(label_studio.projects[project_id])
    return ensure_workspace(context, project_id, stamp)


@pytest.fixture
def sync(context, label_studio, project):
    """sync(): one look at Label Studio."""

    def look(progress=None):
        remote = context.label_studio()
        config = parse_label_config(label_studio.projects[project.label_studio_id]["label_config"])
        return sync_tasks(project, remote, config=config, progress=progress or Silent())

    return look


def mirror(context):
    with context.database.session() as session:
        return {task.task_id: task for task in session.scalars(select(Task))}


def test_the_first_look_reads_everything(sync, context, label_studio):
    assert sync() == SyncReport(read=40, deleted=0, full=True)
    tasks = mirror(context)
    assert {number: task.content for number, task in tasks.items()} == {
        number: task["data"]["text"] for number, task in label_studio.tasks.items()
    }


def test_later_looks_read_what_changed(sync, context, label_studio):
    sync()
    label_studio.annotate(5, "dogs")
    label_studio.edit_task(6, {"text": "changed"})
    report = sync()
    assert report.read <= 3 and not report.full
    assert (mirror(context)[5].label, mirror(context)[6].content) == ("dogs", "changed")


def test_a_change_at_the_very_moment_of_the_last_look_is_not_missed(sync, context, label_studio):
    sync()
    task = label_studio.tasks[7]
    label_studio.annotate(7, "cats")
    task["updated_at"] = label_studio.tasks[40]["updated_at"]  # as if it had been in flight
    sync()
    assert mirror(context)[7].label == "cats"


def test_deleted_tasks_are_noticed_though_nothing_tells_of_them(sync, context, label_studio):
    sync()
    label_studio.delete_tasks([1, 2, 3])
    report = sync()
    assert (report.deleted, report.full) == (3, False)
    assert set(mirror(context)) == set(range(4, 41))


def test_as_many_new_tasks_as_deleted_ones_are_noticed(sync, context, label_studio, project_id):
    sync()
    label_studio.delete_tasks([1])
    (new,) = label_studio.add_tasks(project_id, [{"text": "new"}])
    sync()
    assert set(mirror(context)) == set(range(2, 41)) | {new}


def test_annotations_deleted_without_a_trace_are_noticed_and_all_is_read_again(sync, context, label_studio):
    annotation = label_studio.annotate(5, "dogs")
    label_studio.pass_time()
    sync()
    label_studio.delete_annotation(annotation, quietly=True)
    assert sync().full
    assert mirror(context)[5].label is None


def test_a_thousand_deleted_tasks_are_removed_in_parts(sync, context, label_studio, project_id):
    new = label_studio.add_tasks(project_id, [{"text": f"number {n}"} for n in range(1200)])
    sync()
    label_studio.delete_tasks(new)
    assert sync().deleted == 1200
    assert len(mirror(context)) == 40


def test_progress_is_told(sync):
    told = []

    class Progress:
        def stage(self, name, *, total=None):
            told.append((name, total))

        def advance(self, steps):
            told.append(steps)

    sync(Progress())
    assert told == [("fetching tasks", 40), 40]


def test_a_label_studio_that_does_not_tell_the_time_is_read_by_the_changes_themselves(
    sync, context, label_studio, project, monkeypatch
):
    monkeypatch.setattr("backend.label_studio.connection._date_of", lambda _response: None)
    sync()
    assert project.state.synced_until < label_studio.tasks[40]["updated_at"]
    label_studio.annotate(5, "dogs")
    assert sync().read <= 2
    assert mirror(context)[5].label == "dogs"


@pytest.mark.parametrize("ahead_s", [3600, 86_400])
def test_a_change_after_the_date_of_label_studio_was_set_back_is_seen(
    sync, context, label_studio, project, ahead_s
):
    sync()
    right = label_studio._now
    label_studio._now = right + timedelta(seconds=ahead_s)
    label_studio.annotate(5, "dogs")
    sync()
    label_studio._now = right
    label_studio.edit_task(6, {"text": "changed"})
    assert sync().full
    assert mirror(context)[6].content == "changed"
    label_studio.edit_task(7, {"text": "changed too"})
    report = sync()
    assert mirror(context)[7].content == "changed too"
    assert not report.full and report.read <= 3


def test_changes_dated_ahead_by_another_clock_of_label_studio_make_no_look_whole(
    sync, context, label_studio, project
):
    sync()
    label_studio.annotate(5, "dogs")
    ahead = label_studio._now + timedelta(hours=5)
    label_studio.tasks[5]["updated_at"] = ahead.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert not sync().full
    label_studio.edit_task(6, {"text": "changed"})
    assert not sync().full
    assert mirror(context)[6].content == "changed"


def test_an_empty_project_is_read_every_time(context, label_studio, sync, project):
    label_studio.delete_tasks(list(label_studio.tasks))
    assert sync().read == 0
    assert sync().read == 0
