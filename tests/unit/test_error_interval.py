"""The range of a mean absolute error holds the mean as often as it says.

Thirty errors, most of which are 0, have few different means, so that 95 of 100 cannot be met to the dot.
"""

import numpy as np
import pytest

from model.tasks.error_interval import error_figure, error_interval

GRADES = {
    "good": [0.8, 0.18, 0.02],
    "fair": [0.5, 0.37, 0.1, 0.02, 0.01],
    "poor": [0.35, 0.35, 0.2, 0.07, 0.03],
}


@pytest.mark.parametrize("rows", [30, 100, 300])
@pytest.mark.parametrize("head", sorted(GRADES))
def test_it_holds_the_mean_error_of_grades(head, rows):
    chances = np.array(GRADES[head])
    truth = chances @ np.arange(len(chances))
    rng = np.random.default_rng(3)
    drawn = rng.choice(len(chances), size=(1500, rows), p=chances).astype(np.float32)
    ranges = [error_interval(each, smallest=1.0) for each in drawn]
    assert 0.93 <= np.mean([low <= truth <= high for low, high in ranges]) <= 0.975


@pytest.mark.parametrize("rows", [30, 100, 300])
def test_it_holds_the_mean_error_of_numbers(rows):
    drawn = np.abs(np.random.default_rng(4).normal(size=(1500, rows))).astype(np.float32)
    ranges = [error_interval(each, smallest=1e-6) for each in drawn]
    assert 0.93 <= np.mean([low <= np.sqrt(2 / np.pi) <= high for low, high in ranges]) <= 0.97


def test_no_error_seen_does_not_mean_none():
    low, high = error_interval(np.zeros(30, dtype=np.float32), smallest=1.0)
    assert low == 0.0
    assert high == pytest.approx(0.1157, abs=1e-3)
    assert error_interval(np.zeros(300, dtype=np.float32), smallest=1.0)[1] < high / 5


def test_few_errors_have_no_figure():
    figure = error_figure(np.ones(9, dtype=np.float32), smallest=1.0)
    assert (figure.value, figure.low, figure.high, figure.n) == (None, None, None, 9)
    figure = error_figure(np.arange(10, dtype=np.float32), smallest=1.0)
    assert figure.low < figure.value == 4.5 < figure.high
    assert not figure.higher_is_better


def test_bad_errors_are_refused():
    for errors in ([1.0], [1.0, -0.5], [1.0, np.nan]):
        with pytest.raises(ValueError, match="error_interval"):
            error_interval(np.array(errors, dtype=np.float32), smallest=1.0)
