"""Laws of preferences: no side is better for standing where it stands, and rows have no order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.pairwise import Pairwise

settings.register_profile("pairwise", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("pairwise")

LEARNER = Pairwise()
SPACE = LabelSpace(("left", "right"))
FIELDS = ("values", "answers", "confidence", "uncertainty", "mass")
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from([0.0, 0.2, 1.0])


def some_rows(n, ties, seed, d=6):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 2 * d)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, size=n)]
    targets[rng.random(n) < ties] = 0.0
    ids = rng.permutation(1000)[:n].astype(np.int64)
    return Embeddings(ids, vectors, "e"), Labels(ids, targets, SPACE)


def swap(items, labels, rows):
    """The same pairs and answers, the sides of some rows swapped."""
    left, right = np.split(items.vectors, 2, axis=1)
    vectors, targets = items.vectors.copy(), labels.targets.copy()
    vectors[rows] = np.concatenate([right, left], axis=1)[rows]
    targets[rows] = targets[rows][:, ::-1]
    return Embeddings(items.ids, vectors, items.encoder), Labels(labels.ids, targets, SPACE)


def fit(items, labels):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return LEARNER.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(5))


def assert_swapped(believed, other):
    """The same is said, of the sides the other way round, bit for bit."""
    for field in ("values", "answers", "mass"):
        np.testing.assert_array_equal(getattr(believed, field), getattr(other, field)[:, ::-1])
    for field in ("confidence", "uncertainty"):
        np.testing.assert_array_equal(getattr(believed, field), getattr(other, field))


@given(st.integers(1, 30), shares, seeds)
def test_whatever_was_answered_the_beliefs_are_sound(n, ties, seed):
    items, labels = some_rows(n, ties, seed)
    trained = fit(items, labels)
    for believed in (trained.out_of_fold, trained.head.believe(items, "v")):
        np.testing.assert_array_equal(believed.ids, items.ids)
        assert ((believed.values >= 0) & (believed.values.sum(axis=1, keepdims=True) <= 1 + 1e-5)).all()
        assert np.isin(believed.answers, (0.0, 1.0)).all() and (believed.answers.sum(axis=1) <= 1).all()
        assert ((believed.confidence >= 0) & (believed.confidence <= 1)).all()
        assert ((believed.uncertainty >= 0) & (believed.uncertainty <= 1)).all()


@given(st.integers(1, 30), shares, seeds)
def test_swapping_the_sides_of_what_is_asked_swaps_the_answer(n, ties, seed):
    items, labels = some_rows(n, ties, seed)
    head = fit(items, labels).head
    others, given_there = some_rows(20, 0.0, seed + 1)
    swapped, _ = swap(others, given_there, slice(None))
    assert_swapped(head.believe(others, "v"), head.believe(swapped, "v"))


@given(st.integers(1, 30), shares, seeds)
def test_swapped_pairs_with_swapped_answers_teach_the_same_bits(n, ties, seed):
    items, labels = some_rows(n, ties, seed)
    rows = np.random.default_rng(seed).random(n) < 0.5
    one, other = fit(items, labels), fit(*swap(items, labels, rows))
    for name, values in one.head.tensors().items():
        np.testing.assert_array_equal(values, other.head.tensors()[name])
    assert_swapped(one.out_of_fold.take(rows), other.out_of_fold.take(rows))


@given(st.integers(1, 30), shares, seeds)
def test_the_order_of_rows_does_not_matter(n, ties, seed):
    items, labels = some_rows(n, ties, seed)
    shuffled = np.random.default_rng(seed).permutation(n)
    one, other = fit(items, labels), fit(items.take(shuffled), labels.take(shuffled))
    for name, values in one.head.tensors().items():
        np.testing.assert_array_equal(values, other.head.tensors()[name])
    np.testing.assert_array_equal(one.out_of_fold.values[shuffled], other.out_of_fold.values)


@given(st.integers(1, 30), shares, seeds)
def test_a_saved_head_says_the_same_bits(n, ties, seed):
    items, labels = some_rows(n, ties, seed)
    head = fit(items, labels).head
    again = LEARNER.load(load(save(dict(head.tensors()))), SPACE)
    one, other = head.believe(items, "v"), again.believe(items, "v")
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
