"""What is left after a strategy took the hard items is judged by the blind ones that are like it."""

import numpy as np
import pytest

from model.signals.estimate import Estimate
from model.signals.rest_accuracy import accept_all, estimate_rest

POOL = 600


def project(seed, *, asked, drawn, honest=True):
    """A pool of which a strategy has asked what the model was least sure of, and some items were drawn blind.

    Returns what `estimate_rest` takes, and the truth about what is left.
    """
    rng = np.random.default_rng(seed)
    sure = rng.beta(5, 1.2, POOL)
    right = rng.random(POOL) < (sure if honest else 0.5 + 0.45 * sure)
    blind = rng.permutation(POOL)[:drawn]
    others = np.setdiff1d(np.arange(POOL), blind)
    hard = others[np.argsort(sure[others])][:asked]
    left = np.setdiff1d(others, hard)
    rows = np.concatenate([blind, hard])
    options = {"blind": np.arange(len(rows)) < drawn, "unlabelled_confidence": sure[left].astype(np.float32)}
    return (right[rows], sure[rows]), options, float(right[left].mean())


@pytest.mark.parametrize(("asked", "drawn"), [(60, 25), (250, 50), (480, 60)])
@pytest.mark.parametrize("honest", [True, False])
def test_the_range_holds_what_is_left_early_and_late_whether_or_not_confidences_are_honest(
    asked, drawn, honest
):
    held = []
    for seed in range(300):
        rows, options, truth = project(seed, asked=asked, drawn=drawn, honest=honest)
        found = estimate_rest(*rows, **options)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.92


def test_what_is_left_is_easier_than_what_was_drawn_from_all():
    off = []
    for seed in range(100):
        rows, options, truth = project(seed, asked=300, drawn=60)
        blind_share = rows[0][options["blind"]].mean()
        found = estimate_rest(*rows, **options)
        off.append((found.value - truth, blind_share - truth))
    ours, plain = np.abs(np.mean(off, axis=0))
    assert ours < 0.02 < 0.05 < plain


def test_more_blind_answers_narrow_the_range():
    widths = []
    for drawn in (20, 200):
        rows, options, _truth = project(3, asked=100, drawn=drawn)
        found = estimate_rest(*rows, **options)
        widths.append(found.high - found.low)
    assert widths[1] < 0.6 * widths[0]


def test_a_range_ends_at_a_whole_number_of_tasks():
    rows, options, _truth = project(5, asked=500, drawn=60)
    left = len(options["unlabelled_confidence"])
    found = estimate_rest(*rows, **options)
    assert all(abs(bound * left - round(bound * left)) < 1e-6 for bound in (found.low, found.high))


def test_without_a_blind_answer_nothing_is_said_and_without_an_open_task_there_is_no_question():
    rows, options, _truth = project(0, asked=50, drawn=10)
    nobody = options | {"blind": np.zeros(60, dtype=bool)}
    assert estimate_rest(*rows, **nobody) is None
    with pytest.raises(ValueError, match="no item is left"):
        estimate_rest(*rows, **options | {"unlabelled_confidence": np.zeros(0, dtype=np.float32)})


def test_answers_of_people_count_as_right_when_the_rest_is_accepted():
    whole = accept_all(Estimate(0.9, 0.8, 0.95), labels=100, unlabelled=300)
    assert (whole.value, whole.low, whole.high) == pytest.approx((0.925, 0.85, 0.9625))
