"""The map holds every task up to a bound: few places are worked out, the others stand near their like."""

import numpy as np

from backend.workflows.findings import pool_map
from tests.topics import topic_of


def places(workbench):
    rows = workbench.workspace.map_points.read_with_tasks()
    return {row.task_id: (row.x, row.y) for row in rows}


def test_all_tasks_have_a_place_and_those_of_a_topic_stand_together(workbench, monkeypatch):
    monkeypatch.setattr(pool_map, "_ANCHORS", 16)
    workbench.connect()
    found = places(workbench)
    assert set(found) == set(workbench.tasks)
    topics = {task: topic_of(workbench.tasks[task]["data"]["text"]) for task in found}
    by_topic = [
        np.array([found[task] for task in found if topics[task] == topic]) for topic in ("cats", "dogs")
    ]
    apart = np.linalg.norm(np.subtract(*(points.mean(axis=0) for points in by_topic)))
    spread = max(np.linalg.norm(points - points.mean(axis=0), axis=1).mean() for points in by_topic)
    assert apart > spread


def test_of_many_tasks_a_sample_has_a_place_the_same_on_every_machine(workbench, monkeypatch):
    monkeypatch.setattr(pool_map, "_ANCHORS", 10)
    monkeypatch.setattr(pool_map, "MOST_POINTS", 15)
    workbench.connect()
    found = places(workbench)
    assert len(found) == 15
    workbench.workspace.map_points.replace([])
    workbench.label(6)
    workbench.loop()
    assert places(workbench) == found


def test_what_the_version_believes_stands_beside_every_point(trained):
    rows = trained.workspace.map_points.read_with_tasks()
    assert {row.predicted for row in rows} == {"cats", "dogs"}
    assert all(0 < row.confidence <= 1 for row in rows)


def test_only_beliefs_that_are_shown_otherwise_are_written_again(trained):
    points = trained.workspace.map_points
    first, second, third = points.task_ids()[:3]
    points.write_beliefs({first: ("cats", 0.801), second: ("cats", 0.801), third: ("cats", 0.801)})
    points.write_beliefs({first: ("cats", 0.804), second: ("dogs", 0.801), third: ("cats", 0.82)})
    found = {row.task_id: (row.predicted, row.confidence) for row in points.read_with_tasks()}
    assert [found[one] for one in (first, second, third)] == [
        ("cats", 0.801),
        ("dogs", 0.801),
        ("cats", 0.82),
    ]
