"""What a loop does once its queue is out may fail in part: the queue and the other parts do not mind."""

import logging

import pytest

from backend.errors import LabelStudioUnreachable
from backend.workflows.findings import reflect, watch


def failing(error):
    def work(*args, **kwargs):
        raise error

    return work


@pytest.mark.parametrize("error", [ValueError("lions roar"), IndexError("lions roar"), ZeroDivisionError()])
def test_a_figure_that_cannot_be_worked_out_fails_no_loop_and_shows_no_text(
    connected, monkeypatch, caplog, error
):
    monkeypatch.setattr(reflect, "find_novel", failing(error))
    connected.label(5)
    with caplog.at_level(logging.WARNING):
        report = connected.loop()
    assert report.outcome == "published"
    assert report.figures["signals"]["accuracy"]["n"] >= 0
    assert "novelty" not in report.figures["signals"]
    why = report.figures["failed"]["looking for new classes"]
    assert type(error).__name__ in why
    assert "lions" not in why + caplog.text


@pytest.mark.parametrize(
    ("part", "name", "missing"),
    [
        (
            "measure_accuracy",
            "measuring accuracy",
            {"accuracy", "rest", "macro_f1", "per_class", "calibration"},
        ),
        ("certify_threshold", "certifying suggestions", {"trusted"}),
        ("find_suspects", "looking for wrong labels", {"suspects"}),
        ("measure_agreement", "comparing people", {"agreement"}),
        ("look_ahead", "looking ahead", {"curve", "random_curve", "advantage", "forecast", "advice"}),
    ],
)
def test_a_part_that_fails_takes_no_other_figure_with_it(connected, monkeypatch, part, name, missing):
    connected.label(5)
    with monkeypatch.context() as patch:
        patch.setattr(watch, part, failing(ValueError()))
        found = connected.loop().figures
    assert list(found["failed"]) == [name]
    connected.label(5)
    whole = connected.loop().figures["signals"]
    assert set(whole) - set(found["signals"]) == missing


def test_marks_that_label_studio_does_not_take_are_named_with_its_reason(connected, monkeypatch):
    monkeypatch.setattr(reflect, "write_tabs", failing(LabelStudioUnreachable("It is away.")))
    connected.label(5)
    report = connected.loop()
    assert report.outcome == "published"
    assert report.figures["failed"] == {"marking tasks": "It is away."}


def test_no_mark_is_taken_away_after_a_failed_measurement(connected, monkeypatch):
    written = []
    monkeypatch.setattr(reflect, "watch", failing(ValueError()))
    monkeypatch.setattr(reflect, "write_notes", lambda *args: written.append(args))
    connected.label(5)
    assert "measuring" in connected.loop().figures["failed"]
    assert not written
