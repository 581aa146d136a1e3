"""Changes that Label Studio does not announce: found by connect at once, by the timer within hours."""

import time

import pytest

# Label Studio's clock stands still here: a look reads what changed last once more.
ONE = 1


def text_of(workbench, task_id):
    return workbench.workspace.tasks.read_texts([task_id])[task_id]


def hours_go_by(workbench, hours):
    workbench.workspace.change(read_whole_at=time.time() - hours * 3600)


def test_connect_reads_every_task_again(connected, label_studio):
    task_id = connected.window[0]
    label_studio.set_field([task_id], "text", "something else")
    connected.loop()
    assert text_of(connected, task_id) != "something else"
    assert connected.connect().loop.outcome == "published"
    assert text_of(connected, task_id) == "something else"


def test_a_loop_reads_every_task_again_once_in_a_while(connected, label_studio):
    task_id = connected.window[0]
    label_studio.set_field([task_id], "text", "something else")
    hours_go_by(connected, 5.9)
    assert connected.loop().record.tasks_read <= ONE
    hours_go_by(connected, 6.1)
    report = connected.loop()
    assert (report.outcome, report.record.tasks_read) == ("published", 40)
    assert text_of(connected, task_id) == "something else"


def test_our_own_fields_are_no_change(trained, label_studio):
    label_studio.set_field(list(trained.tasks), "nextlabel_note", "")
    hours_go_by(trained, 7)
    assert trained.loop().outcome == "unchanged"


def test_after_a_whole_look_a_loop_reads_what_changed(connected):
    hours_go_by(connected, 7)
    assert connected.loop().record.tasks_read == 40
    assert connected.loop().record.tasks_read <= ONE


@pytest.mark.parametrize("hours", [1, 24])
def test_how_often_is_a_setting_of_the_project(hours, connected):
    connected.connect(resync_every_hours=hours)
    hours_go_by(connected, hours - 0.1)
    assert connected.loop().record.tasks_read <= ONE
    hours_go_by(connected, hours + 0.1)
    assert connected.loop().record.tasks_read == 40


def test_more_answers_for_each_task_open_what_was_finished(connected, label_studio):
    done = connected.label(4)
    connected.loop()
    before = {task_id: connected.tasks[task_id]["updated_at"] for task_id in done}
    label_studio.change_project(1, maximum_annotations=2)
    assert {task_id: connected.tasks[task_id]["updated_at"] for task_id in done} == before
    assert connected.loop().record.tasks_read == 40
    assert connected.workspace.tasks.unfinished_of(["label"]).keys() == set(done)


@pytest.mark.parametrize("change", ["tasks come", "tasks go"])
def test_what_tasks_that_come_or_go_finish_or_open_is_found(change, connected, label_studio):
    """Of forty tasks half are answered by two people; which, Label Studio chooses anew with every import."""
    label_studio.change_project(1, maximum_annotations=2, overlap_cohort_percentage=50)
    for task_id in list(connected.tasks)[:30]:
        label_studio.annotate(task_id, None)
    connected.loop()
    before = finished(connected)
    if change == "tasks come":
        label_studio.add_tasks(1, [{"text": f"about dogs {number}"} for number in range(20)])
    else:
        label_studio.delete_tasks(list(connected.tasks)[30:])
    assert finished(connected) != before
    connected.loop()
    unfinished = connected.workspace.tasks.unfinished_of(["empty"]).keys()
    assert unfinished == {
        task_id for task_id, task in connected.tasks.items() if task["annotations"] and not task["is_labeled"]
    }


def finished(workbench):
    return {task_id for task_id, task in workbench.tasks.items() if task["is_labeled"]}
