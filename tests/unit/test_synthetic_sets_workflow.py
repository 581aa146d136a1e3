"""Synthetic tasks with sets of labels, where several choices are asked first: judged, marked, reviewed."""

import pytest
from sqlalchemy import select

from backend.database import Loop, Task, Verdict, WindowTask
from backend.label_studio.tabs import FLAG_FIELD
from backend.workflows.record import replay
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.signals import newest_signals
from tests.topics import write_texts
from tests.workbench import Workbench

LABELS = ("cats", "dogs", "birds")
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="about" toName="text" choice="multiple">'
    + "".join(f'<Choice value="{label}"/>' for label in LABELS)
    + "</Choices></View>"
)
SETS = (["cats"], ["dogs"], ["birds"], ["cats", "dogs"], ["dogs", "birds"])
REAL, LABELLED = 100, 80


def write(count, *, seed=0):
    """Texts about one or two topics, and what they are about."""
    parts = {topic: iter(write_texts(count, topics=(topic,), seed=seed)) for topic in LABELS}
    sets = [SETS[number % len(SETS)] for number in range(count)]
    return [" ".join(next(parts[topic]) for topic in given) for given in sets], sets


def made(text, label, *, generator):
    return {"text": text, "source": "synthetic", "label": label, "generator": generator}


def tick(bench, task_id, labels):
    region = {"from_name": "about", "to_name": "text", "type": "choices", "value": {"choices": labels}}
    bench.label_studio.submit(task_id, [region])


@pytest.fixture
def farm(context, app, label_studio, bring_to):
    """100 real tasks, 80 of them labelled; ten sound synthetic ones, ten with wrong sets, ten copies."""
    texts, sets = write(REAL)
    project_id = label_studio.add_project(texts=texts, label_config=CONFIG)
    fresh, meant = write(20, seed=7)
    data = [made(text, given, generator="A") for text, given in zip(fresh[:5], meant[:5], strict=True)]
    spelled = zip(fresh[5:10], meant[5:10], strict=True)
    data += [made(text, ", ".join(given), generator="A") for text, given in spelled]
    wrong = zip(fresh[10:], meant[10:], strict=True)
    data += [made(text, [one for one in LABELS if one not in given], generator="B") for text, given in wrong]
    data += [made(text, given, generator="C") for text, given in zip(texts[:10], sets[:10], strict=True)]
    label_studio.add_tasks(project_id, data)
    bench = Workbench(context, label_studio, project_id)

    def act():
        bench.connect()
        for number in range(LABELLED):
            tick(bench, number + 1, sets[number])
        bench.loop()

    return bring_to("farm of sets", bench, act)


SOUND, WRONG, COPIES = (range(REAL + first, REAL + first + 10) for first in (1, 11, 21))


def verdicts(context):
    with context.database.session() as session:
        return {row.task_id: row for row in session.scalars(select(Verdict))}


def test_every_task_has_a_verdict_however_its_set_is_spelled(context, farm):
    rows = verdicts(context)
    assert set(rows) == {*SOUND, *WRONG, *COPIES}
    assert all(row.reason and row.low <= row.value <= row.high for row in rows.values())


def test_wrong_sets_are_worth_less_than_sound_ones(context, farm):
    rows = verdicts(context)
    assert "helpful" not in {rows[task_id].verdict for task_id in WRONG}
    assert "harmful" not in {rows[task_id].verdict for task_id in SOUND}
    assert max(rows[task_id].value for task_id in WRONG) < min(rows[task_id].value for task_id in SOUND)


def test_copies_of_real_tasks_are_redundant_and_name_their_twin(context, farm):
    rows = verdicts(context)
    assert [rows[task_id].verdict for task_id in COPIES] == ["redundant"] * len(COPIES)
    assert [rows[task_id].duplicate_of for task_id in COPIES] == list(range(1, 11))


def test_verdicts_are_marked_on_the_tasks(context, farm):
    rows = verdicts(context)
    flags = {number: farm.label_studio.tasks[number]["data"].get(FLAG_FIELD, "") for number in rows}
    expected = {"helpful": "", "unsure": "review", "harmful": "harmful", "redundant": "redundant"}
    assert flags == {number: expected[row.verdict] for number, row in rows.items()}


def test_they_teach_nothing_and_the_page_says_so(context, farm):
    figures = farm.loop().figures
    assert (figures["labels"], figures["pool"]) == (LABELLED, REAL - LABELLED)
    view = build_dashboard(farm.workspace)["synthetic"]
    assert "a question with several choices is learned from real tasks alone" in view["words"]
    assert sum(row["count"] for row in view["counts"]) == 30
    assert view["realism"]["classes"]


def test_the_lift_of_each_generator_is_measured_on_real_audit_labels(farm):
    lifts = {row["generator"]: row for row in newest_signals(farm.workspace).stored["synthetic"]["lift"]}
    assert {"A", "B", "C"} <= set(lifts)
    assert all(row["low"] <= row["mean"] <= row["high"] for row in lifts.values())


def test_a_persons_answer_counts_at_the_next_loop(context, farm):
    rows = verdicts(context)
    task_id = next(number for number in SOUND if rows[number].value > 0)
    meant = write(20, seed=7)[1][task_id - SOUND.start]
    tick(farm, task_id, [label for label in LABELS if label not in meant])
    farm.loop()
    assert verdicts(context)[task_id].value < 0
    assert farm.loop().outcome == "unchanged"


def test_doubtful_ones_come_by_a_lane_of_their_own(context, farm):
    doubtful = [number for number, row in verdicts(context).items() if row.verdict == "unsure"]
    farm.connect(synthetic_share=0.3)
    tick(farm, LABELLED + 1, ["cats"])
    farm.loop()
    with context.database.session() as session:
        lane = session.scalars(
            select(WindowTask.task_id).where(
                WindowTask.version == farm.version, WindowTask.lane == "synthetic"
            )
        ).all()
    assert set(lane) <= {*SOUND, *WRONG, *COPIES}
    assert bool(lane) == bool(doubtful)


def test_a_loop_with_them_can_be_replayed_bit_for_bit(context, farm):
    with context.database.session() as session:
        loop = session.scalars(select(Loop.id).where(Loop.outcome == "published").order_by(Loop.id)).all()[-1]
    assert replay(farm.workspace, loop).is_exact


def test_a_set_may_come_as_a_prediction_or_a_ground_truth(context, farm):
    text = "whiskers purr litter kitten about cats note900"
    data = [{"text": f"{text} {number}", "source": "synthetic"} for number in range(2)]
    predicted, annotated = farm.label_studio.add_tasks(farm.project_id, data)
    chosen = {"choices": ["dogs", "cats"]}
    region = {"from_name": "about", "to_name": "text", "type": "choices", "value": chosen}
    studio = farm.label_studio
    studio.store_prediction({"task": predicted, "result": [region], "model_version": "a generator"})
    studio.submit(annotated, [region])
    studio.tasks[annotated]["annotations"][0]["ground_truth"] = True
    farm.loop()
    with context.database.session() as session:
        kept = session.scalars(
            select(Task.intended_label).where(Task.task_id.in_([predicted, annotated]))
        ).all()
    assert kept == ['["cats", "dogs"]'] * 2
