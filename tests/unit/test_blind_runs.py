"""The bench of blind answers: projects are labelled as in the live loop, and measures mean what they say."""

import numpy as np
import pytest

from benchmarks.bench_blind import labels_to, look
from benchmarks.blind_runs import Pool, early_quota, label_pool
from model.audit import audit_quota
from model.novelty.linking import unit
from model.records import Embeddings

CLASSES, SIZE = 3, 120


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    names = unit(rng.normal(size=(CLASSES, 32)).astype(np.float32))
    answers = rng.integers(0, CLASSES, 2 * SIZE)
    vectors = unit(names[answers] + 0.3 * rng.normal(size=(2 * SIZE, 32)).astype(np.float32))
    items = Embeddings(np.arange(1, SIZE + 1), vectors[:SIZE], "frozen")
    return Pool(items, answers[:SIZE], vectors[SIZE:], answers[SIZE:], names, seed=3)


def test_more_blind_tasks_at_the_start_are_as_many_in_the_end():
    assert early_quota(50) == 2 * audit_quota(50) - 1 == 15
    assert early_quota(100) == 30
    assert all(early_quota(labels) == audit_quota(labels) for labels in (666, 1000, 3000))
    counts = [early_quota(labels) for labels in range(1200)]
    assert counts == sorted(counts)


def test_a_simulated_project_asks_the_lowest_hashes_blind_and_everything_once(pool):
    first, last = label_pool(pool, audit_quota, share=lambda _labels: 0.15, sizes=[40, 80], window=20)
    assert (first.labels, last.labels) == (40, 80)
    assert len(last.rest_right) == SIZE - 80
    assert 0 < first.blind.sum() <= audit_quota(40) < last.blind.sum() <= audit_quota(80)
    assert last.test > 0.8 and last.correct.mean() > 0.7
    assert np.array_equal(first.blind, last.blind[:40])


def test_a_moment_is_judged_by_what_is_true_of_its_tasks(pool):
    (moment,) = label_pool(pool, audit_quota, share=lambda _labels: 0.15, sizes=[60], window=20)
    row = look(moment)
    assert row["open"] == 60 and row["blind"] == moment.blind.sum() > 0
    assert row["rest_true"] == moment.rest_right.mean()
    assert row["pool_true"] == (moment.correct.sum() + moment.rest_right.sum()) / SIZE
    for name in ("exact", "assisted", "rest"):
        value, low, high = row[name]
        assert 0.0 <= low <= value <= high <= 1.0


def test_labels_to_a_share_are_read_off_the_curve_between_two_trainings():
    curve = [[25, 0.5, 4], [50, 0.8, 8], [75, 0.9, 12]]
    assert labels_to({"full": 0.9, "now": curve}, "now") == pytest.approx(50 + 25 * 0.1)
    assert labels_to({"full": 0.5, "now": curve}, "now") == 25.0
    assert labels_to({"full": 1.1, "now": curve}, "now") is None
