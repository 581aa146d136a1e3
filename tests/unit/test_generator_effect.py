"""What a generator does to the log loss on real labels, out of fold."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.synthetic.generator_effect import FEWEST_MADE, FEWEST_REAL, measure_effects

SPACE = LabelSpace(("a", "b", "c"))


def clouds(per_class, *, seed, shift=0.0, turned=0, noise=0.35):
    """Three classes around three axes, shifted along an axis that says nothing of them."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(3), per_class)
    vectors = np.eye(8)[classes] + noise * rng.normal(size=(len(classes), 8))
    vectors[:, 7] += shift
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(len(classes))
    return (
        Embeddings(ids, vectors.astype(np.float32), "clouds@1"),
        Labels(ids, np.eye(3, dtype=np.float32)[(classes + turned) % 3], SPACE),
    )


def effects(real, made, *, groups=None, chosen=None, seed=0):
    count = len(made[0])
    return measure_effects(
        *real,
        *made,
        groups=np.zeros(count, dtype=np.intp) if groups is None else groups,
        chosen=np.ones(count, dtype=np.bool_) if chosen is None else chosen,
        rng=np.random.default_rng(seed),
    )


def test_real_like_items_help_few_real_labels():
    effect = effects(clouds(12, seed=0), clouds(100, seed=1))[0]
    assert effect.low <= effect.gain <= effect.high
    assert effect.gain > 0.0
    assert not effect.is_overtaken


def test_items_that_mislead_are_overtaken_by_real_labels():
    effect = effects(clouds(60, seed=0), clouds(100, seed=1, turned=1))[0]
    assert effect.is_overtaken
    assert "Overtaken by real labels: 180 of them" in effect.words


def test_each_generator_is_measured_by_itself():
    good, bad = clouds(40, seed=1), clouds(40, seed=2, turned=1)
    ids = np.arange(240)
    both = (
        Embeddings(ids, np.concatenate([good[0].vectors, bad[0].vectors]), "clouds@1"),
        Labels(ids, np.concatenate([good[1].targets, bad[1].targets]), SPACE),
    )
    found = effects(clouds(40, seed=0), both, groups=np.repeat([4, 7], 120))
    assert set(found) == {4, 7}
    assert found[7].is_overtaken
    assert not found[4].is_overtaken


@pytest.mark.parametrize("seed", range(8))
def test_more_of_the_same_is_never_called_overtaken(seed):
    assert not effects(clouds(60, seed=100 + seed), clouds(60, seed=seed), seed=seed)[0].is_overtaken


def test_nothing_is_said_with_few_real_labels_or_few_items():
    few = clouds((FEWEST_REAL - 1) // 3, seed=0)
    assert effects(few, clouds(100, seed=1)) == {}
    chosen = np.arange(300) < FEWEST_MADE - 1
    assert effects(clouds(60, seed=0), clouds(100, seed=1), chosen=chosen) == {}


def test_items_of_a_class_without_a_real_label_are_left_out():
    embeddings, labels = clouds(40, seed=0)
    two = np.flatnonzero(labels.classes < 2)
    third = clouds(40, seed=1)
    only = third[1].classes == 2
    assert effects((embeddings.take(two), labels.take(two)), third, chosen=only) == {}
