"""Answers of several labels as the detector of new classes takes them."""

import numpy as np
import pytest

from model.novelty.detector import detect
from model.novelty.one_class_each import NONE, one_class_each
from model.records import Embeddings, Labels, LabelSpace

SPACE = LabelSpace(("a", "b", "c"))


def labels(*rows):
    targets = np.array(rows, dtype=np.float32).reshape(len(rows), 3)
    return Labels(np.arange(len(rows)), targets, SPACE)


def names(found):
    return [found.space.names[column] for column in found.classes]


def test_one_choice_each_stays_as_it_is():
    given = labels([1, 0, 0], [0, 0, 1])
    assert one_class_each(given) is given


def test_an_item_counts_by_the_rarest_of_its_labels():
    found = one_class_each(labels([1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]))
    assert names(found) == ["a", "b", "a", "c"]
    assert found.space == SPACE and (found.targets.sum(axis=1) == 1).all()


def test_what_no_label_fits_is_a_class_of_its_own():
    found = one_class_each(labels([1, 0, 0], [0, 0, 0], [1, 1, 0]))
    assert names(found) == ["a", NONE, "b"]
    assert found.space.names == ("a", "b", "c", NONE)


@pytest.mark.parametrize("rows", [[], [[0, 0, 0]], [[0, 0, 0], [0, 0, 0]]])
def test_nothing_and_none_alone_are_survived(rows):
    assert len(one_class_each(labels(*rows))) == len(rows)


@pytest.mark.parametrize("with_none", [True, False])
def test_what_is_like_an_item_of_several_labels_is_known_and_something_else_is_not(with_none):
    rng = np.random.default_rng(0)
    centres = np.eye(12)[:5]
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0] if with_none else [0, 1, 0]])

    def draw(kinds):
        vectors = centres[kinds] + 0.15 * rng.normal(size=(len(kinds), 12))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    kinds, others = np.arange(160) % 4, np.arange(200) % 5
    labelled = Embeddings(np.arange(160), draw(kinds), "made@1")
    pool = Embeddings(np.arange(200) + 1000, draw(others), "made@1")
    classed = one_class_each(Labels(labelled.ids, sets[kinds].astype(np.float32), SPACE))
    found = detect(labelled, classed, pool, audit=np.arange(160) % 3 == 0, alpha=0.05, rng=rng)
    is_new = others == 4
    assert found.flagged[is_new].mean() > 0.9
    assert found.flagged[~is_new].mean() < 0.15
