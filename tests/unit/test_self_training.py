"""Self-training: pseudo-labels help where neighbours agree, and only there."""

import numpy as np
import pytest

from model.heads.neighbour_graph import build_neighbour_graph
from model.records import Embeddings, Labels, LabelSpace
from model.training import train

SPACE = LabelSpace(("a", "b", "c"))


def three_clouds(n=300, *, spread=0.35, seed=0):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n)
    vectors = np.eye(3, 24, dtype=np.float32)[classes] + spread * rng.normal(size=(n, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(np.arange(n), vectors, "e@1"), classes


def trained(everything, classes, rows, *, with_graph=True):
    targets = np.eye(3, dtype=np.float32)[classes[rows]]
    return train(
        everything.take(rows),
        Labels(everything.ids[rows], targets, SPACE),
        name_vectors=None,
        audit=np.ones(len(rows), dtype=bool),
        rng=np.random.default_rng(0),
        neighbour_graph=build_neighbour_graph(everything, np.random.default_rng(1)) if with_graph else None,
    )


def test_neighbours_are_the_nearest_and_pseudo_labels_sum_to_one():
    everything, _ = three_clouds(60)
    found = build_neighbour_graph(everything, np.random.default_rng(0))
    cosines = found.sample.vectors @ everything.vectors.T
    best = np.sort(cosines, axis=1)[:, -10:].sum(axis=1)
    assert np.allclose(np.take_along_axis(cosines, found.neighbours, axis=1).sum(axis=1), best, atol=1e-5)
    labels = found.pseudo_labels(np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float32))
    assert np.allclose(labels.sum(axis=1), 1.0, atol=1e-5)


def test_the_neighbour_graph_does_not_depend_on_the_order_of_rows():
    everything, _ = three_clouds(50)
    turned = build_neighbour_graph(everything.take(np.arange(50)[::-1]), np.random.default_rng(0))
    straight = build_neighbour_graph(everything, np.random.default_rng(0))
    assert np.array_equal(turned.sample.ids, straight.sample.ids)


def test_where_neighbours_agree_a_head_learns_from_pseudo_labels():
    everything, classes = three_clouds()
    rows = np.arange(12)
    plain = trained(everything, classes, rows, with_graph=False)
    self_trained = trained(everything, classes, rows)
    assert self_trained.settings.self_trained
    right = [
        (result.head.logits(everything.vectors).argmax(axis=1) == classes).mean()
        for result in (plain, self_trained)
    ]
    assert right[1] > right[0]


def test_pseudo_labels_lend_no_answer_to_the_rows_that_measure_accuracy():
    everything, _ = three_clouds()
    noise = np.random.default_rng(5).integers(0, 3, 300)
    result = trained(everything, noise, np.arange(150))
    assert result.metrics["audit_low"] < 1 / 3 < result.metrics["audit_high"]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_a_small_project_has_a_small_neighbour_graph(size):
    everything, _ = three_clouds(size)
    assert len(build_neighbour_graph(everything, np.random.default_rng(0)).sample) == size
