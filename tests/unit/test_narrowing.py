"""How many more blind answers a range needs: as many as make it so when they come."""

import pytest

from model.signals.estimate import Estimate, exact_share, share
from model.signals.narrowing import AIM, more_to_narrow


@pytest.mark.parametrize(("right", "total"), [(9, 12), (3, 5), (14, 20), (21, 28)])
def test_when_as_many_more_are_as_often_right_the_range_is_about_as_narrow_as_promised(right, total):
    all_told = total + more_to_narrow(exact_share(right, total), total)
    then = share(round(all_told * right / total), all_told)
    assert 0.8 * AIM < (then.high - then.low) / 2 < 1.1 * AIM


def test_a_range_that_is_narrow_already_needs_no_more():
    assert more_to_narrow(Estimate(0.9, 0.84, 0.95), 200) == 0


def test_where_other_items_help_fewer_are_needed_than_alone():
    alone = share(45, 60)
    helped = Estimate(0.75, 0.75 - 0.09, 0.75 + 0.09)
    assert 0 < more_to_narrow(helped, 60, helped=True) < more_to_narrow(alone, 60)


def test_one_answer_promises_no_certainty():
    assert 50 < more_to_narrow(exact_share(1, 1), 1) < 200


@pytest.mark.parametrize(("blind", "aim"), [(0, 0.08), (5, 0.0)])
def test_nothing_to_count_from_is_refused(blind, aim):
    with pytest.raises(ValueError, match="above 0"):
        more_to_narrow(Estimate(0.5, 0.1, 0.9), blind, aim=aim)
