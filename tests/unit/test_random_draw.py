"""Whether labels may be a random draw, and what their classes then leave out."""

import numpy as np
import pytest

from model.heads.random_draw import Sample, missing_mass, trust_in_random_draw
from model.records import Labels, LabelSpace

CLASSES, DIMENSIONS, SIZE = 10, 16, 600
SPACE = LabelSpace(tuple(f"class {column}" for column in range(CLASSES)))


def labels_of(answers):
    ids = np.arange(1, len(answers) + 1)
    return Labels.from_names(ids, [SPACE.names[answer] for answer in answers], SPACE)


@pytest.fixture(scope="module")
def pool():
    """Items of ten classes, half as many of each as of the one before, and names that know two in three."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, DIMENSIONS))
    shares = 0.7 ** np.arange(CLASSES)
    answers = rng.choice(CLASSES, size=SIZE, p=shares / shares.sum())
    vectors = centres[answers] + rng.normal(size=(SIZE, DIMENSIONS))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    logits = 2.0 * np.eye(CLASSES)[answers] + rng.normal(size=(SIZE, CLASSES))
    named = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return vectors, answers, named.astype(np.float32)


def trust(pool, rows):
    vectors, answers, named = pool
    return trust_in_random_draw(Sample(labels_of(answers[rows]), vectors[rows], vectors, named[rows], named))


def test_random_draws_are_mostly_trusted(pool):
    found = [trust(pool, np.random.default_rng(seed).permutation(SIZE)[:30]) for seed in range(20)]
    assert np.mean([value > 0.4 for value in found]) >= 0.7


@pytest.mark.parametrize("classes", [[0], [0, 1], [2, 3, 4], [1, 3, 5, 7, 9]])
def test_labels_of_some_classes_are_hardly_trusted(pool, classes):
    of_some = np.flatnonzero(np.isin(pool[1], classes))
    found = [trust(pool, np.random.default_rng(seed).permutation(of_some)[:30]) for seed in range(20)]
    assert np.mean(found) < 0.1


def test_many_labels_of_one_class_and_one_of_another_are_not_a_random_draw(pool):
    rows = np.concatenate([np.flatnonzero(pool[1] == 0)[:25], np.flatnonzero(pool[1] == 4)[:1]])
    assert trust(pool, rows) < 0.05


def test_without_a_class_of_a_single_label_nothing_is_known_of_the_missing_mass(pool):
    twice = np.concatenate([np.flatnonzero(pool[1] == column)[:2] for column in range(5)])
    assert trust(pool, twice) == 0.0
    assert trust(pool, twice[:1]) == 0.0


def test_the_same_labels_are_trusted_alike(pool):
    rows = np.random.default_rng(3).permutation(SIZE)[:25]
    assert trust(pool, rows) == trust(pool, rows)


def test_the_missing_mass_is_the_share_of_labels_that_are_the_only_one_of_their_class():
    labels = labels_of(np.array([0] * 5 + [1, 2, 3, 4, 5]))
    assert missing_mass(labels, 0.9, strength=0.0) == pytest.approx(0.5)
    assert missing_mass(labels, 0.9, strength=3.0) == pytest.approx((3 * 0.9 + 5) / 13)


def test_the_missing_mass_is_never_more_than_expected():
    assert missing_mass(labels_of(np.arange(8)), 0.3, strength=3.0) == pytest.approx(0.3)


def test_over_random_draws_the_missing_mass_is_right_on_average(pool):
    estimates, truths = [], []
    for seed in range(200):
        rows = np.random.default_rng(seed).permutation(SIZE)[:25]
        estimates.append(missing_mass(labels_of(pool[1][rows]), 1.0, strength=0.0))
        truths.append(1.0 - np.isin(pool[1], pool[1][rows]).mean())
    assert np.mean(estimates) == pytest.approx(np.mean(truths), abs=0.02)
