"""Tasks outside the window get their pre-annotation when somebody asks for it."""

import pytest

from tests.e2e.connected import assert_valid_result

WINDOW = 10
TASKS = 70


@pytest.fixture
def connected(connect_project):
    return connect_project(tasks=TASKS, queue_window=WINDOW, retrain_every_labels=1000, preannotate_floor=0.0)


def test_tasks_outside_the_window_are_pre_annotated_when_asked_for_and_wait_behind_it(connected):
    window = connected.window()
    outside = [task_id for task_id in connected.truth if task_id not in window]

    opened = connected.client.get(f"/api/tasks/{outside[0]}").raise_for_status().json()
    assert [prediction["model_version"] for prediction in opened["predictions"]] == [connected.version]
    connected.act("retrieve_tasks_predictions", outside[1:51])
    live = _predictions_behind(connected, window)
    assert set(live) == set(outside[:51])
    connected.act("retrieve_tasks_predictions", outside[1:51])
    assert _predictions_behind(connected, window) == live

    done = connected.backend.command_line("publish", str(connected.project.id), "--all")
    assert f"{TASKS - WINDOW - 51} tasks outside it were pre-annotated" in done.stdout, done.stderr
    everything = _predictions_behind(connected, window)
    assert set(everything) == set(outside)
    assert everything == everything | live
    assert connected.label_served(3) == window[:3]


def _predictions_behind(connected, window):
    """The stored predictions that wait behind the window, each a valid one of the active version."""
    predictions = connected.predictions()
    assert connected.window() == window
    behind = {task_id: row for task_id, row in predictions.items() if task_id not in window}
    assert all(0.5 <= row["score"] <= 1.0 for row in behind.values())
    answered = [row["result"] for row in behind.values() if row["result"]]
    assert len(answered) > len(behind) / 2  # audit tasks stay blank
    for result in answered:
        assert_valid_result(result)
    return behind
