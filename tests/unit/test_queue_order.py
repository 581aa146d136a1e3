"""Places in Label Studio's queue: lowest first, the window in front of everything answered live."""

import pytest

from backend.label_studio.queue_order import live_score, window_score


def test_the_first_place_of_the_window_comes_first_of_all():
    assert window_score(0, window=100) == 0.0


def test_more_urgent_live_answers_come_sooner():
    assert live_score(1.0) < live_score(0.5) < live_score(0.0)


@pytest.mark.parametrize(("urgency", "score"), [(1.0, 0.5), (0.0, 1.0), (7.0, 0.5), (-7.0, 1.0)])
def test_live_answers_stay_in_the_upper_half(urgency, score):
    assert live_score(urgency) == score


def test_even_the_millionth_place_of_a_small_window_is_before_every_live_answer():
    assert window_score(1_000_000, window=5) < live_score(1.0)
