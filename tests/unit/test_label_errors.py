"""Suspect labels: what its neighbours and unseen heads contradict."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.signals.label_errors import find_suspects
from model.training import train

SPACE = LabelSpace(("a", "b", "c"))


def a_labelled_set(count=150, wrong=12, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 3
    vectors = np.eye(8)[truth] + 0.25 * rng.normal(size=(count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = truth.copy()
    given[:wrong] = (given[:wrong] + 1) % 3
    ids = np.arange(count) + 7
    items = Embeddings(ids, vectors.astype(np.float32), "made@1")
    return items, Labels(ids, np.eye(3, dtype=np.float32)[given], SPACE), truth


def suspects(items, labels, beliefs=None):
    if beliefs is None:
        nothing = np.zeros(len(labels), dtype=bool)
        rng = np.random.default_rng(0)
        trained = train(items, labels, name_vectors=None, audit=nothing, rng=rng)
        beliefs = trained.out_of_fold.values
    return find_suspects(
        items,
        labels,
        out_of_fold=beliefs,
        inverse_regularisation=10.0,
        rng=np.random.default_rng(1),
    )


def test_wrong_labels_are_found_counted_and_corrected():
    items, labels, truth = a_labelled_set()
    found = suspects(items, labels)
    assert set(np.argsort(-found.doubt)[:12]) == set(range(12))
    assert 10 <= found.count <= 14
    assert (found.suggested[:12] == truth[:12]).all()
    assert f"About {found.count} of 150 labels look wrong" in found.words


def test_a_clean_set_is_left_alone():
    items, labels, _ = a_labelled_set(wrong=0)
    found = suspects(items, labels)
    assert found.count <= 2


def test_the_order_of_the_rows_hardly_matters():
    items, labels, _ = a_labelled_set()
    turned = np.arange(len(labels))[::-1]
    back = suspects(items.take(turned), Labels(labels.ids[turned], labels.targets[turned], SPACE))
    assert np.corrcoef(back.doubt[::-1], suspects(items, labels).doubt)[0, 1] > 0.98


@pytest.mark.parametrize("names", [[], ["a"] * 5, ["a"] * 40], ids=["none", "few", "one class"])
def test_too_little_to_judge_suspects_nobody(names):
    ids = np.arange(len(names))
    items = Embeddings(ids, np.tile(np.eye(4, dtype=np.float32)[0], (len(names), 1)), "made@1")
    labels = Labels.from_names(ids, names, SPACE)
    found = suspects(items, labels, beliefs=np.full((len(names), 3), 1 / 3, dtype=np.float32))
    assert found.count == 0
    assert not found.doubt.any()
    assert found.words.startswith("No label is suspect" if len(names) == 40 else "Too early")


def test_all_labels_wrong_is_survived():
    items, labels, _ = a_labelled_set(count=60, wrong=60)
    assert np.isfinite(suspects(items, labels).doubt).all()


def test_rows_that_do_not_match_are_refused():
    items, labels, _ = a_labelled_set()
    with pytest.raises(ValueError, match="differ in their ids"):
        suspects(items.take(np.arange(10)), labels, beliefs=labels.targets)
    with pytest.raises(ValueError, match="not finite"):
        suspects(items, labels, beliefs=np.full((150, 3), np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match="beliefs"):
        suspects(items, labels, beliefs=labels.targets[:10])
