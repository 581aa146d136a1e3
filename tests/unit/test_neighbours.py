"""The nearest of unit vectors: as the slow obvious way finds them."""

import numpy as np
import pytest

from model.neighbours import find_neighbours, nearest, nearest_cosine, nearest_row


def unit_rows(n, d=8, *, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_nearest_are_those_of_a_full_sort():
    queries, base = unit_rows(30), unit_rows(200, seed=1)
    found = nearest(queries, base, count=7, in_order=True)
    cosines = queries @ base.T
    assert np.array_equal(found.rows, np.argsort(-cosines, axis=1)[:, :7])
    assert np.array_equal(found.cosines, -np.sort(-cosines, axis=1)[:, :7])
    unordered = nearest(queries, base, count=7)
    assert np.array_equal(np.sort(unordered.rows, axis=1), np.sort(found.rows, axis=1))
    assert np.array_equal(nearest_row(queries, base), found.rows[:, 0])
    assert np.array_equal(nearest_cosine(queries, base), found.cosines[:, 0])


def test_few_at_once_find_the_same():
    queries, base = unit_rows(31), unit_rows(50, seed=1)
    few = nearest(queries, base, count=3, in_order=True, at_once=4)
    assert np.array_equal(few.rows, nearest(queries, base, count=3, in_order=True).rows)


def test_no_item_is_its_own_neighbour_while_there_are_others():
    items = unit_rows(20)
    found = nearest(items, items, count=19, own=np.arange(20))
    assert (found.rows != np.arange(20)[:, None]).all()
    assert np.isfinite(found.cosines).all()
    everybody = nearest(items, items, count=20, own=np.arange(20), in_order=True)
    assert np.array_equal(everybody.rows[:, -1], np.arange(20))
    assert np.isneginf(everybody.cosines[:, -1]).all()


def test_a_query_that_is_not_in_the_base_has_no_row_of_its_own_there():
    items = unit_rows(5)
    own = np.array([-1, 1, -1, 3, -1])
    assert (nearest(items, items, count=1, own=own).rows[:, 0] == np.arange(5)).tolist() == (own < 0).tolist()


@pytest.mark.parametrize(("queries", "base"), [(0, 5), (4, 0), (0, 0)])
def test_where_nothing_is_nothing_is_found(queries, base):
    found = nearest(unit_rows(queries), unit_rows(base), count=3)
    assert found.rows.shape == found.cosines.shape == (queries, min(base, 3))
    padded = find_neighbours(unit_rows(queries), unit_rows(base), count=3, rng=np.random.default_rng(0))
    assert padded.rows.shape == (queries, 3)
    assert (padded.rows[:, base:] == -1).all()


def test_of_a_small_base_the_quick_search_is_exact():
    items = unit_rows(60)
    found = find_neighbours(items, items, count=5, rng=np.random.default_rng(0), own=np.arange(60))
    exact = nearest(items, items, count=5, own=np.arange(60), in_order=True)
    assert np.array_equal(found.rows, exact.rows)


def test_of_a_large_base_the_quick_search_finds_most():
    base = unit_rows(20_000, seed=3)
    queries = base[:200]
    found = find_neighbours(queries, base, count=5, rng=np.random.default_rng(0), own=np.arange(200))
    exact = nearest(queries, base, count=5, own=np.arange(200), in_order=True)
    shared = np.mean([len(np.intersect1d(*pair)) for pair in zip(found.rows, exact.rows, strict=True)])
    assert 4.5 < shared <= 5.0
    assert (found.rows != np.arange(200)[:, None]).all()
