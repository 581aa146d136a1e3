"""Trusted pre-annotations: a promise that is only made when it can be kept."""

import numpy as np
import pytest

from model.signals.trusted import certify_threshold, certifying_sizes


def certify(confidence, correct, **options):
    confidence = np.asarray(confidence, dtype=np.float32)
    return certify_threshold(
        confidence, np.asarray(correct, dtype=bool), unlabelled_confidence=confidence, **options
    )


def test_ninety_five_percent_takes_forty_five_right_answers():
    assert certifying_sizes(140, precision=0.95, certainty=0.9).tolist() == [45, 77, 105, 132]
    assert certifying_sizes(400, precision=0.99, certainty=0.9).tolist() == [230, 388]


def test_with_fewer_labels_nothing_is_trusted_and_it_says_what_is_missing():
    found = certify(np.linspace(0.9, 1.0, 44), np.ones(44))
    assert found.threshold is None
    assert found.coverage == 0.0
    needed = "95 % needs 45 labels that were asked blind; there are 44."
    assert found.words == f"No pre-annotation is called trusted yet: {needed}"


def test_no_labels_at_all_certify_nothing():
    assert certify([], []).threshold is None


def test_all_right_is_certified_down_to_the_last_test():
    confidence = np.linspace(0.5, 1.0, 100)
    found = certify(confidence, np.ones(100))
    assert found.threshold == pytest.approx(confidence[100 - 77])
    assert found.coverage == pytest.approx(0.77)
    assert "right in at least 95 %" in found.words


def test_all_wrong_is_never_certified():
    found = certify(np.linspace(0.5, 1.0, 400), np.zeros(400))
    assert found.threshold is None
    assert found.errors == found.tested
    assert "were wrong" in found.words


def test_items_of_one_confidence_are_never_parted():
    found = certify(np.full(60, 0.99), np.arange(60) > 20)
    assert found.threshold is None
    assert found.tested == 60


def test_the_promise_is_kept_where_confidences_are_far_too_high():
    rng = np.random.default_rng(0)
    pool = rng.random(4000).astype(np.float32)
    right = rng.random(4000) < 0.80 + 0.19 * pool
    shown = 1 - (1 - pool) / 50
    broken = 0
    for _ in range(200):
        drawn = rng.choice(4000, 300, replace=False)
        found = certify_threshold(shown[drawn], right[drawn], unlabelled_confidence=shown)
        broken += found.threshold is not None and right[shown >= found.threshold].mean() < 0.95
    assert broken <= 26  # 20 expected at most; more than 26 has a chance below 7 %


@pytest.mark.parametrize("change", [{"precision": 1.0}, {"certainty": 0.0}])
def test_shares_that_are_none_are_refused(change):
    with pytest.raises(ValueError, match="not shares"):
        certify([0.5], [True], **change)


def test_a_confidence_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        certify([np.nan], [True])
