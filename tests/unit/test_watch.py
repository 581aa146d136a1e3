"""What a loop says of its own project: measured on audit labels, and on what people really did."""

from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import update

from backend.database import Loop, Task
from backend.workflows.findings.accuracy import rest_figures
from backend.workflows.findings.watch import _acceptance
from backend.workflows.views.signals import newest_signals
from model.signals.estimate import percent
from model.signals.honest_accuracy import measure_right
from tests.fake_label_studio import ADMIN, SOMEBODY_ELSE
from tests.topics import WORDS, topic_of, write_texts
from tests.workbench import Workbench

OTHER = {"cats": "dogs", "dogs": "cats"}


@pytest.fixture
def make_bench(context, app, label_studio):
    """make_bench(90, …): a project of so many texts about cats and dogs, connected."""

    def make(count, *, settings=None, topics=("cats", "dogs"), **fields):
        project_id = label_studio.add_project(texts=write_texts(count, topics=topics), **fields)
        bench = Workbench(context, label_studio, project_id)
        bench.connect(**(settings or {}))
        return bench

    return make


def signals(workbench):
    return newest_signals(workbench.workspace).stored


def truth(bench, task_id):
    return topic_of(bench.tasks[task_id]["data"]["text"])


def flagged(bench, flag):
    """The data of tasks that carry a flag, by task."""
    return {
        task_id: task["data"]
        for task_id, task in bench.tasks.items()
        if task["data"].get("nextlabel_flag") == flag
    }


def test_calibration_waits_for_thirty_audit_labels(trained):
    assert signals(trained)["calibration"] == {}


def test_calibration_counts_audit_labels_alone_and_the_curve_ends_at_the_accuracy(make_bench):
    bench = make_bench(90, settings={"audit_share": 0.5, "queue_window": 70})
    bench.label(70)
    bench.loop()
    found = signals(bench)
    assert found["calibration"]["n"] == found["accuracy"]["n"] >= 30
    assert sum(row["n"] for row in found["calibration"]["bins"]) == found["calibration"]["n"]
    assert found["curve"][-1]["accuracy"] == pytest.approx(found["accuracy"]["estimate"], abs=1e-6)
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in found["calibration"]["bins"])
    # the random order has audit labels alone: a third of them, and two thirds
    third, two_thirds = (row["labels"] for row in found["random_curve"])
    assert third < two_thirds < found["accuracy"]["n"]


def test_where_one_class_is_most_of_all_the_mean_f1_of_the_classes_is_told(make_bench):
    topics = (*["cats"] * 8, "dogs", "birds")
    bench = make_bench(120, topics=topics, labels=WORDS, settings={"audit_share": 0.5, "queue_window": 110})
    bench.label(110)
    bench.loop()
    found = signals(bench)
    assert 0.0 < found["macro_f1"] <= 1.0
    assert f"macro-F1 {percent(found['macro_f1'])}" in found["accuracy"]["words"]


def test_each_class_tells_its_labels_and_how_much_of_the_pool_is_called_so(make_bench):
    bench = make_bench(60, settings={"audit_share": 0.5, "queue_window": 30})
    for task_id in bench.served(30):
        if truth(bench, task_id) == "cats" or task_id % 3:
            bench.label_studio.annotate(task_id, truth(bench, task_id))
    bench.loop()
    found = {row["label"]: row for row in signals(bench)["per_class"]}
    labelled = [truth(bench, task_id) for task_id, task in bench.tasks.items() if task["is_labeled"]]
    waiting = [truth(bench, task_id) for task_id, task in bench.tasks.items() if not task["is_labeled"]]
    assert {name: row["labels"] for name, row in found.items()} == {
        name: labelled.count(name) for name in ("cats", "dogs")
    }
    assert found["cats"]["labels"] != found["dogs"]["labels"]
    for name, row in found.items():
        assert row["predicted_share"] == pytest.approx(waiting.count(name) / len(waiting), abs=0.1)
        assert 0 < row["audit"] <= row["labels"]


# People and each other


def test_two_people_who_differ_on_two_of_twelve_shared_tasks_agree_by_their_kappa(make_bench):
    bench = make_bench(40, maximum_annotations=2)
    for task_id in range(1, 13):
        label = truth(bench, task_id)
        bench.label_studio.annotate(task_id, label, user=ADMIN)
        bench.label_studio.annotate(task_id, label if task_id > 2 else OTHER[label], user=SOMEBODY_ELSE)
    bench.label_studio.annotate(13, truth(bench, 13), user=ADMIN)  # shared with nobody
    bench.loop()
    found = {int(row["annotator"]): row for row in signals(bench)["agreement"]}
    assert set(found) == {ADMIN, SOMEBODY_ELSE}
    # 10 of 12 alike, half of them by chance: both gave each label six times
    assert [row["kappa"] for row in found.values()] == pytest.approx([2 / 3] * 2)
    assert [row["n"] for row in found.values()] == [12, 12]
    assert {annotator: row["labels"] for annotator, row in found.items()} == {ADMIN: 13, SOMEBODY_ELSE: 12}


def test_what_nobody_else_answered_says_nothing_of_agreement(connected):
    connected.label(12)
    connected.loop()
    assert signals(connected)["agreement"] == []


# People and the pre-annotations


def suggested(bench, count):
    """Waiting tasks that come with a pre-annotation."""
    return [task_id for task_id in bench.window if bench.result_of(task_id)][:count]


def test_a_kept_suggestion_is_the_merit_of_the_version_that_showed_it(make_bench):
    bench = make_bench(60)
    bench.label_studio.keep_real_time()
    first = bench.version
    for place, task_id in enumerate(suggested(bench, 5)):
        wrong = OTHER[bench.result_of(task_id)[0]["value"]["choices"][0]]
        bench.label_studio.accept(task_id, but_choose=wrong if place < 2 else None)
    bench.loop()
    second = bench.version
    for task_id in suggested(bench, 4):
        bench.label_studio.accept(task_id)
    bench.loop()
    assert signals(bench)["acceptance"] == [
        {"version": first, "accepted": 3, "shown": 5},
        {"version": second, "accepted": 4, "shown": 4},
    ]


@pytest.mark.parametrize(
    ("submitted", "version"),
    [
        ("2026-11-01T11:59:59.999999Z", None),
        ("2026-11-01T12:00:00Z", "first"),
        ("2026-11-01T12:00:00.500000Z", "first"),
        ("2026-11-01T14:59:59+02:00", "first"),
        ("2026-11-01T13:00:00.000000Z", "second"),
        ("2026-11-01T15:00:00+02:00", "second"),
    ],
)
def test_an_answer_belongs_to_the_version_that_served_at_its_moment_however_that_is_written(
    connected, submitted, version
):
    for hour, published in ((12, "first"), (13, "second")):
        add_publication(connected, published, datetime(2026, 11, 1, hour))
    with connected.context.database.session() as session:
        answer = {"by": ADMIN, "at": submitted, "label": "cats", "accepted": True}
        session.execute(update(Task).where(Task.task_id == 1).values(annotations=1, answers=[answer]))
    rows = _acceptance(connected.workspace)
    assert [(row.version, row.accepted, row.shown) for row in rows] == ([(version, 1, 1)] if version else [])


def add_publication(bench, version, moment):
    with bench.context.database.session() as session:
        session.execute(update(Loop).where(Loop.version.startswith("nl-")).values(outcome="unchanged"))
        session.add(
            Loop(
                project_id=bench.project.id,
                reason="test",
                started_at=moment,
                finished_at=moment,
                outcome="published",
                version=version,
                figures={},
            )
        )


def test_answers_without_a_suggestion_are_no_acceptance(connected):
    connected.label_studio.keep_real_time()
    connected.label(8)
    connected.loop()
    assert signals(connected)["acceptance"] == []


# Marks on tasks


@pytest.fixture
def certified(make_bench):
    """A project with blind labels enough to certify a precision of six in ten."""
    bench = make_bench(90, settings={"audit_share": 0.5, "queue_window": 40, "preannotate_precision": 0.6})
    bench.label(30)
    bench.loop()
    return bench


def test_the_surest_tasks_are_marked_as_ready_and_as_many_as_are_promised(certified):
    ready, found = flagged(certified, "ready"), signals(certified)["trusted"]
    waiting = [task_id for task_id, task in certified.tasks.items() if not task["is_labeled"]]
    assert found["threshold"] is not None
    assert ready and set(ready) <= set(waiting)
    assert len(ready) <= round(found["coverage"] * len(waiting))
    assert {data["nextlabel_rank"] for data in ready.values()} >= {"0001", "0002"}


def test_what_will_be_asked_blind_is_never_marked_as_ready(certified):
    waiting = [task_id for task_id, task in certified.tasks.items() if not task["is_labeled"]]
    blind = {task_id for task_id in waiting if not certified.label_studio.open_task(task_id)[-1]["result"]}
    assert len(blind) >= 10
    assert not blind & set(flagged(certified, "ready"))


def test_before_a_threshold_is_certified_nothing_is_ready(trained):
    assert signals(trained)["trusted"]["threshold"] is None
    assert flagged(trained, "ready") == {}


def test_labels_that_contradict_all_like_them_are_marked_with_what_they_should_be(make_bench):
    bench = make_bench(60, settings={"queue_window": 40})
    wrong = bench.served(40)[4:40:12]
    for task_id in bench.served(40):
        label = truth(bench, task_id)
        bench.label_studio.annotate(task_id, OTHER[label] if task_id in wrong else label)
    bench.loop()
    suspects = flagged(bench, "suspect")
    assert set(suspects) == set(wrong)
    assert signals(bench)["suspects"]["count"] == len(wrong)
    for task_id, data in suspects.items():
        label = truth(bench, task_id)
        assert data["nextlabel_note"] == f"Labelled {OTHER[label]}; tasks like it say {label}."


def test_a_label_that_is_put_right_is_no_longer_marked(make_bench):
    bench = make_bench(60, settings={"queue_window": 40})
    first, *others = bench.served(40)
    wrong = bench.label_studio.annotate(first, OTHER[truth(bench, first)])
    for task_id in others:
        bench.label_studio.annotate(task_id, truth(bench, task_id))
    bench.loop()
    assert set(flagged(bench, "suspect")) == {first}
    bench.label_studio.change_annotation(wrong, truth(bench, first))
    bench.loop()
    assert flagged(bench, "suspect") == {}


def test_suggestions_that_were_accepted_in_bulk_count_as_kept(connected):
    connected.label_studio.keep_real_time()
    shown = len(suggested(connected, 10))
    connected.label_studio.accept_in_bulk(connected.project_id, connected.version)
    version = connected.version
    connected.loop()
    assert signals(connected)["acceptance"] == [{"version": version, "accepted": shown, "shown": shown}]


@pytest.mark.parametrize(
    ("blind", "words"),
    [
        (8, "between 69 and 100 % of these will be right: up to 47 wrong."),
        (40, "of these will be right: about "),
    ],
)
def test_what_accepting_the_rest_gives_is_a_range_while_few_judge_it(blind, words):
    right, marked = np.arange(60) % 10 > 0, np.arange(60) < blind
    right[:8] = True
    held_out, sure = np.full(60, 0.9), np.full(150, 0.9, dtype=np.float32)
    found = measure_right(
        right, held_out, audit=marked, blind=marked, unlabelled_confidence=sure, position=np.arange(60)
    )
    said = rest_figures(right, held_out, found, sure=sure, blind=marked, open_tasks=len(sure)).words
    assert words in said and ("about" in said) == (blind >= 10)
