"""The page shows the figures that a loop measured, each in its place."""

import pytest

from backend.workflows.project.figures import ClassRow, Signals
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.dashboard.charts import class_table
from backend.workflows.views.dashboard.page import build_dashboard
from tests.measured import LABELS, add_rich_project, write_signals
from tests.topics import write_texts


@pytest.fixture
def page(context):
    add_rich_project(context, texts=write_texts(120), answered=20)
    return build_dashboard(open_workspace(context, 7))


def test_tasks_and_labels_are_counted(page):
    assert (page["project"]["tasks"], page["project"]["labels"]) == (120, 20)


def test_the_bins_of_the_calibration_are_those_that_were_measured(page):
    measured = write_signals()["calibration"]
    assert page["calibration"]["bins"] == measured["bins"]
    assert page["calibration"]["words"] == "Confidence and truth differ by 3.1 points on average."


def test_both_curves_are_drawn_as_they_were_measured(page):
    signals = write_signals()
    for name, drawn in (("curve", "ours"), ("random_curve", "random")):
        points = page["curve"][drawn]
        assert [(row["labels"], row["accuracy"]) for row in points] == [
            (row["labels"], row["accuracy"]) for row in signals[name]
        ]


def test_realism_is_told_by_class(page):
    assert page["synthetic"]["realism"]["classes"] == [
        {"label": label, "density": "0.80", "coverage": "0.66"} for label in LABELS
    ]


def test_groups_and_suspects_carry_what_was_found(page):
    titles = [card["title"] for card in page["waiting"] if card["key"].startswith("group")]
    assert titles == [f"A new class, “group about {number}”?" for number in (1, 2, 3)]
    assert page["quality"]["suspects"] == write_signals()["suspects"]["words"]


def test_of_classes_with_few_blind_answers_the_weaker_comes_first():
    rows = [
        ClassRow(label="found", labels=3, audit=2, right=2),
        ClassRow(label="lost", labels=9, audit=1, right=0),
        ClassRow(label="measured", labels=5, audit=9, right=6, recall=0.67, low=0.3, high=0.9),
        ClassRow(label="never asked", labels=1, audit=0),
    ]
    shown = [row["label"] for row in class_table(Signals(per_class=rows))]
    assert shown == ["lost", "measured", "found", "never asked"]
