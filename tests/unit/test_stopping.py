"""Stopping: an advice with its reasons in numbers, which never stops anything itself."""

import numpy as np
import pytest

from model.records import LabelSpace
from model.signals.estimate import Estimate
from model.signals.forecast import Forecast
from model.signals.stopping import (
    advise,
    agreement_of_versions,
    find_starved_classes,
    pick_stop_set,
    unexplained_mass,
)

UNKNOWN = Forecast(100, None, "Too early for a forecast.")


def forecast(value, low=None, high=None):
    low, high = value - 0.004 if low is None else low, value + 0.004 if high is None else high
    return Forecast(100, Estimate(value, low, high), "")


def test_labels_that_bring_more_than_their_price_are_worth_it():
    found = advise(kappas=[0.99, 0.99, 0.99], forecast=forecast(0.02))
    assert found.advice == "keep-labeling"
    assert "less than 0.5 points" in found.would_change


def test_a_gain_surely_below_the_price_is_a_reason_to_stop():
    found = advise(kappas=[], forecast=forecast(0.001))
    assert found.advice == "stop"
    assert "New data" in found.would_change


def test_a_low_gain_that_may_be_high_is_no_reason_to_stop():
    assert advise(kappas=[], forecast=forecast(0.001, high=0.02)).advice == "keep-labeling"


def test_a_lower_price_keeps_people_labeling():
    assert advise(kappas=[], forecast=forecast(0.001), price=0.0005).advice == "keep-labeling"


def test_new_classes_come_before_stopping():
    found = advise(kappas=[], forecast=forecast(0.0), novelty_labels=40, new_classes=2)
    assert found.advice == "label-novel-lane"
    assert "2 new classes" in found.words


def test_a_pool_without_what_is_needed_asks_for_data():
    found = advise(kappas=[], forecast=forecast(0.0), starved_classes=("refund", "fraud"))
    assert found.advice == "collect-data"
    assert "refund, fraud" in found.words


def test_without_a_forecast_stable_predictions_decide():
    assert advise(kappas=[0.9, 0.995, 0.99, 0.992], forecast=UNKNOWN).advice == "stop"
    assert advise(kappas=[0.995, 0.99, 0.9], forecast=UNKNOWN).advice == "keep-labeling"
    assert advise(kappas=[], forecast=UNKNOWN).advice == "keep-labeling"


def test_every_signal_has_a_name_and_says_what_is_known():
    signals = advise(kappas=[0.99] * 3, forecast=UNKNOWN, unexplained=0.01, novelty_labels=120).signals
    assert [signal.name for signal in signals] == [
        "stable predictions",
        "gain below the price",
        "little left unexplained",
        "no new class",
    ]
    assert [signal.reached for signal in signals] == [True, None, True, True]
    assert all(signal.words.endswith(".") for signal in signals)


def test_every_signal_names_its_bar_whether_it_is_known_or_not():
    unknown = advise(kappas=[], forecast=UNKNOWN, price=0.01).signals
    known = advise(kappas=[0.99] * 3, forecast=forecast(0.02), price=0.01, unexplained=0.01).signals
    for signals in (unknown, known):
        assert [signal.bar for signal in signals] == pytest.approx([0.99, 0.01, 0.02, 1.0])


def test_predictions_are_known_to_be_stable_after_four_versions_that_agree():
    stable = [advise(kappas=[0.99] * count, forecast=UNKNOWN).signals[0] for count in (2, 3)]
    assert [signal.reached for signal in stable] == [None, True]
    assert [signal.value for signal in stable] == [None, 0.99]


@pytest.mark.parametrize("change", [{"price": 0.0}, {"kappas": [np.nan]}, {"unexplained": np.inf}])
def test_numbers_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match="advise"):
        advise(**({"kappas": [], "forecast": UNKNOWN} | change))


def test_versions_are_compared_on_the_items_that_both_saw():
    ids = np.arange(10)
    classes = ids % 2
    assert agreement_of_versions(ids, classes, ids[::-1], classes[::-1]) == 1.0
    assert agreement_of_versions(ids, classes, ids, 1 - classes) == -1.0
    assert agreement_of_versions(ids, classes, ids + 100, classes) is None
    assert agreement_of_versions(ids, np.zeros(10, dtype=int), ids, np.zeros(10, dtype=int)) == 1.0
    assert agreement_of_versions(ids[:6], classes[:6], ids[4:], classes[4:]) == 1.0


def test_the_stop_set_stays_when_the_pool_grows():
    small = pick_stop_set(np.arange(3000), seed=4)
    large = pick_stop_set(np.arange(3100), seed=4)
    assert len(small) == len(large) == 2000
    assert len(np.intersect1d(small, large)) > 1900
    assert pick_stop_set(np.arange(5), seed=4).tolist() == [0, 1, 2, 3, 4]


def test_what_is_less_clear_than_the_border_is_unexplained():
    recent = np.array([[0.6, 0.4], [0.7, 0.3], [0.5, 0.5]], dtype=np.float32)
    pool = np.array([[0.9, 0.1], [0.6, 0.4], [0.55, 0.45], [0.8, 0.2]], dtype=np.float32)
    assert unexplained_mass(pool, recent, np.array([True, True, False])) == 0.5
    assert unexplained_mass(pool, recent, np.zeros(3, dtype=bool)) is None
    assert unexplained_mass(pool[:0], recent, np.ones(3, dtype=bool)) is None


def test_a_class_is_starved_when_neither_labels_nor_pool_have_it():
    space = LabelSpace(("a", "b", "c"))
    left = np.array([2.0, 500.0, 3.0], dtype=np.float32)
    assert find_starved_classes(np.array([50, 2, 4]), left, space) == ("c",)
