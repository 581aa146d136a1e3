"""Thirty tasks as a real Label Studio serves them, each with a true line; afterwards nothing is left."""

import re
import sqlite3

from backend.workflows.serving.lines import BLIND

SETTINGS = {"queue_window": 40, "retrain_every_labels": 10}
SURE = re.compile(r"about (\d+) % sure")


def test_every_task_served_has_a_true_line_and_disconnecting_leaves_none(connect_project, shared_backend):
    connected = connect_project(tasks=60, **SETTINGS)
    seen = set()
    for _ in range(3):
        version = connected.version
        for _ in range(10):
            task = connected.project.serve_next()
            line = task["data"]["nextlabel_note"]
            assert_true(line, task, lane=lane_of(connected, task["id"]))
            seen.add(line)
            connected.annotate(task["id"])
        connected.wait_for_version_after(version)
        connected.wait_for_worker()
    assert BLIND in seen and len(seen) > 2
    assert "nextlabel_note" in exported(connected)

    done = shared_backend.command_line("disconnect", str(connected.project.id))

    assert done.returncode == 0, done.stderr
    assert "nextlabel" not in exported(connected)
    assert "nextlabel" not in connected.project.settings()["label_config"]
    assert "nextlabel" not in ask(connected, "/api/dm/columns")
    assert all(tab["data"]["title"] == "Default" for tab in tabs(connected))
    assert len(connected.labelled()) == 30


def assert_true(line, task, *, lane):
    """The line fits the lane, and the confidence that stands on the pre-annotation shown."""
    regions = [region for shown in task["predictions"] for region in shown["result"]]
    assert (line == BLIND) == (lane == "audit"), line
    if regions:
        assert abs(int(SURE.search(line)[1]) / 100 - regions[0]["score"]) <= 0.1, (line, regions)
    elif lane == "novelty":
        assert "something new" in line
    elif lane != "audit":
        assert "unsure to tick" in line or "something new" in line


def lane_of(connected, task_id):
    """By which lane a task came into the window of the version in use."""
    with sqlite3.connect(connected.backend.folder / "data" / "nextlabel.db") as database:
        rows = database.execute(
            "SELECT lane FROM window_tasks JOIN projects ON projects.id = window_tasks.project_id "
            "WHERE label_studio_id = ? AND task_id = ? AND version = active_version",
            (connected.project.id, task_id),
        ).fetchall()
    database.close()
    return rows[0][0]


def exported(connected):
    """All tasks, as Label Studio exports them."""
    address = f"/api/projects/{connected.project.id}/export"
    return ask(connected, address, exportType="JSON", download_all_tasks="true")


def tabs(connected):
    return connected.client.get("/api/dm/views", params={"project": connected.project.id}).json()


def ask(connected, address, **params):
    answer = connected.client.get(address, params={"project": connected.project.id, **params})
    return answer.raise_for_status().text
