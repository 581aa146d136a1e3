"""Honest accuracy: only audit labels judge, and the range is as wide as the evidence is thin."""

import numpy as np
import pytest

from model.records import LabelSpace
from model.signals.honest_accuracy import asked_blind, measure_accuracy
from model.signals.prediction_powered import Sample, estimate_accuracy

SPACE = LabelSpace(("a", "b", "c"))


def beliefs(correct, confidence=0.9, classes=None):
    """Out-of-fold rows that are right where they should be; the answers beside them."""
    classes = np.arange(len(correct)) % 3 if classes is None else classes
    confidence = np.broadcast_to(confidence, len(correct))
    values = np.repeat((1 - confidence[:, None]) / 2, 3, axis=1).astype(np.float32)
    values[np.arange(len(correct)), np.where(correct, classes, (classes + 1) % 3)] = confidence
    return values, classes


def measure(correct, *, audit=None, blind=None, pool=500, pool_confidence=0.9, **options):
    values, classes = beliefs(correct, **options)
    return measure_accuracy(
        values,
        classes,
        audit=np.ones(len(correct), dtype=bool) if audit is None else audit,
        blind=blind,
        unlabelled_confidence=np.full(pool, pool_confidence, dtype=np.float32),
        space=SPACE,
        rng=np.random.default_rng(0),
    )


def test_the_first_blind_answer_gives_a_range_and_an_exact_one():
    found = measure(np.ones(40, dtype=bool), audit=np.arange(40) < 1, pool=100_000)
    assert found.prediction_powered is None and found.shown == found.exact
    assert found.exact.value == 1.0
    assert 0.02 < found.exact.low < 0.1  # one of one is 2.5 % at least; the head in use is a little better
    assert "judged by 1 blind answer." in found.words


def test_a_few_blind_answers_judge_alone_however_sure_the_model_is_of_the_rest():
    correct, audit = np.arange(40) % 4 > 0, np.arange(40) < 8
    sure, unsure = (measure(correct, audit=audit, pool_confidence=p, pool=10_000) for p in (0.99, 0.4))
    assert sure.exact == unsure.exact
    assert 0.34 < sure.exact.low < 0.4 and 0.96 < sure.exact.high < 0.98  # six of eight: 35 to 97 %
    assert sure.blind_labels == 8 and sure.shown == sure.exact


def test_from_ten_blind_answers_on_the_rest_helps_and_the_range_is_narrower():
    correct = np.arange(40) % 5 > 0
    few, enough = (measure(correct, audit=np.arange(40) < count) for count in (9, 10))
    assert few.shown == few.exact and enough.shown == enough.prediction_powered
    assert enough.shown.high - enough.shown.low < enough.exact.high - enough.exact.low


def test_without_a_blind_answer_nothing_judges():
    for found in (
        measure(np.zeros(0, dtype=bool)),
        measure(np.ones(40, dtype=bool), audit=np.arange(40) < 0),
    ):
        assert found.shown is None and found.words == "No blind answer yet: only these judge the model."


def test_labels_that_were_not_drawn_at_random_do_not_judge():
    audit = np.arange(100) < 40
    right = measure(audit, audit=audit)
    assert right.plain.value == 1.0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_right_and_all_wrong_leave_room_for_doubt(share):
    found = measure(np.full(50, share == 1.0))
    assert found.plain.value == share
    for estimate in (found.plain, found.prediction_powered):
        assert 0.01 < estimate.high - estimate.low < 0.2
        assert 0.0 <= estimate.low <= estimate.high <= 1.0


def test_a_pool_that_is_surer_than_the_audit_items_counts_as_better():
    correct = np.arange(200) % 10 > 0
    confidence = np.where(correct, 0.9, 0.5)
    sure, surer = (measure(correct, confidence=confidence, pool_confidence=p) for p in (0.8, 0.9))
    assert surer.prediction_powered.value > sure.prediction_powered.value
    assert surer.plain == sure.plain


def test_confidences_that_tell_right_from_wrong_make_labels_worth_more():
    rng = np.random.default_rng(1)
    correct = rng.random(200) < 0.7
    values, classes = beliefs(correct)
    telling = values.copy()
    telling[~correct] = values[~correct] * 0.5 + 0.5 / 3
    pool = np.where(rng.random(2000) < 0.7, 0.9, telling[~correct].max()).astype(np.float32)
    audit = np.ones(200, dtype=bool)
    found = [
        measure_accuracy(
            rows,
            classes,
            audit=audit,
            blind=None,
            unlabelled_confidence=confidence,
            space=SPACE,
            rng=rng,
        ).worth
        for rows, confidence in ((telling, pool), (values, np.full(2000, 0.9, dtype=np.float32)))
    ]
    assert found[0] > 1.5 > found[1]


def test_what_the_strategy_asked_is_no_part_of_the_random_sample():
    ranks = np.array([3, 20, 90, 3000])
    positions = np.array([0, 100, 100, 100])
    assert asked_blind(ranks, positions, window=100, audit_share=0.15).tolist() == [True, True, False, False]


def test_skewed_classes_are_shown_with_macro_f1():
    classes = np.array([0] * 80 + [1] * 10 + [2] * 10)
    correct = classes == 0
    found = measure(correct, classes=classes)
    assert found.skewed
    assert found.macro_f1.value < 0.5 < found.plain.value
    assert "macro-F1" in found.words
    assert not measure(np.ones(90, dtype=bool)).skewed


def test_a_class_with_few_cases_shows_a_wide_range():
    classes = np.array([0] * 40 + [1] * 2)
    named = {one.name: one for one in measure(np.ones(42, dtype=bool), classes=classes).classes}
    assert named["a"].recall.value == named["b"].recall.value == 1.0
    assert named["b"].labels == named["b"].right == 2
    assert named["b"].recall.low < 0.2 and named["a"].recall.low > 0.9
    assert "c" not in named


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        measure(np.ones(40, dtype=bool), pool_confidence=np.nan)


def test_rows_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="audit marks"):
        measure(np.ones(40, dtype=bool), audit=np.ones(39, dtype=bool))
    with pytest.raises(ValueError, match="blind but not of the audit sample"):
        measure(np.ones(40, dtype=bool), audit=np.zeros(40, dtype=bool), blind=np.ones(40, dtype=bool))


def sampled(seed, *, with_position):
    """How far the estimate is off in a pool of 600 where a strategy asks the hard items, loop after loop."""
    rng = np.random.default_rng(seed)
    right = rng.random(600) < np.linspace(0.2, 1.0, 600)
    left, order, blind = np.ones(600, dtype=bool), [], []
    for _loop in range(5):
        drawn = rng.permutation(np.flatnonzero(left))[:12]
        left[drawn] = False
        hard = np.flatnonzero(left)[:48]
        left[hard] = False
        order += [*drawn, *hard]
        blind += [True] * 12 + [False] * 48
    sample = Sample.from_pool(
        right[order],
        np.full(300, 0.5),
        blind=np.array(blind),
        unlabelled_confidence=np.full(300, 0.5, dtype=np.float32),
        position=np.arange(300) if with_position else None,
    )
    return estimate_accuracy(sample).value - right.mean()


def test_a_blind_item_stands_for_the_hard_ones_too_that_the_strategy_asked_after_it():
    off = [sampled(seed, with_position=True) for seed in range(200)]
    assert abs(np.mean(off)) < 0.01
    assert np.mean([sampled(seed, with_position=False) for seed in range(200)]) < -0.03


def test_the_head_in_use_learned_more_than_those_that_judge_it():
    found = measure(np.arange(400) % 5 > 0, pool=20_000, pool_confidence=0.9)
    assert found.plain.value == 0.8
    assert 0.805 < found.prediction_powered.value < 0.815


def test_each_class_tells_how_much_of_it_is_found_and_how_much_of_what_is_called_so_is_it():
    correct = np.ones(60, dtype=bool)
    correct[np.arange(60) % 3 == 0] = np.arange(20) >= 5  # five of a's twenty labels are called b
    named = {one.name: one for one in measure(correct).classes}
    assert [named[name].recall.value for name in "abc"] == [0.75, 1.0, 1.0]
    assert [named[name].precision.value for name in "abc"] == [1.0, 0.8, 1.0]
