"""Answers that name the wrong side are found, whichever side it is; ties never are."""

import numpy as np

from model.records import Labels
from model.signals.suspect_sides import find_suspect_sides
from tests.unit.test_pairwise import answers_to, some_pairs, swap, train


def suspects_of(items, labels):
    return find_suspect_sides(items, labels, train(items, labels), names=None, rng=np.random.default_rng(0))


def with_mistakes(rows=300, wrong=20):
    """Pairs, answers with ties among them, and the rows of which the side is the wrong one."""
    items = some_pairs(rows, seed=1)
    labels = answers_to(items, 2, tie=0.5)
    bad = np.random.default_rng(3).choice(np.flatnonzero(labels.targets.any(axis=1)), wrong, replace=False)
    labels.targets[bad] = labels.targets[bad][:, ::-1]
    return items, labels, bad


def test_wrong_sides_are_found_far_more_often_than_by_chance():
    items, labels, bad = with_mistakes()
    found = suspects_of(items, labels)
    hits = np.isin(found.rows, bad)
    assert hits.mean() > 3 * len(bad) / len(labels) and hits.sum() >= 8
    assert (found.proposed == 1.0 - labels.targets[found.rows]).all()
    assert (np.diff(found.doubt) <= 0).all() and found.doubt.max() <= 1.0


def test_swapped_sides_give_the_same_suspects():
    items, labels, _bad = with_mistakes()
    swapped = Labels(labels.ids, np.ascontiguousarray(labels.targets[:, ::-1]), labels.space)
    one, other = suspects_of(items, labels), suspects_of(swap(items), swapped)
    assert one.rows.tolist() == other.rows.tolist()
    np.testing.assert_array_equal(one.doubt, other.doubt)


def test_ties_are_no_suspects_and_few_answers_say_nothing():
    items, labels, _bad = with_mistakes()
    found = suspects_of(items, labels)
    assert labels.targets[found.rows].any(axis=1).all()
    nobody = Labels(labels.ids, np.zeros_like(labels.targets), labels.space)
    assert suspects_of(items, nobody).count == 0
    few = suspects_of(items.take(np.arange(10)), labels.take(slice(0, 10)))
    assert few.count == 0 and "Too early" in few.words
