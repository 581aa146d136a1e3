"""What loops write down is one typed record: nothing else goes in, all is written, old ones are read."""

import copy
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from backend.database import Loop
from backend.workflows.findings import reflect
from backend.workflows.intake import share, sync
from backend.workflows.project.figures import (
    Accuracy,
    ClassRow,
    Figures,
    HeadMetrics,
    Outlook,
    Position,
    Record,
    Signals,
    Whole,
)
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.loop_records import loop_records, records_as_csv
from tests.measured import add_rich_project, write_signals
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

# Loops as commit 6490469 stored them: one with synthetic tasks, one with many labels.
OLD = json.loads(Path(__file__).with_name("figures_of_an_earlier_release.json").read_text())
# What no loop stores: what others build on, and what is only handed over or belongs to a loop that runs.
NOT_STORED = {Whole, Outlook, Position}


@pytest.fixture
def full(context, app, label_studio, bring_to):
    """A project of which loops measure everything there is; one of its measurements failed."""
    texts = write_texts(240, topics=("cats",) * 10 + ("dogs", "birds"))
    project_id = label_studio.add_project(texts=texts, labels=("cats", "dogs", "birds"))
    bench = Workbench(context, label_studio, project_id)

    def act():
        bench.connect(audit_share=0.5, queue_window=160, quotas="device=mobile:0.1")
        bench.label(2)
        loop_without_novelty(bench)
        label_studio.add_tasks(project_id, [made(text) for text in write_texts(8, seed=7)])
        accept_and_repeat(bench, bench.label(150))
        bench.loop()
        label_studio.change_project(project_id, show_collab_predictions=False)
        waiting = bench.window[:3]
        for key in [key for key, row in label_studio.predictions.items() if row["task"] in waiting]:
            del label_studio.predictions[key]
        bench.loop()
        loop_while_workers_encode(bench)
        loop_of_a_first_look(bench)
        ask_more(bench)

    return bring_to("full", bench, act)


def loop_without_novelty(bench):
    def fail(*args, **kwargs):
        raise ValueError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reflect, "find_novel", fail)
        bench.loop()


def loop_while_workers_encode(bench):
    """New tasks come whose texts the loop leaves to the workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(share, "_encode", lambda _workspace, _task_ids, _progress: 0)
        bench.label_studio.add_tasks(bench.project_id, [{"text": text} for text in write_texts(3, seed=11)])
        bench.loop()


def loop_of_a_first_look(bench):
    """Some tasks are left to the next loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "is_first_look", lambda _workspace, _total: True)
        patch.setattr(sync, "read_sample", lambda _workspace, _remote, total, **_how: total - 3)
        bench.loop()


def ask_more(bench):
    """Another question, of several choices, that the next thirty answers and a loop are about too."""
    labels = '<Choice value="a"/><Choice value="b" hint="about"/>'
    more = f'<Choices name="marks" toName="text" choice="multiple">{labels}</Choices>'
    config = bench.remote["label_config"].replace("</View>", f"{more}</View>")
    bench.label_studio.change_project(bench.project_id, label_config=config)
    for task_id in bench.window[:30]:
        topic = topic_of(bench.tasks[task_id]["data"]["text"])
        marks = ["a", "b"] if topic == "cats" else ["b"]
        answers = {"topic": [topic], "marks": marks}
        regions = [
            {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": chosen}}
            for name, chosen in answers.items()
        ]
        bench.label_studio.submit(task_id, regions)
    bench.loop()


def made(text):
    return {"text": text, "source": "synthetic", "label": topic_of(text), "generator": "A"}


def accept_and_repeat(bench, task_ids):
    """The last task was answered upon a suggestion; fifteen are answered by somebody else as well."""
    tasks = bench.label_studio.tasks
    upon_suggestion = {"parent_prediction": 1, "created_at": "2999-01-01T00:00:00.000000Z"}
    tasks[task_ids[-1]]["annotations"][0].update(upon_suggestion)
    for task_id in task_ids[:15]:
        bench.label_studio.annotate(task_id, topic_of(tasks[task_id]["data"]["text"]), user=2)


def stored_figures(context):
    with context.database.session() as session:
        return session.scalars(select(Loop.figures).order_by(Loop.id)).all()


def kinds_of(kind):
    """All records that build on this one."""
    return {one for child in kind.__subclasses__() for one in ({child} | kinds_of(child))}


def written_in(record):
    """(kind of record, field) of every value in it."""
    found = set()
    for name in record.model_fields_set:
        value = getattr(record, name)
        if value is not None:
            found.add((type(record), name))
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Record):
                found |= written_in(part)
    return found


def test_every_field_is_written_by_a_loop(full, context):
    fields = {(kind, name) for kind in kinds_of(Record) - NOT_STORED for name in kind.model_fields}
    records = [Figures.model_validate(figures) for figures in stored_figures(context)]
    assert fields - {field for record in records for field in written_in(record)} == set()


def test_what_a_loop_stored_is_read_and_stored_again_as_it_was(full, context):
    for figures in stored_figures(context):
        assert json.dumps(Figures.model_validate(figures).to_json()) == json.dumps(figures)


def test_the_report_of_a_loop_says_what_is_stored(connected, context):
    connected.label(3)
    report = connected.loop()
    stored = stored_figures(context)[-1]
    assert report.figures == {name: value for name, value in stored.items() if name != "seconds"}
    assert report.seconds == stored["seconds"]


@pytest.mark.parametrize(
    "change",
    [
        {"accuracies": 0.5},
        {"macro_f1": "0.5"},
        {"macro_f1": float("nan")},
        {"suspects": {"words": "None looks wrong."}},
        {"per_class": [{"label": "cats", "labels": 3.5, "audit": 1}]},
        {"novelty": {"words": "", "flags": 3, "alpha": 0.05, "expected": 1.0}},
    ],
)
def test_what_is_no_figure_is_refused(change):
    with pytest.raises(ValidationError):
        write_signals(**change)


def test_a_record_that_is_filled_step_by_step_takes_no_other_type_either():
    figures = Figures()
    with pytest.raises(ValidationError):
        figures.labels = 1.5
    figures.labels = 7
    assert figures.to_json() == {"labels": 7}


@pytest.mark.parametrize("name", sorted(OLD))
def test_a_record_of_an_earlier_release_is_read(name):
    expected = copy.deepcopy(OLD[name])
    for gap in expected["signals"].get("synthetic", {}).get("gaps", []):
        assert gap.pop("slice") is None  # was never measured, and is no field any more
    assert Figures.read(OLD[name]).to_json() == expected


def test_a_record_of_an_earlier_release_is_shown_and_exported(context):
    workspace = Workspace(context, add_rich_project(context, texts=write_texts(120), loops=1))
    with context.database.session() as session:
        loop = session.scalars(select(Loop).where(Loop.outcome == "published")).one()
        loop.figures = OLD["with-synthetic-tasks"]
    view = build_dashboard(workspace)
    assert [row["generator"] for row in view["synthetic"]["lift"]][2:] == ["A", "B", "C"]
    assert [gap["count"] for gap in view["synthetic"]["gaps"]] == [104, 96]
    assert view["versions"][0]["labels"] == 40
    records = loop_records(workspace)
    assert records[0]["signals"] == OLD["with-synthetic-tasks"]["signals"]
    assert "keep-labeling" in records_as_csv(records)


@pytest.mark.parametrize("stored", [None, [], 3, "x", {}, {"later": 1}, {"accuracy": {"n": 12}}])
def test_what_is_no_record_is_an_empty_one(stored):
    assert Signals.read(stored) == Signals()


def test_what_does_not_fit_is_left_out_and_the_rest_is_read():
    stored = write_signals() | {"later": 1, "macro_f1": "much"}
    stored["accuracy"] |= {"plain": {"value": 0.5}, "worth": True, "later": []}
    stored["per_class"] = [{"label": "a", "labels": 1, "audit": 0, "recall": {}}, None, {"label": "b"}]
    stored["synthetic"]["counts"] = {"helpful": 3, "lovely": 4, "harmful": -0.5}
    found = Signals.read(stored)
    assert found.accuracy == Accuracy.model_validate(
        {name: value for name, value in write_signals()["accuracy"].items() if name not in ("plain", "worth")}
    )
    assert found.per_class == [ClassRow(label="a", labels=1, audit=0)]
    assert found.synthetic.counts == {"helpful": 3}
    assert found.macro_f1 is None
    assert found.novelty == Signals.read(write_signals()).novelty


def test_a_path_leads_to_a_figure_or_to_nothing_but_never_past_the_fields():
    signals = Signals.read(write_signals())
    assert signals.find("synthetic", "realism", "c2st") == 0.71
    assert Signals().find("synthetic", "realism", "c2st") is None
    with pytest.raises(AttributeError):
        signals.find("synthetic", "realism", "c3st")


def test_metrics_of_a_head_are_those_that_a_training_gives(trained):
    _head, manifest = trained.context.registry.load(trained.project.key, trained.version)
    found = HeadMetrics.model_validate(manifest.metrics)
    assert found.to_json() == manifest.metrics
    assert found.pooled >= 1 and found.labels == 12
