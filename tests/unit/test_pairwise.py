"""Which of two things is better: whichever side it stands on, and when neither is."""

import numpy as np
import pytest

from model.heads.comparisons import fit_tie_weight, pair_chances
from model.records import Embeddings, Labels, LabelSpace
from model.tasks.pairwise import Pairwise, side_differences

SPACE = LabelSpace(("left", "right"))
TIE = 0.4


def some_pairs(rows, seed, *, dimensions=12):
    vectors = np.random.default_rng(seed).normal(size=(rows, 2, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return Embeddings(np.arange(rows, dtype=np.int64), vectors.reshape(rows, -1), "random")


def swap(items):
    left, right = np.split(items.vectors, 2, axis=1)
    return Embeddings(items.ids, np.concatenate([right, left], axis=1), items.encoder)


def answers_to(items, seed, *, tie=0.0):
    """The side that is better along one hidden direction, with noise; within `tie` of zero neither."""
    hidden = 6.0 * np.random.default_rng(0).normal(size=items.vectors.shape[1] // 2)
    margins = side_differences(items.vectors) @ hidden
    margins += np.random.default_rng(seed).logistic(size=len(items))
    targets = np.stack([margins > tie, margins < -tie], axis=1).astype(np.float32)
    return Labels(items.ids, targets, SPACE)


def train(items, labels):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return Pairwise().train(items, labels, names=None, audit=audit, rng=np.random.default_rng(1))


def test_it_learns_and_is_as_sure_as_it_is_right():
    items, others = some_pairs(400, seed=1), some_pairs(3000, seed=3)
    trained = train(items, answers_to(items, 2, tie=1.0))
    truth = answers_to(others, 4, tie=1.0)
    believed = trained.head.believe(others, "v1")
    right = (believed.answers == truth.targets).all(axis=1).mean()
    assert right > 0.6
    assert believed.confidence.mean() == pytest.approx(right, abs=0.05)
    expected_ties = 1.0 - believed.values.sum(axis=1)
    assert expected_ties.mean() == pytest.approx((truth.targets == 0).all(axis=1).mean(), abs=0.05)


def test_without_ties_there_is_no_chance_of_one():
    items = some_pairs(60, seed=1)
    trained = train(items, answers_to(items, 2))
    np.testing.assert_allclose(trained.head.believe(items, "v1").values.sum(axis=1), 1.0, atol=1e-6)
    assert trained.metrics["ties"] == trained.metrics["tie_weight"] == 0.0


def test_of_two_equal_sides_neither_is_better():
    items = some_pairs(40, seed=1)
    head = train(items, answers_to(items, 2)).head
    left = np.split(items.vectors, 2, axis=1)[0]
    believed = head.believe(Embeddings(items.ids, np.concatenate([left, left], axis=1), "random"), "v1")
    assert (believed.answers == 0).all() and (believed.values == believed.values[:, ::-1]).all()


def test_where_people_always_say_neither_so_does_the_head():
    items = some_pairs(30, seed=1)
    trained = train(items, Labels(items.ids, np.zeros((30, 2), dtype=np.float32), SPACE))
    believed = trained.head.believe(some_pairs(10, seed=2), "v1")
    assert (believed.answers == 0).all() and (believed.confidence > 0.9).all()


def test_as_many_ties_are_expected_as_there_are():
    margins = np.random.default_rng(0).normal(size=500) * 2
    is_tie = np.arange(500) < 120
    weight = fit_tie_weight(margins, is_tie)
    assert pair_chances(margins, weight)[:, 2].sum() == pytest.approx(120, rel=1e-6)
    assert fit_tie_weight(margins, np.zeros(500, dtype=np.bool_)) == 0.0


def test_accuracy_is_of_named_sides_and_ties_are_a_share_of_their_own():
    items = some_pairs(200, seed=1)
    labels = answers_to(items, 2, tie=0.8)
    trained = train(items, labels)
    accuracy, ties = Pairwise().figures(
        labels, trained.out_of_fold, blind=np.arange(200) < 90, rng=np.random.default_rng(0)
    )
    named = labels.targets[:90].any(axis=1)
    assert (accuracy.n, ties.n) == (int(named.sum()), 90)
    assert ties.value == pytest.approx(1 - named.mean()) and ties.low < ties.value < ties.high
    assert accuracy.low < accuracy.value < accuracy.high and accuracy.value > 0.6


def test_a_tie_is_half_of_what_a_side_is():
    left, right, tie = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
    given = np.array([left, left, left, tie], dtype=np.float32)
    said = np.array([left, right, tie, tie], dtype=np.float32)
    assert Pairwise().agree(given, said).tolist() == [1.0, 0.0, 0.5, 1.0]


def test_before_the_first_answer_it_says_nothing():
    assert Pairwise().cold_start(np.eye(2, dtype=np.float32), SPACE) is None


@pytest.mark.parametrize("targets", [[[1.0, 1.0]], [[0.5, 0.0]], [[2.0, 0.0]]])
def test_an_answer_that_is_more_than_a_side_is_refused(targets):
    items = some_pairs(1, seed=1)
    with pytest.raises(ValueError, match="neither one side nor a tie"):
        train(items, Labels(items.ids, np.array(targets, dtype=np.float32), SPACE))


def test_other_columns_and_vectors_of_one_side_are_refused():
    items = some_pairs(4, seed=1)
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    with pytest.raises(ValueError, match="left"):
        train(items, Labels(items.ids, targets, LabelSpace(("a", "b"))))
    odd = Embeddings(items.ids, items.vectors[:, :-1], "random")
    with pytest.raises(ValueError, match="not of two sides"):
        train(odd, Labels(items.ids, targets, SPACE))
    with pytest.raises(ValueError, match="sides of 5"):
        train(items, Labels(items.ids, targets, SPACE)).head.believe(some_pairs(2, 1, dimensions=5), "v1")
