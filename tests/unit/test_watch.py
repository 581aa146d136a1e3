"""What a loop says of its own project comes from audit labels, and waits for enough of them."""

import pytest

from backend.workflows.views.signals import newest_signals
from tests.topics import write_texts
from tests.workbench import Workbench


def signals(workbench):
    return newest_signals(workbench.workspace).stored


def test_calibration_waits_for_thirty_audit_labels(trained):
    assert signals(trained)["calibration"] == {}


def test_calibration_counts_audit_labels_alone_and_the_curve_ends_at_the_accuracy(context, app, label_studio):
    bench = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(90)))
    bench.connect(audit_share=0.5, queue_window=70)
    bench.label(70)
    bench.loop()
    found = signals(bench)
    assert found["calibration"]["n"] == found["accuracy"]["n"] >= 30
    assert sum(row["n"] for row in found["calibration"]["bins"]) == found["calibration"]["n"]
    assert found["curve"][-1]["accuracy"] == pytest.approx(found["accuracy"]["estimate"], abs=1e-6)
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in found["calibration"]["bins"])
