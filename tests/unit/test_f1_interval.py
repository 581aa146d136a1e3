"""F1 and its range, by counts that can be done by hand and by samples of a known pool."""

import numpy as np
import pytest

from model.tasks.f1_interval import (
    macro_f1,
    macro_f1_interval,
    micro_f1,
    micro_f1_interval,
    subset_accuracy_interval,
)

GIVEN = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32)
TRUE = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=np.float32)


def a_pool(n=20_000, *, labels=6, error=0.08, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.random((n, labels)) < np.linspace(0.4, 0.1, labels)
    return (true ^ (rng.random((n, labels)) < error)).astype(np.float32), true.astype(np.float32)


def test_f1_by_hand():
    assert micro_f1(GIVEN, TRUE) == pytest.approx(4 / 6)
    assert macro_f1(GIVEN, TRUE) == pytest.approx((1.0 + 0.5) / 2)  # nobody said anything of the third
    assert micro_f1(TRUE, TRUE) == macro_f1(TRUE, TRUE) == 1.0
    assert micro_f1(np.zeros((2, 3)), np.zeros((2, 3))) == 1.0


@pytest.mark.parametrize("interval", [micro_f1_interval, macro_f1_interval, subset_accuracy_interval])
def test_a_few_rows_say_nothing(interval):
    given, true = a_pool()
    assert interval(given[:9], true[:9]) is None
    value, low, high = interval(given[:10], true[:10])
    assert 0.0 <= low <= value <= high <= 1.0


@pytest.mark.parametrize("interval", [micro_f1_interval, macro_f1_interval, subset_accuracy_interval])
@pytest.mark.parametrize("same", [True, False])
def test_all_right_or_all_wrong_is_not_certain(interval, same):
    true = np.ones((20, 2), dtype=np.float32)
    value, low, high = interval(true if same else 1.0 - true, true)
    assert value == float(same)
    assert high - low > 0.1


@pytest.mark.parametrize("n", [30, 100, 300])
def test_the_range_of_micro_f1_holds_that_of_the_pool(n):
    given, true = a_pool()
    truth = micro_f1(given, true)
    rng = np.random.default_rng(1)
    held = []
    for _ in range(600):
        rows = rng.choice(len(given), n, replace=False)
        _, low, high = micro_f1_interval(given[rows], true[rows])
        held.append(low <= truth <= high)
    assert 0.92 <= np.mean(held) <= 0.985


def test_the_range_of_macro_f1_holds_that_of_the_pool():
    given, true = a_pool()
    truth = macro_f1(given, true)
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        rows = rng.choice(len(given), 150, replace=False)
        _, low, high = macro_f1_interval(given[rows], true[rows])
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.9
