"""One choice as a further question: the same head as a project's first question has."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.single_choice import SingleChoice
from model.training import train

SPACE = LabelSpace(("cat", "dog", "bird"))


def _items(rows=40, dimensions=8):
    vectors = np.random.default_rng(1).normal(size=(rows, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(np.arange(rows, dtype=np.int64), vectors, "random")


def _labels(items):
    return Labels.from_names(items.ids, [SPACE.names[number % 3] for number in range(len(items))], SPACE)


def test_it_is_the_head_of_the_first_question():
    items = _items()
    labels, audit = _labels(items), np.zeros(len(items), dtype=np.bool_)
    names = items.vectors[:3]
    found = (
        SingleChoice()
        .train(items, labels, names=names, audit=audit, rng=np.random.default_rng(2))
        .head.believe(items, "v1")
    )
    plain = train(items, labels, name_vectors=names, audit=audit, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(found.values, plain.head.probabilities(items, "v1").values)
    ordered = np.sort(found.values, axis=1)
    np.testing.assert_allclose(found.confidence, ordered[:, -1])
    np.testing.assert_allclose(found.uncertainty, 1.0 - (ordered[:, -1] - ordered[:, -2]), atol=1e-6)
    np.testing.assert_array_equal(found.answers.argmax(axis=1), found.values.argmax(axis=1))


def test_before_the_first_label_names_are_compared():
    items = _items()
    learner = SingleChoice()
    assert learner.cold_start(None, SPACE) is None
    trained = learner.cold_start(items.vectors[:3], SPACE)
    assert len(trained.out_of_fold) == 0
    believed = trained.head.believe(items.take(np.arange(3)), "cold")
    np.testing.assert_array_equal(believed.answers, np.eye(3))


def test_the_figure_is_accuracy_with_wilsons_interval():
    items = _items(10)
    labels = _labels(items)
    trained = SingleChoice().cold_start(items.vectors[:3], SPACE)
    believed = trained.head.believe(items, "cold")
    right = believed.answers.argmax(axis=1) == labels.classes
    (figure,) = SingleChoice().figures(
        labels, believed, blind=np.ones(10, dtype=np.bool_), rng=np.random.default_rng(0)
    )
    assert (figure.name, figure.n, figure.value) == ("accuracy", 10, pytest.approx(right.mean()))
    assert figure.higher_is_better and 0 < figure.low < figure.value < figure.high < 1


def test_two_choices_at_once_are_refused():
    items = _items(4)
    targets = np.ones((4, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="4 answers are not one of the choices"):
        SingleChoice().train(
            items,
            Labels(items.ids, targets, SPACE),
            names=None,
            audit=np.zeros(4, dtype=np.bool_),
            rng=np.random.default_rng(0),
        )
