"""Where novel items are cut apart, and which group comes before which."""

import numpy as np
import pytest

from model.novelty.cut import Cut, calibrate_cut
from model.novelty.grouping import Group, rank_groups
from model.records import Embeddings, Labels, LabelSpace


def known_classes(classes, each, *, noise=0.15, seed=0):
    rng = np.random.default_rng(seed)
    columns = np.arange(classes * each) % classes
    vectors = np.eye(classes + 4)[columns] + rng.normal(scale=noise, size=(classes * each, classes + 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    space = LabelSpace(tuple(f"class {column}" for column in range(classes)))
    targets = np.eye(classes, dtype=np.float32)[columns]
    ids = np.arange(len(columns))
    return Embeddings(ids, vectors, "e@1"), Labels(ids, targets, space)


@pytest.mark.parametrize("classes", [3, 15])
def test_the_cut_lies_between_items_of_one_class_and_items_of_two(classes):
    items, labels = known_classes(classes, 12)
    cut = calibrate_cut(items, labels, neighbours=3, seed=0)
    assert 0.15 <= cut.distance < 1.0


def test_the_same_seed_gives_the_same_cut():
    known = known_classes(15, 12)
    assert calibrate_cut(*known, neighbours=3, seed=4) == calibrate_cut(*known, neighbours=3, seed=4)


def test_close_groups_are_likely_one_class_and_far_ones_are_not():
    means = np.array([[1.0, 0.0], [0.96, 0.28], [0.0, 1.0]], dtype=np.float32)
    likely = Cut(0.5, slope=20.0, offset=-12.0).belong_together(means)
    assert likely[0, 1] > 0.9 and likely[0, 2] < 0.1
    assert not Cut().belong_together(means).any()


def test_a_part_of_a_group_comes_after_a_smaller_one_that_is_like_no_other():
    whole, part, other = Group(tuple(range(20)), 0.8), Group((30, 31, 32, 33), 0.9), Group((40, 41, 42), 0.9)
    same = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    assert rank_groups([part, other, whole], same[[1, 2, 0]][:, [1, 2, 0]]) == [whole, other, part]
    assert rank_groups([part, other, whole], np.zeros((3, 3), dtype=np.float32)) == [whole, part, other]
