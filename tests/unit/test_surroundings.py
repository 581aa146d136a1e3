"""What items without a label teach a head: where neighbours agree, and only there."""

import numpy as np
import pytest

from model.heads.surroundings import find_surroundings
from model.records import Embeddings, Labels, LabelSpace
from model.training import train

SPACE = LabelSpace(("a", "b", "c"))


def three_clouds(n=300, *, spread=0.35, seed=0):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n)
    vectors = np.eye(3, 24, dtype=np.float32)[classes] + spread * rng.normal(size=(n, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(np.arange(n), vectors, "e@1"), classes


def trained(everything, classes, rows, *, with_surroundings=True):
    targets = np.eye(3, dtype=np.float32)[classes[rows]]
    return train(
        everything.take(rows),
        Labels(everything.ids[rows], targets, SPACE),
        name_vectors=None,
        audit=np.ones(len(rows), dtype=bool),
        rng=np.random.default_rng(0),
        surroundings=find_surroundings(everything, np.random.default_rng(1)) if with_surroundings else None,
    )


def test_neighbours_are_the_nearest_and_beliefs_sum_to_one():
    everything, _ = three_clouds(60)
    found = find_surroundings(everything, np.random.default_rng(0))
    cosines = found.sample.vectors @ everything.vectors.T
    best = np.sort(cosines, axis=1)[:, -10:].sum(axis=1)
    assert np.allclose(np.take_along_axis(cosines, found.neighbours, axis=1).sum(axis=1), best, atol=1e-5)
    beliefs = found.smooth(np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float32))
    assert np.allclose(beliefs.sum(axis=1), 1.0, atol=1e-5)


def test_the_surroundings_do_not_depend_on_the_order_of_rows():
    everything, _ = three_clouds(50)
    turned = find_surroundings(everything.take(np.arange(50)[::-1]), np.random.default_rng(0))
    straight = find_surroundings(everything, np.random.default_rng(0))
    assert np.array_equal(turned.sample.ids, straight.sample.ids)


def test_where_neighbours_agree_a_head_learns_from_them():
    everything, classes = three_clouds()
    rows = np.arange(12)
    plain = trained(everything, classes, rows, with_surroundings=False)
    taught = trained(everything, classes, rows)
    assert taught.settings.has_surroundings
    right = [
        (result.head.logits(everything.vectors).argmax(axis=1) == classes).mean()
        for result in (plain, taught)
    ]
    assert right[1] > right[0]


def test_surroundings_lend_no_answer_to_the_rows_that_measure_accuracy():
    everything, _ = three_clouds()
    noise = np.random.default_rng(5).integers(0, 3, 300)
    result = trained(everything, noise, np.arange(150))
    assert result.metrics["audit_low"] < 1 / 3 < result.metrics["audit_high"]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_a_small_project_has_small_surroundings(size):
    everything, _ = three_clouds(size)
    assert len(find_surroundings(everything, np.random.default_rng(0)).sample) == size
