"""What cannot be told yet says what is known, what is lacking, and in how many answers it is told."""

import pytest

from backend.workflows.findings.waits import say
from backend.workflows.views.signals import newest_signals
from tests.topics import write_texts
from tests.workbench import Workbench


@pytest.fixture
def bench(context, app, label_studio):
    bench = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(300)))
    bench.connect(queue_window=40)
    return bench


def after(bench, labels):
    bench.label(labels)
    bench.loop()
    return newest_signals(bench.workspace).signals


def test_before_the_first_answer_the_page_knows_when_the_first_range_comes(bench):
    bench.loop()
    found = newest_signals(bench.workspace).signals
    waits = {row.of: row for row in found.waits}
    assert found.accuracy.method is None and found.accuracy.estimate is None
    assert (waits["accuracy"].blind, waits["accuracy"].answers) == (1, 1)
    assert waits["curve"].blind == 30 and waits["curve"].answers == 194  # .15 of 194 are 29.1


def test_a_handful_of_answers_gives_a_range_and_says_what_narrows_it(bench):
    found = after(bench, 20)
    accuracy = found.accuracy
    assert accuracy.method == "exact" and 2 <= accuracy.blind < 10 == accuracy.needed
    assert 0.0 <= accuracy.low <= accuracy.estimate <= accuracy.high <= 1.0
    assert accuracy.high - accuracy.low > 0.3
    assert accuracy.rough_n == 20 and 0.0 <= accuracy.rough <= 1.0
    assert f"{accuracy.blind} blind answers" in accuracy.words and "rough guess" in accuracy.words
    waits = {row.of: row for row in found.waits}
    assert {"curve", "forecast", "advantage", "calibration", "trusted"} <= set(
        waits
    ) and "accuracy" not in waits
    assert waits["calibration"].blind == 30 - accuracy.blind
    assert f"there are {accuracy.blind}" in waits["calibration"].lacks
    assert not any("too early" in (row.known + row.lacks).lower() for row in found.waits)
    assert found.forecast.words == say(waits["forecast"]) and found.advantage.words == say(waits["advantage"])
    assert f"About {waits['advantage'].answers} more answers until then." in found.advantage.words


def test_where_the_tasks_do_not_reach_so_far_no_number_of_answers_is_promised(bench):
    found = after(bench, 200)
    assert (found.accuracy.more_blind is None) == (found.accuracy.more_answers is None)
    for row in found.waits:
        assert row.answers is None or row.answers <= 100


def test_what_is_told_waits_no_more(context, app, label_studio):
    bench = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(120)))
    bench.connect(queue_window=90, audit_share=0.5)
    found = after(bench, 80)
    assert found.accuracy.method == "assisted" and found.curve
    assert not {"accuracy", "curve", "forecast", "advantage", "calibration"} & {row.of for row in found.waits}
