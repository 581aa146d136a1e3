"""The linear head, the head of class names, and fitting."""

import numpy as np
import pytest

from model.heads.fitting import fit_head
from model.heads.single_label import NAME_SCALE, LinearHead, similarity_head, softmax
from model.records import Embeddings, Labels, LabelSpace

SPACE = LabelSpace(("a", "b", "c"))


def unit_rows(rng, n, d=6):
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def labelled(n=30, seed=0):
    rng = np.random.default_rng(seed)
    vectors, ids = unit_rows(rng, n), np.arange(n)
    targets = np.eye(3, dtype=np.float32)[vectors[:, :3].argmax(1)]
    return Embeddings(ids, vectors, "e@1"), Labels(ids, targets, SPACE)


def test_probabilities_carry_ids_and_version_and_sum_to_one():
    embeddings, labels = labelled()
    head = fit_head(embeddings, labels, inverse_regularisation=10.0)
    probabilities = head.probabilities(embeddings, "nl-000001")
    assert probabilities.model_version == "nl-000001"
    assert np.array_equal(probabilities.ids, embeddings.ids)
    assert probabilities.values.sum(1) == pytest.approx(np.ones(30), abs=1e-5)
    assert (probabilities.values.argmax(1) == labels.classes).mean() > 0.9


def test_a_fitted_head_is_where_the_loss_has_no_slope():
    embeddings, labels = labelled()
    head = fit_head(embeddings, labels, inverse_regularisation=5.0)
    error = softmax(head.logits(embeddings.vectors)) - labels.targets
    slope = embeddings.vectors.T @ error + head.weights / 5.0
    assert np.abs(slope).max() < 5e-3
    assert np.abs(error.sum(0) + head.bias / 5.0).max() < 5e-3


def test_more_rows_than_dimensions_and_fewer_give_the_same_kind_of_answer():
    for n in (3, 200):
        embeddings, labels = labelled(n)
        head = fit_head(embeddings, labels, inverse_regularisation=5.0)
        error = softmax(head.logits(embeddings.vectors)) - labels.targets
        assert np.abs(embeddings.vectors.T @ error + head.weights / 5.0).max() < 2e-2


def test_a_row_of_weight_two_counts_like_two_rows():
    embeddings, labels = labelled(12)
    twice = np.r_[np.arange(12), 0]
    doubled = fit_head(
        Embeddings(np.arange(13), embeddings.vectors[twice], "e@1"),
        Labels(np.arange(13), labels.targets[twice], SPACE),
        inverse_regularisation=10.0,
    )
    weighted = fit_head(
        embeddings,
        labels,
        inverse_regularisation=10.0,
        sample_weights=np.array([2.0] + [1.0] * 11, dtype=np.float32),
    )
    assert weighted.weights == pytest.approx(doubled.weights, abs=2e-2)


def test_without_belief_in_labels_the_head_is_the_one_of_names():
    embeddings, labels = labelled()
    names = unit_rows(np.random.default_rng(4), 3)
    head = fit_head(
        embeddings, labels, inverse_regularisation=1e-6, name_vectors=names, prior_weight=NAME_SCALE
    )
    assert head.weights == pytest.approx(similarity_head(names, SPACE).weights, abs=1e-2)


def test_the_head_of_names_prefers_the_class_whose_name_is_nearest():
    names = np.eye(3, 6, dtype=np.float32)
    values = softmax(similarity_head(names, SPACE).logits(names))
    assert values.argmax(1).tolist() == [0, 1, 2]
    assert (np.diag(values) > 0.99).all()


def test_a_head_that_cannot_work_is_refused():
    weights, bias = np.zeros((6, 3), dtype=np.float32), np.zeros(3, dtype=np.float32)
    with pytest.raises(ValueError, match="for 3 classes"):
        LinearHead(weights[:, :2], bias, 1.0, SPACE)
    with pytest.raises(ValueError, match="not finite"):
        LinearHead(weights + np.nan, bias, 1.0, SPACE)
    with pytest.raises(ValueError, match="temperature is 0"):
        LinearHead(weights, bias, 0.0, SPACE)
    with pytest.raises(ValueError, match="for 6 dimensions"):
        LinearHead(weights, bias, 1.0, SPACE).logits(np.zeros((2, 5), dtype=np.float32))
    with pytest.raises(ValueError, match="for 3 classes"):
        similarity_head(np.zeros((2, 6), dtype=np.float32), SPACE)


def test_softmax_stands_very_large_logits():
    assert softmax(np.array([[1e4, 0.0]], dtype=np.float32)).tolist() == [[1.0, 0.0]]
