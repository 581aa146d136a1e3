"""What a loop says of the labels to come: how stable versions are, and which new classes were found."""

import pytest

from backend.database import NovelGroup
from backend.workflows.findings.classes import add_class
from backend.workflows.views.signals import newest_signals
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench


def signal(bench, name):
    """One reason to stop or go on, as the last loop measured it."""
    found = newest_signals(bench.workspace).stored["advice"]["signals"]
    return next(row for row in found if row["name"] == name)


def stability(bench):
    return signal(bench, "stable predictions")["value"]


def test_stability_is_known_from_the_fourth_version_on(connected):
    seen = []
    for _ in range(4):
        connected.label(4)
        connected.loop()
        seen.append(stability(connected))
    assert seen[:2] == [None, None]
    assert all(0.9 < kappa <= 1.0 for kappa in seen[2:])


def test_versions_that_contradict_each_other_are_not_stable(connected, label_studio):
    said = {task_id: topic_of(connected.tasks[task_id]["data"]["text"]) for task_id in connected.served(10)}
    annotations = {task_id: label_studio.annotate(task_id, label) for task_id, label in said.items()}
    for _ in range(3):
        connected.loop()
        said = {task_id: {"cats": "dogs", "dogs": "cats"}[label] for task_id, label in said.items()}
        for task_id, annotation in annotations.items():
            label_studio.change_annotation(annotation, said[task_id])
    connected.loop()
    assert stability(connected) < -0.5


@pytest.mark.parametrize(("points", "bar"), [(0.5, 0.005), (2.0, 0.02)])
def test_a_hundred_labels_must_buy_the_points_that_the_project_sets(points, bar, workbench):
    workbench.connect(label_price=points)
    workbench.label(4)
    workbench.loop()
    assert signal(workbench, "gain below the price")["bar"] == pytest.approx(bar)


# New classes


@pytest.fixture
def with_group(context, app, label_studio):
    """A project of cats, dogs and birds whose labels know no birds: they are its group 1."""
    texts = write_texts(160, topics=("cats", "dogs", "birds"))
    bench = Workbench(context, label_studio, label_studio.add_project(texts=texts))
    bench.label_studio.keep_real_time()
    bench.connect(queue_window=120)
    members = [
        task_id for task_id in bench.tasks if topic_of(bench.tasks[task_id]["data"]["text"]) == "birds"
    ]
    with context.database.session() as session:
        session.add(
            NovelGroup(
                project_id=bench.project.id,
                number=1,
                name="birds",
                members=members[:12],
                typical=members[:3],
                figures={"rank": 1},
                version=bench.version,
            )
        )
    return bench, members[:12]


def test_a_group_that_became_a_class_is_counted_with_the_labels_that_it_took(with_group):
    bench, members = with_group
    add_class(bench.workspace, 1, name=None, by="ada")
    for task_id in [*members[:7], 1, 2]:
        bench.label_studio.annotate(task_id, topic_of(bench.tasks[task_id]["data"]["text"]))
    bench.loop()
    found = signal(bench, "no new class")
    assert (found["value"], found["reached"]) == (1.0, False)
    assert "1 new classes in the last 7 labels" in found["words"]


def test_a_group_that_nobody_made_a_class_is_no_new_class(with_group):
    bench, members = with_group
    bench.label_studio.annotate(members[0], "cats")
    bench.label(3)
    bench.loop()
    assert signal(bench, "no new class")["value"] == 0.0


def test_a_class_that_was_found_a_hundred_labels_ago_is_no_longer_new(with_group):
    bench, members = with_group
    for task_id in (1, 2, *members[:2]):
        bench.label_studio.annotate(task_id, "cats")
    add_class(bench.workspace, 1, name=None, by="ada")
    bench.loop()
    assert signal(bench, "no new class")["value"] == 1.0
    bench.label(100)
    bench.loop()
    assert signal(bench, "no new class")["value"] == 0.0
