"""Status, versions and metrics."""

import shutil
from io import StringIO

import pytest
from rich.console import Console

from backend.errors import NotConnected
from backend.report import audit_sentence, print_statuses
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.other_questions import accuracy_of_others
from backend.workflows.views.status import all_statuses, project_status
from backend.workflows.views.versions import list_versions
from tests.fake_label_studio import LEGACY_TOKEN
from tests.measured import add_rich_project, write_signals
from tests.topics import write_texts


def test_a_project_at_a_glance(connected):
    connected.label(4)
    connected.loop()
    connected.label(1)
    row = project_status(connected.workspace)
    assert (row["project"], row["title"], row["connected"], row["version"]) == (
        1,
        "A project",
        True,
        "nl-000002",
    )
    assert (row["tasks"], row["labelled"]) == (40, 4)
    assert row["window"] == {"size": 10, "left": 10}
    assert row["pending_hints"] == 1
    assert row["last_webhook"].startswith("20")
    assert row["last_loop"]["outcome"] == "published" and row["last_loop"]["error"] is None
    assert row["metrics"]["labels"] == 4
    assert row["settings"]["queue_window"] == 10
    assert row["workers"] == [] and row["running"] is False
    assert "judged by 1 blind answer." in row["signals"]["accuracy"]["words"] and row["groups"] == []
    assert row["verdicts"] == {"helpful": 0, "redundant": 0, "harmful": 0, "unsure": 0}


def test_the_status_holds_what_the_last_loop_measured(context):
    add_rich_project(context, texts=write_texts(60))
    row = project_status(open_workspace(context, 7))
    assert row["signals"] == write_signals()
    assert [group["group"] for group in row["groups"]] == [1, 2, 3]
    assert sum(row["verdicts"].values()) == 40


def test_before_the_first_loop_there_is_little_to_say(workbench, client, label_studio):
    assert client.post("/setup", json={"project": "1.1767225660"}, headers={}).status_code == 200
    row = project_status(workbench.workspace)
    assert (row["version"], row["last_loop"], row["last_webhook"], row["metrics"]) == (None, None, None, {})


def test_a_failed_loop_says_why(connected, label_studio):
    label_studio.backends.clear()
    with pytest.raises(NotConnected):
        connected.loop()
    last = project_status(connected.workspace)["last_loop"]
    assert last["outcome"] == "failed" and "no ML backend" in last["error"]


def test_only_connected_projects_are_listed(connected):
    assert [row["project"] for row in all_statuses(connected.context)] == [1]
    disconnect(connected.workspace)
    assert all_statuses(connected.context) == []


def test_a_lost_model_store_is_no_fault_of_the_status(connected, settings):
    shutil.rmtree(settings.model_folder)
    assert project_status(connected.workspace)["metrics"] == {}
    (lost,) = list_versions(connected.workspace)
    assert (lost["version"], lost["kind"]) == ("nl-000001-label-names", "unreadable")


def test_versions_are_listed_newest_first_with_what_they_were_worth(connected):
    connected.label(10)
    connected.loop()
    newest, oldest = list_versions(connected.workspace)
    assert (newest["version"], newest["active"], newest["kind"]) == ("nl-000002", True, "trained")
    assert (oldest["version"], oldest["active"], oldest["kind"]) == (
        "nl-000001-label-names",
        False,
        "label-names",
    )
    assert newest["metrics"]["labels"] == 10 and newest["strategy"] and newest["classes"] == 2


def test_a_version_that_cannot_be_read_does_not_hide_the_others(connected, settings):
    connected.label(10)
    connected.loop()
    broken = settings.model_folder / connected.project.key / "nl-000001-label-names"
    (broken / "manifest.json").write_text("{")
    newest, oldest = list_versions(connected.workspace)
    assert (newest["version"], newest["kind"]) == ("nl-000002", "trained")
    assert (oldest["version"], oldest["kind"], oldest["metrics"]) == (broken.name, "unreadable", {})


def test_the_status_over_http_is_the_same(connected, client):
    response = client.get("/projects/1.json")
    assert response.status_code == 200
    assert response.json == project_status(connected.workspace)
    assert LEGACY_TOKEN not in response.get_data(as_text=True)


def test_retraining_over_http_leaves_a_hint(connected, client):
    connected.context.jobs.enqueued.clear()
    response = client.post("/projects/1/retrain")
    assert (response.status_code, response.json) == (202, {"status": "taken"})
    assert connected.context.jobs.enqueued == [connected.project.id]


def test_metrics_hold_all_that_was_measured(context, client):
    add_rich_project(context, texts=write_texts(60))
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    numbers = {
        name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")
    }
    expected = {
        'nextlabel_accuracy{bound="estimate",project="7"}': 0.834,
        'nextlabel_accuracy{bound="low",project="7"}': 0.771,
        'nextlabel_audit_labels{project="7"}': 142,
        'nextlabel_macro_f1{project="7"}': 0.79,
        'nextlabel_class_recall{class="card arrival",project="7"}': 0.95,
        'nextlabel_advantage{bound="estimate",project="7"}': 0.036,
        'nextlabel_advantage{bound="high",project="7"}': 0.062,
        'nextlabel_forecast_gain{bound="estimate",project="7"}': 0.012,
        'nextlabel_advice{advice="keep-labeling",project="7"}': 1,
        'nextlabel_advice{advice="stop",project="7"}': 0,
        'nextlabel_advice_signal{project="7",signal="stable predictions"}': 0.981,
        'nextlabel_calibration_error{project="7"}': 0.031,
        'nextlabel_trusted_threshold{project="7"}': 0.93,
        'nextlabel_suspect_labels{project="7"}': 7,
        'nextlabel_acceptance{project="7",version="nl-000004"}': 61 / 80,
        'nextlabel_agreement{annotator="1",project="7"}': 0.87,
        'nextlabel_novel_flags_expected_false{project="7"}': 9.2,
        'nextlabel_novel_groups{project="7"}': 3,
        'nextlabel_synthetic_tasks{project="7",verdict="harmful"}': 10,
        'nextlabel_synthetic_lift{bound="low",generator="template",project="7"}': -0.009,
        'nextlabel_synthetic_c2st{project="7"}': 0.71,
        'nextlabel_loop_seconds{project="7",stage="sync"}': 0.2,
        'nextlabel_loops{outcome="published",project="7"}': 5,
        'nextlabel_loop_running{project="7"}': 0,
    }
    assert {name: numbers.get(name) for name in expected} == expected
    assert 'nextlabel_agreement{annotator="2",project="7"}' not in numbers
    assert numbers['nextlabel_last_webhook_timestamp_seconds{project="7"}'] > 1_700_000_000


def test_metrics_are_those_of_the_moment(connected, client):
    def numbers():
        lines = client.get("/metrics").get_data(as_text=True).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    assert numbers()['nextlabel_window_left{project="1"}'] == "10.0"
    assert 'nextlabel_audit_accuracy{project="1"}' not in numbers()
    connected.label(20)
    connected.loop()
    after = numbers()
    assert after['nextlabel_labelled_tasks{project="1"}'] == "20.0"
    assert after['nextlabel_tasks{project="1"}'] == "40.0"
    assert after['nextlabel_audit_accuracy{project="1"}'] == "1.0"
    assert after["nextlabel_workers"] == "0.0"


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({}, "no blind answers yet"),
        ({"audit_labels": 0, "audit_accuracy": None}, "no blind answers yet"),
        (
            {"audit_labels": 29, "audit_accuracy": 1.0, "audit_low": 0.9, "audit_high": 1.0},
            "29 of 30 blind answers",
        ),
        (
            {"audit_labels": 40, "audit_accuracy": 0.8, "audit_low": 0.652, "audit_high": 0.895},
            "80 % (65 to 90) on 40 blind answers",
        ),
    ],
)
def test_accuracy_is_never_said_without_its_interval(metrics, sentence):
    assert audit_sentence(metrics) == sentence


def the_questions(**first):
    """Figures of two questions, the first a single choice that is measured apart where it has classes."""
    figure = {"name": "accuracy", "value": 0.8, "low": 0.55, "high": 0.93, "n": 15}
    error = {"name": "mean absolute error", "value": 0.5, "low": 0.3, "high": 0.8, "n": 15}
    fields = {"kind": "single-choice", "metric": "answers that are right", "labels": 60, "blind": 15}
    questions = [
        fields | {"name": "tint", "figures": [figure]},
        fields | {"name": "age", "figures": [error | {"higher_is_better": False}]},
        fields | {"name": "new", "figures": []},
        fields | {"name": "few", "figures": [figure | {"value": None, "low": None, "high": None, "n": 1}]},
    ]
    return Signals.read({"questions": questions} | first)


def test_the_status_tells_the_accuracy_of_every_question_but_the_first():
    others = [
        "tint: accuracy 80 % (55 to 93) on 15 blind answers",
        "age: mean absolute error 0.5 (0.3 to 0.8) on 15 blind answers",
        "new: not measured yet, 60 answers so far",
        "few: accuracy is not told yet: 1 blind answer so far",
    ]
    per_class = [{"label": "car", "labels": 30, "audit": 8}]
    assert accuracy_of_others(the_questions(per_class=per_class)) == others
    assert accuracy_of_others(the_questions()) == others[1:]
    assert accuracy_of_others(Signals()) == []


def test_status_prints_them_below_the_accuracy_of_the_first(connected):
    row = project_status(connected.workspace)
    per_class = [{"label": "car", "labels": 30, "audit": 8}]
    row["signals"] = the_questions(per_class=per_class).to_json()
    out = Console(file=StringIO(), width=120)
    print_statuses(out, [row])
    assert "tint: accuracy 80 % (55 to 93) on 15 blind answers" in out.file.getvalue()
