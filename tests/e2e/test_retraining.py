"""What annotators do comes back as a new order."""

import re

from demo.project import write_label_config
from tests.e2e.connected import LABEL_NAMES, assert_valid_result

WINDOW = 20


def test_ten_annotations_bring_a_trained_version_and_another_order(connect_project, documents):
    connected = connect_project(queue_window=WINDOW)
    cold, before = connected.version, connected.window()
    connected.wait_for_worker()
    labelled = connected.label_served(9)
    assert (connected.status()["pending_hints"], connected.version) == (9, cold)
    labelled += connected.label_served(1)
    trained = connected.wait_for_version_after(cold)
    assert re.fullmatch(r"nl-\d{6}", trained)
    after = connected.window()
    assert len(after) == WINDOW
    assert not set(after) & set(labelled)
    assert after[: WINDOW - 10] != [task_id for task_id in before if task_id not in labelled]
    assert connected.project.serve_next()["id"] == after[0]
    loop = connected.wait_for_worker()
    assert (loop["figures"]["labels"], loop["version"]) == (10, trained)
    for prediction in connected.predictions().values():
        if prediction["result"]:
            assert_valid_result(prediction["result"])

    connected.add_tasks(documents[60:64])
    connected.wait_for_version_after(trained)
    assert connected.wait_for_worker()["figures"]["pool"] == 54


def test_the_next_loop_notices_whatever_people_did_however_it_was_asked_for(connect_project):
    connected = connect_project(queue_window=WINDOW, retrain_every_labels=1000)
    first, second, third, fourth, fifth, skipped = connected.window()[:6]
    connected.annotate(first, second, third, fourth, fifth)
    assert _labels_after_a_loop(connected, connected.start_training) == 5

    connected.project.skip(skipped)
    assert _labels_after_a_loop(connected, lambda: connected.run("loop"), skipped=1) == 5
    assert connected.window()[0] == skipped  # for the others: whoever skipped it is not asked again

    (annotation,) = connected.annotations(first)
    connected.client.delete(f"/api/annotations/{annotation['id']}").raise_for_status()
    assert _labels_after_a_loop(connected, connected.ask_for_loop, skipped=1) == 4

    (annotation,) = connected.annotations(second)
    other = next(label for label in connected.truth.values() if label != connected.truth[second])
    annotation["result"][0]["value"]["choices"] = [other]
    changed = {"result": annotation["result"]}
    connected.client.patch(f"/api/annotations/{annotation['id']}", json=changed).raise_for_status()
    assert _labels_after_a_loop(connected, connected.ask_for_loop, skipped=1) == 4

    connected.act("delete_tasks_annotations", [third, fourth])
    assert _labels_after_a_loop(connected, connected.ask_for_loop, skipped=1) == 2

    gone = connected.window()[1]
    for task_id in (fifth, gone):
        connected.client.delete(f"/api/tasks/{task_id}/").raise_for_status()
    assert _labels_after_a_loop(connected, connected.ask_for_loop, skipped=1) == 1
    assert gone not in connected.window()
    assert connected.project.serve_next()["id"] == connected.window()[1]

    old = connected.version
    connected.change_settings(label_config=write_label_config([*LABEL_NAMES, "medicine"]))
    connected.wait_for_version_after(old)
    assert connected.wait_for_worker()["figures"]["labels"] == 1


def _labels_after_a_loop(connected, ask, *, skipped=0):
    """Number of labels that the next loop learns from; each of these loops must bring a new version."""
    old = connected.version
    ask()
    connected.wait_for_version_after(old)
    # a task that somebody skipped waits for the others, before the window
    assert len(connected.window()) == WINDOW + skipped
    return connected.wait_for_worker()["figures"]["labels"]
