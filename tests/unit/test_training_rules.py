"""Rules by which a head is made of several, and by which items without a label may teach it."""

import numpy as np
import pytest

from model.heads.neighbour_graph import build_neighbour_graph
from model.records import Embeddings, Labels, LabelSpace
from model.training import train

SPACE = LabelSpace(("a", "b", "c"))


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clouds(count, *, spread, seed):
    """Items around the axis of their class, in 24 dimensions."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, count)
    return unit(np.eye(3, 24)[classes] + spread * rng.normal(size=(count, 24))), classes


def misleading(count=400, *, seed=0):
    """Items that lie close together for a reason that has nothing to do with their class."""
    rng = np.random.default_rng(seed)
    classes, places = rng.integers(0, 3, count), 10 + rng.integers(0, 12, count)
    noise = 0.03 * rng.normal(size=(count, 40))
    return unit(np.eye(40)[places] + 0.1 * np.eye(40)[classes] + noise), classes


def trained(vectors, classes, count, *, names=None, with_pool=True):
    """A head of the first `count` rows; all rows are its pool."""
    everything = Embeddings(np.arange(len(vectors)), vectors, "e@1")
    rows = np.arange(count)
    return train(
        everything.take(rows),
        Labels(rows, np.eye(3, dtype=np.float32)[classes[rows]], SPACE),
        name_vectors=names,
        audit=np.zeros(count, dtype=bool),
        rng=np.random.default_rng(0),
        neighbour_graph=build_neighbour_graph(everything, np.random.default_rng(1)) if with_pool else None,
    )


def test_a_pool_whose_neighbours_mislead_may_not_teach():
    vectors, classes = misleading()
    plain, asked = (trained(vectors, classes, 60, with_pool=with_pool) for with_pool in (False, True))
    assert asked.settings.self_trained is False
    assert np.array_equal(asked.head.weights, plain.head.weights)
    assert np.array_equal(asked.out_of_fold.values, plain.out_of_fold.values)


def test_below_ten_labels_a_pool_does_not_teach():
    vectors, classes = clouds(300, spread=0.35, seed=0)
    assert [trained(vectors, classes, count).settings.self_trained for count in (9, 10)] == [False, True]


def test_a_pool_that_is_labelled_whole_has_nothing_to_teach():
    vectors, classes = clouds(40, spread=0.35, seed=0)
    assert trained(vectors, classes, 40).settings.self_trained is False
    assert trained(vectors, classes, 39).settings.self_trained is True


def test_neighbours_outvote_a_single_label_against_them_and_do_not_silence_it():
    """Ten neighbours say one thing, one label another: it is doubted, and still heard."""
    given, likely = [], []
    for seed in range(3):
        vectors, classes = clouds(300, spread=0.35, seed=seed)
        said = classes.copy()
        said[0] = (classes[0] + 1) % 3
        head = trained(vectors, said, 30).head
        beliefs = head.probabilities(Embeddings(np.arange(1), vectors[:1], "e@1"), "v").values[0]
        given.append(beliefs[said[0]])
        likely.append(beliefs[classes[0]])
    assert 0.25 < np.mean(given) < 0.45 < np.mean(likely)


NAMES = np.eye(3, 24, dtype=np.float32)


def test_settings_that_held_out_labels_refute_are_left_out_of_the_pool():
    vectors, classes = clouds(90, spread=0.2, seed=0)
    right = trained(vectors, classes, 90, names=NAMES, with_pool=False)
    wrong = trained(vectors, classes, 90, names=NAMES[[1, 2, 0]], with_pool=False)
    assert right.settings.ensemble_size == 5.0
    assert wrong.settings.ensemble_size < 5.0
    assert wrong.settings.prior_weight < right.settings.prior_weight


@pytest.mark.parametrize(("count", "pooled"), [(1, 1.0), (5, 2.0), (14, 2.0), (15, 5.0)])
def test_a_handful_of_labels_believes_the_names_and_more_may_doubt_them(count, pooled):
    vectors, classes = clouds(30, spread=0.05, seed=0)
    assert trained(vectors, classes, count, names=NAMES, with_pool=False).settings.ensemble_size == pooled
