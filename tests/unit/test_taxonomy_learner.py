"""Taxonomies: an answer stops where it is not sure, and what heads of other kinds gave is refused."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.signals.suspect_paths import find_suspect_paths
from model.task_type import OUT_OF_FOLD
from model.tasks.path_fits import fit_paths, shared_nodes
from model.tasks.path_links import ONE_PATH
from model.tasks.paths import tree_of
from model.tasks.taxonomy import Taxonomy
from model.tasks.taxonomy_head import Depth, Ends

SPACE = LabelSpace(("a", "a/b", "a/c", "d"))
TREE = tree_of(SPACE)
LEAVES = np.array([1, 2, 3])
IDS = np.arange(1)


def answer(chances, threshold=0.5, allows_none=False):
    ends = Ends(LEAVES, TREE, ONE_PATH)
    given = np.array([chances], dtype=np.float32)
    found = ends.beliefs(IDS, given, Depth(threshold, allows_none, 1.0), OUT_OF_FOLD)
    return [SPACE.names[column] for column in np.flatnonzero(found.answers[0])], float(found.confidence[0])


def test_a_parent_may_be_right_when_no_child_is_sure():
    assert answer([0.45, 0.40, 0.15]) == (["a"], pytest.approx(0.0, abs=1e-5))
    assert answer([0.80, 0.05, 0.15]) == (["a/b"], pytest.approx(0.8))


def test_the_likeliest_root_is_given_where_something_must_be():
    assert answer([0.2, 0.2, 0.6], threshold=0.9)[0] == ["d"]
    assert answer([0.2, 0.2, 0.6], threshold=0.9, allows_none=True)[0] == []


def rows_of(count):
    rng = np.random.default_rng(0)
    leaf = np.arange(count) % 2 + 1
    targets = np.zeros((count, 4), dtype=np.float32)
    targets[np.arange(count), leaf] = 1.0
    vectors = rng.normal(size=(count, 8)).astype(np.float32)
    vectors[:, 0] += np.where(leaf == 1, 4.0, -4.0)
    return vectors, targets


def test_an_end_without_example_is_fitted_as_if_it_were_alone():
    vectors, targets = rows_of(20)
    asked = {
        "folds": np.arange(20) // 2 % 5,
        "prior": np.zeros((9, 3), np.float32),
        "link": ONE_PATH,
        "inverse_regularisation": 10.0,
    }
    one = fit_paths(vectors, targets[:, 1:], shares=shared_nodes(TREE, LEAVES, targets), **asked)
    twice = np.concatenate([targets[:, 1:], targets[:, 3:]], axis=1)
    prior = np.zeros((9, 4), np.float32)
    prior[-1, 2:] = -np.log(2.0)  # together as likely as the one that they stand for
    shares = shared_nodes(TREE, LEAVES, targets)[[0, 1, 2, 2]]
    both = fit_paths(vectors, twice, shares=shares, **(asked | {"prior": prior}))
    assert np.allclose(both.weights[:, :2], one.weights[:, :2], atol=1e-4)


def test_an_answer_may_stop_at_any_level_that_people_stop_at():
    vectors, targets = rows_of(40)
    targets[targets[:, 2] > 0] = [1, 0, 0, 0]
    items = Embeddings(np.arange(40), vectors, "e")
    trained = Taxonomy().train(
        items,
        Labels(items.ids, targets, SPACE),
        names=None,
        audit=np.zeros(40, dtype=np.bool_),
        rng=np.random.default_rng(0),
    )
    answers = trained.head.believe(items, "v").answers
    assert {SPACE.names[column] for column in answers.argmax(axis=1)} == {"a", "a/b"}
    assert (answers == targets).all(axis=1).mean() > 0.9


def test_tensors_of_another_tree_are_refused():
    vectors, targets = rows_of(10)
    items = Embeddings(np.arange(10), vectors, "e")
    head = Taxonomy().cold_start(np.eye(4, 8, dtype=np.float32), SPACE).head
    with pytest.raises(ValueError, match="not among"):
        Taxonomy().load(head.tensors(), LabelSpace(("a", "b")))
    with pytest.raises(ValueError, match="no link"):
        Taxonomy().load(dict(head.tensors()) | {"link": np.array([7])}, SPACE)
    with pytest.raises(ValueError, match="dimensions"):
        head.believe(Embeddings(items.ids, items.vectors[:, :3], "e"), "v")
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        Taxonomy().train(
            items,
            Labels(items.ids, targets * 2, SPACE),
            names=None,
            audit=np.zeros(10, dtype=np.bool_),
            rng=np.random.default_rng(0),
        )


def test_a_wrong_path_is_suspect_and_the_right_one_proposed():
    vectors, targets = rows_of(200)
    right, targets[7] = targets[7].copy(), [0, 1, 0, 0]
    items = Embeddings(np.arange(200), vectors, "e")
    labels, rng = Labels(items.ids, targets, SPACE), np.random.default_rng(0)
    trained = Taxonomy().train(items, labels, names=None, audit=np.zeros(200, dtype=np.bool_), rng=rng)
    found = find_suspect_paths(items, labels, trained, names=None, rng=rng)
    assert found.rows.tolist() == [7]
    assert found.proposed[0].tolist() == right.tolist()
    early = labels.take(slice(0, 5))
    few = Taxonomy().train(
        items.take(np.arange(5)), early, names=None, audit=np.zeros(5, dtype=np.bool_), rng=rng
    )
    assert not find_suspect_paths(items.take(np.arange(5)), early, few, names=None, rng=rng).count
