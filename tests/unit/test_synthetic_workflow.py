"""Synthetic tasks stand apart: judged, marked, reviewed, and never part of what is called accuracy."""

import pytest
from sqlalchemy import select

from backend.database import Verdict, WindowTask
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import FLAG_FIELD, TITLES
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.training.learn import AuxiliaryItem, as_auxiliary_data
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench


def made(text, label, *, generator="A"):
    return {"text": text, "source": "synthetic", "label": label, "generator": generator}


@pytest.fixture
def farm(context, app, label_studio, bring_to):
    """60 real tasks, 40 of them labelled; 24 synthetic ones, of which six are wrongly labelled."""
    real = write_texts(60)
    project_id = label_studio.add_project(texts=real)
    fresh = write_texts(24, seed=7)
    wrong = {"cats": "dogs", "dogs": "cats"}
    data = [made(text, topic_of(text)) for text in fresh[:12]]
    data += [made(text, wrong[topic_of(text)], generator="B") for text in fresh[12:18]]
    data += [made(text, topic_of(text), generator="C") for text in real[:6]]
    label_studio.add_tasks(project_id, data)
    bench = Workbench(context, label_studio, project_id)

    def act():
        bench.connect()
        for number in range(1, 41):
            label_studio.annotate(number, topic_of(real[number - 1]))
        bench.loop()

    return bring_to("farm", bench, act)


def verdicts(context):
    with context.database.session() as session:
        return {row.task_id: row for row in session.scalars(select(Verdict))}


def test_synthetic_tasks_are_neither_labels_nor_pool_nor_audit(context, farm):
    figures = farm.loop().figures
    assert (figures["labels"], figures["pool"]) == (40, 20)
    with context.database.session() as session:
        rows = session.scalars(select(WindowTask).where(WindowTask.version == farm.version)).all()
    assert {row.task_id for row in rows if row.task_id > 60} == {
        row.task_id for row in rows if row.lane == "synthetic"
    }


def test_a_synthetic_task_may_weigh_as_much_as_a_label_and_keeps_its_own(farm):
    workspace = farm.workspace
    config = parse_label_config(farm.remote["label_config"], workspace.preference)
    seen = take_snapshot(workspace, config)
    items = [AuxiliaryItem(72, "dogs"), AuxiliaryItem(61, "cats"), AuxiliaryItem(66, "dogs")]
    data = as_auxiliary_data(seen, items)
    assert data.embeddings.ids.tolist() == data.labels.ids.tolist() == [61, 66, 72]
    assert [data.labels.space.names[row.argmax()] for row in data.labels.targets] == ["cats", "dogs", "dogs"]
    # a labelled row weighs 1; how much less one of these counts is chosen by held-out labels
    assert data.sample_weights.tolist() == [1.0, 1.0, 1.0]
    assert as_auxiliary_data(seen, []) is None


def test_every_synthetic_task_has_a_verdict_with_a_reason_and_an_interval(context, farm):
    rows = verdicts(context)
    assert set(rows) == set(range(61, 85))
    assert all(row.reason and row.low <= row.value <= row.high for row in rows.values())


def test_copies_of_real_tasks_are_redundant_and_name_their_twin(context, farm):
    rows = verdicts(context)
    copies = [rows[task_id] for task_id in range(79, 85)]
    assert {row.verdict for row in copies} == {"redundant"}
    assert all(row.duplicate_of is not None for row in copies)


def test_wrong_labels_are_not_called_helpful(context, farm):
    rows = verdicts(context)
    assert "helpful" not in {rows[task_id].verdict for task_id in range(73, 79)}


def test_verdicts_are_marked_on_the_tasks_and_gathered_in_tabs(context, farm):
    rows = verdicts(context)
    flags = {number: farm.label_studio.tasks[number]["data"].get(FLAG_FIELD, "") for number in rows}
    expected = {"helpful": "", "unsure": "review", "harmful": "harmful", "redundant": "redundant"}
    assert flags == {number: expected[row.verdict] for number, row in rows.items()}
    titles = {tab["data"]["title"] for tab in farm.label_studio.tabs.values()}
    assert {TITLES[flag] for flag in flags.values() if flag} <= titles


def test_the_lift_of_each_generator_is_measured_on_real_audit_labels(context, farm):
    signals = context_signals(context, farm)
    lifts = {row["generator"]: row for row in signals["lift"]}
    assert {"A", "B", "C"} <= set(lifts)
    assert any(row["mean"] for row in lifts.values())
    for row in lifts.values():
        mean, low, high = (f"{100 * row[name]:+.1f}" for name in ("mean", "low", "high"))
        assert f"{mean} points, {low} to {high}" in row["words"]
    assert sum(signals["counts"].values()) == 24


def test_a_persons_answer_is_learned_from_at_the_next_loop(context, farm):
    task_id = next(number for number, row in verdicts(context).items() if 73 <= number <= 78)
    text = farm.label_studio.tasks[task_id]["data"]["text"]
    farm.label_studio.annotate(task_id, topic_of(text))
    farm.loop()
    after = verdicts(context)[task_id]
    assert after.value < 0  # what the generator meant is known to be wrong
    assert farm.loop().outcome == "unchanged"


def test_doubtful_ones_come_by_a_lane_of_their_own(context, farm):
    doubtful = [number for number, row in verdicts(context).items() if row.verdict == "unsure"]
    farm.connect(synthetic_share=0.3)
    farm.label(1)
    farm.loop()
    with context.database.session() as session:
        lane = session.scalars(
            select(WindowTask.task_id).where(
                WindowTask.version == farm.version, WindowTask.lane == "synthetic"
            )
        ).all()
    assert set(lane) <= set(range(61, 85))
    assert bool(lane) == bool(doubtful)


def context_signals(context, bench):
    from backend.workflows.views.signals import newest_signals

    return newest_signals(bench.workspace).stored["synthetic"]
