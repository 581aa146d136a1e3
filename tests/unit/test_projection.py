"""The map: as many points as items, the same for the same vectors, and never a NaN."""

import numpy as np
import pytest

from model.projection import place_near, project_to_plane
from model.records import Embeddings


def some_embeddings(count, *, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return Embeddings(np.arange(count), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "e@1")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 11, 40])
def test_every_item_gets_a_point_in_the_square(count):
    points = project_to_plane(some_embeddings(count), seed=1)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all() and (np.abs(points) <= 1).all()


def test_the_same_vectors_and_seed_give_the_same_map():
    first, second = (project_to_plane(some_embeddings(30), seed=1) for _ in range(2))
    assert np.array_equal(first, second)


def test_items_that_are_all_alike_stand_together():
    alike = Embeddings(np.arange(20), np.tile(some_embeddings(1).vectors, (20, 1)), "e@1")
    assert np.abs(project_to_plane(alike, seed=1)).max() <= 1


def test_a_vector_that_is_not_finite_stops_with_a_clear_word():
    broken = some_embeddings(12)
    broken.vectors[3, 1] = np.nan
    with pytest.raises(ValueError, match="project_to_plane: an embedding is not finite"):
        project_to_plane(broken, seed=1)


def two_islands(count, *, seed=0):
    """Items about two directions in turn, and the island of each."""
    rng = np.random.default_rng(seed)
    island = np.arange(count) % 2
    vectors = np.eye(8)[island] + rng.normal(0, 0.1, (count, 8))
    return Embeddings(
        np.arange(count), (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), "e@1"
    ), island


def test_an_item_is_placed_where_its_like_stand_and_never_between_two_islands():
    anchors, island = two_islands(20)
    places = np.where(island[:, None] == 0, [[-0.8, 0.0]], [[0.8, 0.1]])
    items, wanted = two_islands(5000, seed=1)
    found = place_near(items, anchors, places, seed=1)
    assert found.shape == (5000, 2) and np.abs(found).max() <= 1
    assert np.array_equal(found[:, 0] > 0, wanted == 1)
    assert np.abs(np.abs(found[:, 0]) - 0.8).max() < 0.1
    assert np.array_equal(found, place_near(items, anchors, places, seed=1))


def test_fewer_anchors_than_neighbours_are_enough_and_no_item_needs_none():
    anchors, _ = two_islands(2)
    assert place_near(two_islands(7)[0], anchors, np.zeros((2, 2)), seed=1).shape == (7, 2)
    assert place_near(two_islands(0)[0], anchors, np.zeros((2, 2)), seed=1).shape == (0, 2)
