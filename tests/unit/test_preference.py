"""Preferences: which side is better, whichever side it stands on."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.preference import Preference, pair_vectors, side_differences

SPACE = LabelSpace(("left", "right"))


def _sides(rows, seed, *, dimensions=12):
    rng = np.random.default_rng(seed)
    both = rng.normal(size=(2, rows, dimensions)).astype(np.float32)
    both /= np.linalg.norm(both, axis=2, keepdims=True)
    ids = np.arange(rows, dtype=np.int64)
    return Embeddings(ids, both[0], "random"), Embeddings(ids, both[1], "random")


def _answers(left, right, seed):
    """The side that is better along one hidden direction, with noise."""
    hidden = 8.0 * np.random.default_rng(0).normal(size=left.vectors.shape[1])
    place = (left.vectors - right.vectors) @ hidden
    is_left = np.random.default_rng(seed).random(len(left)) < 1 / (1 + np.exp(-place))
    return Labels(left.ids, np.eye(2, dtype=np.float32)[np.where(is_left, 0, 1)], SPACE)


def _train(items, labels):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return Preference().train(items, labels, names=None, audit=audit, rng=np.random.default_rng(1))


def test_swapping_the_sides_swaps_the_chances_exactly():
    left, right = _sides(50, seed=1)
    head = _train(pair_vectors(left, right), _answers(left, right, 2)).head
    there = head.believe(pair_vectors(left, right), "v1")
    back = head.believe(pair_vectors(right, left), "v1")
    np.testing.assert_array_equal(there.values, back.values[:, ::-1])
    np.testing.assert_array_equal(there.uncertainty, back.uncertainty)
    np.testing.assert_array_equal(head.believe(pair_vectors(left, left), "v1").values, 0.5)


def test_swapped_labels_give_the_same_head():
    left, right = _sides(50, seed=1)
    labels = _answers(left, right, 2)
    swapped = Labels(labels.ids, np.ascontiguousarray(labels.targets[:, ::-1]), SPACE)
    one = _train(pair_vectors(left, right), labels).head.weights
    other = _train(pair_vectors(right, left), swapped).head.weights
    assert np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other) == pytest.approx(1.0, abs=0.02)


def test_it_learns_and_is_as_sure_as_it_is_right():
    left, right = _sides(300, seed=1)
    trained = _train(pair_vectors(left, right), _answers(left, right, 2))
    others = _sides(2000, seed=3)
    truth = _answers(*others, 4)
    believed = trained.head.believe(pair_vectors(*others), "v1")
    right_answers = (believed.answers == truth.targets).all(axis=1).mean()
    assert right_answers > 0.75
    assert believed.confidence.mean() == pytest.approx(right_answers, abs=0.05)


def test_pairs_are_left_before_right():
    left, right = _sides(3, seed=1)
    pairs = pair_vectors(left, right)
    np.testing.assert_array_equal(pairs.vectors[:, :12], left.vectors)
    np.testing.assert_array_equal(side_differences(pairs.vectors), left.vectors - right.vectors)
    with pytest.raises(ValueError, match="ids"):
        pair_vectors(left, right.take(np.array([1, 0, 2])))
    with pytest.raises(ValueError, match="left"):
        pair_vectors(left, Embeddings(right.ids, right.vectors, "another"))
    with pytest.raises(ValueError, match="two sides"):
        side_differences(np.zeros((2, 3), dtype=np.float32))


def test_accuracy_stands_beside_the_commoner_side():
    left, right = _sides(40, seed=1)
    labels = _answers(left, right, 2)
    trained = _train(pair_vectors(left, right), labels)
    accuracy, commoner = Preference().figures(
        labels, trained.out_of_fold, blind=np.ones(40, dtype=np.bool_), rng=np.random.default_rng(0)
    )
    assert accuracy.value == pytest.approx(trained.metrics["out_of_fold_accuracy"])
    assert commoner.value == pytest.approx(labels.targets.mean(axis=0).max())


def test_other_sides_are_refused():
    left, right = _sides(4, seed=1)
    labels = Labels(left.ids, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], LabelSpace(("a", "b")))
    with pytest.raises(ValueError, match="left"):
        _train(pair_vectors(left, right), labels)
