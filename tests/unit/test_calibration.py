"""Temperature, calibration error and the Wilson interval."""

import numpy as np
import pytest

from model.calibration import calibration_error, fit_temperature, log_losses, wilson_interval


def drawn(logits, rng):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_the_temperature_that_made_the_data_is_found_again(true):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(5000, 4)).astype(np.float32)
    assert fit_temperature(logits * np.float32(true), drawn(logits, rng)) == pytest.approx(true, rel=0.08)


def test_the_temperature_never_makes_the_log_loss_worse_on_many_rows():
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=8, size=(500, 3)).astype(np.float32)
    classes = rng.integers(0, 3, 500)
    temperature = np.float32(fit_temperature(logits, classes))
    assert log_losses(logits / temperature, classes).mean() < log_losses(logits, classes).mean()


def test_one_row_hardly_moves_the_temperature():
    assert 0.7 < fit_temperature(np.array([[5.0, 0.0]], dtype=np.float32), np.array([0])) < 1.0


def test_no_rows_leave_the_temperature_at_one():
    assert fit_temperature(np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.intp)) == 1.0


def test_half_right_at_full_confidence_is_an_error_of_one_half():
    sure = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (100, 1))
    assert calibration_error(sure, np.arange(100) % 2) == pytest.approx(0.5)
    assert calibration_error(sure, np.zeros(100, dtype=np.intp)) == pytest.approx(0.0)


def test_the_wilson_interval_of_nine_in_ten():
    low, high = wilson_interval(180, 200)
    assert (low, high) == pytest.approx((0.8506, 0.9343), abs=1e-3)


def test_nothing_right_and_everything_right_stay_within_0_and_1():
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_more_right_than_asked_is_refused():
    with pytest.raises(ValueError, match="6 correct of 5"):
        wilson_interval(6, 5)
