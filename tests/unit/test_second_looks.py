"""A task is open while Label Studio would serve it to somebody: in pool, window and counts alike."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.published import window_for
from backend.workflows.intake.sync import sync_tasks
from backend.workflows.project.progress import Silent
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.status import project_status
from tests.fake_label_studio import ADMIN

SECOND, THIRD = 2, 3


def look(workbench):
    """Take in what people answered, and do nothing about it."""
    remote = workbench.context.label_studio()
    config = parse_label_config(workbench.remote["label_config"])
    sync_tasks(workbench.workspace, remote, config=config, progress=Silent())
    remote.close()


def window_words(workbench):
    return read_state(workbench.workspace)["items"]["window"]["words"]


def test_with_overlap_the_window_is_filled_for_the_only_annotator(workbench, label_studio):
    label_studio.change_project(1, maximum_annotations=3)
    workbench.connect()
    for _ in range(2):
        published = workbench.window
        first = workbench.label(6)
        look(workbench)
        assert workbench.window == [task_id for task_id in published if task_id not in first]
        workbench.loop()
        assert len(workbench.window) == 10 and workbench.served(5) == workbench.window[:5]
    assert window_words(workbench) == "the next 10 tasks are in order"


def test_what_one_skipped_comes_first_for_others_and_never_again_for_him(connected):
    skipped = connected.window[3]
    connected.label_studio.skip(skipped)
    connected.loop()
    assert connected.served(user=SECOND)[0] == skipped
    assert skipped not in connected.served(user=ADMIN) and skipped not in connected.window
    assert window_for(connected.workspace, SECOND) == [skipped, *connected.window]
    assert window_for(connected.workspace, ADMIN) == connected.window == connected.served()
    assert len(connected.window) == 10
    assert (
        window_words(connected)
        == "the next 10 tasks are in order, and 1 for those who have not answered them"
    )
    assert project_status(connected.workspace)["second_looks"] == 1


def test_what_all_but_one_skipped_is_still_open_for_that_one(connected):
    skipped = connected.window[0]
    for user in (ADMIN, SECOND):
        connected.label_studio.skip(skipped, user=user)
    connected.loop()
    assert connected.served(user=THIRD)[0] == skipped
    assert skipped not in window_for(connected.workspace, SECOND)


@pytest.mark.parametrize("rule", ["REQUEUE_FOR_ME", "IGNORE_SKIPPED"])
def test_where_a_skipped_task_goes_to_nobody_else_it_leaves_the_order(rule, connected):
    connected.label_studio.change_project(1, skip_queue=rule)
    skipped = connected.window[0]
    connected.label_studio.skip(skipped)
    connected.loop()
    assert window_for(connected.workspace, SECOND) == connected.window
    assert skipped not in connected.served(user=SECOND)
    assert project_status(connected.workspace)["second_looks"] == 0


def test_many_skips_never_crowd_the_window_out(connected):
    for _ in range(3):
        for task_id in connected.window[:6]:
            connected.label_studio.skip(task_id)
        connected.loop()
        assert len(connected.window) == 10
        assert connected.served(10) == connected.window
    assert len(window_for(connected.workspace, SECOND)) == 20


def test_the_only_annotator_who_skipped_the_rest_is_done(connected):
    for _ in range(4):
        for task_id in connected.window:
            connected.label_studio.skip(task_id)
        connected.loop()
    assert connected.window == [] and connected.served() == []
    report = connected.connect()
    assert report.in_order and report.expected is None


def test_people_who_disagree_come_first_where_label_studio_still_serves_the_task(workbench, label_studio):
    label_studio.change_project(1, maximum_annotations=3)
    workbench.connect()
    disputed = workbench.window[2]
    label_studio.annotate(disputed, "cats", user=ADMIN)
    label_studio.annotate(disputed, "dogs", user=SECOND)
    label_studio.annotate(workbench.window[0], "dogs", user=SECOND)
    workbench.loop()
    assert window_for(workbench.workspace, THIRD)[0] == disputed
    assert workbench.served(1, user=THIRD) == [disputed]
    assert disputed not in window_for(workbench.workspace, ADMIN)


def test_a_finished_dispute_is_served_to_nobody(connected):
    disputed = connected.window[0]
    connected.label_studio.annotate(disputed, "cats", user=ADMIN)
    connected.label_studio.annotate(disputed, "dogs", user=SECOND)
    connected.loop()
    assert disputed not in window_for(connected.workspace, THIRD)
    assert connected.tasks[disputed]["data"]["nextlabel_flag"] == "no-label"


def test_a_second_look_at_an_audit_task_stays_blank(connected):
    blank = [task_id for task_id in connected.window if not connected.result_of(task_id)]
    for task_id in blank:
        connected.label_studio.skip(task_id)
    connected.loop()
    again = [task_id for task_id in window_for(connected.workspace, SECOND) if task_id in blank]
    assert again == sorted(blank) and all(connected.result_of(task_id) == [] for task_id in again)


def test_the_loop_after_a_skip_does_nothing(connected):
    connected.label_studio.skip(connected.window[0])
    assert connected.loop().outcome == "published"
    assert connected.loop().outcome == "unchanged"


def test_connect_says_when_tasks_that_others_began_come_first(workbench, label_studio):
    label_studio.change_project(1, maximum_annotations=2)
    workbench.connect()
    label_studio._locks.clear()
    begun = workbench.window[5]
    label_studio.annotate(begun, "cats", user=SECOND)
    report = workbench.connect()
    assert report.served == begun and report.in_order
    assert "which others have begun" in report.verdict
