"""Settings of Label Studio that decide the order or hide the pre-annotation: named, with the cure."""

import pytest

from backend.label_studio.queue_settings import find_disturbances, has_cohort, read_queue_settings
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.status import project_status

CONNECT = "nextlabel connect 1"
DISTURBANCES = {
    "sampling": ("Sequential sampling", "fault", CONNECT),
    "show_collab_predictions": (False, "fault", CONNECT),
    "show_overlap_first": (True, "fault", CONNECT),
    "maximum_annotations": (3, "warning", "own rule"),
    "annotator_evaluation_enabled": (True, "warning", "settings"),
    "evaluate_predictions_automatically": (True, "warning", "settings"),
    "reveal_preannotations_interactively": (True, "warning", "settings"),
}


def found_by_doctor(workbench, check):
    rows = diagnose(workbench.context, workbench.project_id)
    return next((finding for finding in rows if finding.check == check), None)


@pytest.mark.parametrize("setting", DISTURBANCES)
def test_doctor_status_page_and_metrics_name_a_setting_that_disturbs(setting, connected, client):
    value, verdict, cure = DISTURBANCES[setting]
    connected.label_studio.change_project(1, **{setting: value})
    finding = found_by_doctor(connected, setting)
    assert finding.verdict == verdict and cure in finding.cure

    connected.loop()
    order = project_status(connected.workspace)["order"]
    assert order["settings"][setting] == value
    (row,) = order["disturbances"]
    assert (row["setting"], row["verdict"], row["cure"]) == (setting, verdict, finding.cure)
    item = read_state(connected.workspace)["items"]["order"]
    assert item["tone"] == {"fault": "bad", "warning": "warning"}[verdict]
    cards = build_dashboard(connected.workspace)["waiting"]
    said = " ".join([item["words"], *(f"{card['words']} Run: {card['command']}" for card in cards)])
    assert finding.message in said and finding.cure in said
    assert f'nextlabel_order_disturbed{{project="1",setting="{setting}"}} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize("setting", [name for name, row in DISTURBANCES.items() if row[2] == CONNECT])
def test_connect_cures_what_it_is_said_to_cure(setting, connected):
    connected.label_studio.change_project(1, **{setting: DISTURBANCES[setting][0]})
    assert connected.connect().in_order
    assert project_status(connected.workspace)["order"]["disturbances"] == []
    assert found_by_doctor(connected, "order settings").verdict == "ok"


def test_disconnect_sets_back_what_connect_changed(workbench, label_studio):
    label_studio.change_project(1, show_overlap_first=True, sampling="Uniform sampling")
    workbench.connect()
    assert (workbench.remote["show_overlap_first"], workbench.remote["sampling"]) == (
        False,
        "Uncertainty sampling",
    )
    disconnect(workbench.workspace)
    assert (workbench.remote["show_overlap_first"], workbench.remote["sampling"]) == (
        True,
        "Uniform sampling",
    )


def test_when_nothing_disturbs_the_page_says_that_the_order_is_served(connected):
    assert read_state(connected.workspace)["items"]["order"]["words"] == "as they should be"


def test_before_a_look_nothing_is_claimed(connected):
    connected.workspace.change(queue_settings={})
    assert read_state(connected.workspace)["items"]["order"]["tone"] == "plain"
    assert find_disturbances({}, project=1) == []


@pytest.mark.parametrize(
    ("settings", "some"),
    [
        ({"maximum_annotations": 2, "overlap_cohort_percentage": 99}, True),
        ({"maximum_annotations": 2, "overlap_cohort_percentage": 100}, False),
        ({"maximum_annotations": 1, "overlap_cohort_percentage": 50}, False),
        ({"maximum_annotations": None, "overlap_cohort_percentage": "50"}, False),
        ({}, False),
    ],
)
def test_only_some_tasks_have_several_answers_where_both_settings_say_so(settings, some):
    assert has_cohort(settings) is some


def test_an_older_label_studio_may_lack_a_setting():
    found = read_queue_settings({"sampling": "Uncertainty sampling"})
    assert find_disturbances(found, project=1) == []


def test_connect_says_what_stands_before_the_order(workbench, label_studio, run_command):
    label_studio.change_project(1, maximum_annotations=2)
    result = run_command(workbench.context, "connect", "1")
    assert result.exit_code == 0
    assert "those first that others have begun" in " ".join(result.output.split())
