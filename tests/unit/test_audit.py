"""The audit sample: uniform, stable for ever, and growing only at its end."""

import numpy as np
import pytest

from model.audit import audit_hash, audit_quota, audit_slots, audit_threshold, labels_until


def test_the_hash_of_known_ids_never_changes():
    expected = [
        0.34329192209867343,
        0.9777767857540063,
        0.4465878737451613,
        0.34287134204883896,
        0.9504380907279257,
    ]
    assert audit_hash(np.array([0, 1, 2, 10**9, -1]), 42).tolist() == pytest.approx(expected, abs=1e-15)


def test_the_hash_looks_uniform_for_ids_that_follow_each_other():
    values = audit_hash(np.arange(100_000), 1)
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    assert ((counts - 5000) ** 2 / 5000).sum() < 50  # chi-square with 19 degrees, p > 0.0001
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02


def test_different_seeds_give_unrelated_numbers():
    ids = np.arange(20_000)
    assert abs(np.corrcoef(audit_hash(ids, 1), audit_hash(ids, 2))[0, 1]) < 0.03
    assert not np.intersect1d(audit_hash(ids, 1), audit_hash(ids, 2)).size


def test_the_quota_is_the_share_until_100_audit_labels_and_a_third_of_it_after():
    assert audit_quota(0, share=0.15) == 0
    assert audit_quota(1, share=0.15) == 1
    assert audit_quota(100, share=0.15) == 15
    assert audit_quota(666, share=0.15) == 100
    assert audit_quota(1000 + 666, share=0.15) == pytest.approx(150, abs=1)
    assert audit_quota(500, share=0.0) == 0


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="share is 1.5"):
        audit_quota(10, share=1.5)
    with pytest.raises(ValueError, match="labels is -1"):
        audit_quota(-1, share=0.1)


def test_exactly_the_quota_lies_below_the_threshold():
    ids = np.arange(500) * 7
    for quota in (0, 1, 15, 499, 500, 900):
        below = audit_hash(ids, 3) < audit_threshold(ids, 3, quota)
        assert below.sum() == min(quota, 500)


def test_a_larger_quota_keeps_all_members_of_a_smaller_one():
    ids = np.arange(300)
    small, large = (audit_hash(ids, 9) < audit_threshold(ids, 9, quota) for quota in (20, 40))
    assert large[small].all()


def test_no_ids_give_no_members():
    assert audit_threshold(np.zeros(0, dtype=np.int64), 3, 10) == 0.0


def test_slots_are_spread_evenly_over_the_window():
    slots = audit_slots(100, 0.15)
    assert len(slots) == 15
    assert set(np.diff(slots)) <= {6, 7}
    assert slots.min() >= 0 and slots.max() < 100


@pytest.mark.parametrize(
    ("window", "share", "count"), [(0, 0.15, 0), (1, 0.15, 0), (10, 1.0, 10), (10, 0.0, 0)]
)
def test_slots_of_small_windows_and_extreme_shares(window, share, count):
    assert len(np.unique(audit_slots(window, share))) == count


@pytest.mark.parametrize(("more", "labels"), [(1, 0), (18, 80), (30, 0), (5, 2000)])
def test_so_many_labels_bring_so_many_audit_items_and_one_less_does_not(more, labels):
    after = labels_until(more, labels)
    assert audit_quota(labels + after) >= audit_quota(labels) + more > audit_quota(labels + after - 1)


def test_without_a_share_no_audit_item_ever_comes():
    assert labels_until(1, 50, share=0.0) is None
    assert labels_until(0, 50, share=0.0) == labels_until(0, 50) == 0
