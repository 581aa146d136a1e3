"""A group that a person decided about is known again by its items, by its place and by its name."""

import numpy as np
import pytest

from model.novelty.decided import DecidedGroup, Decisions
from model.novelty.grouping import Group
from model.novelty.linking import unit
from model.records import Embeddings, Labels, LabelSpace

RNG = np.random.default_rng(0)
CENTRES = unit(RNG.normal(size=(4, 64)).astype(np.float32))
SPACE = LabelSpace(("lost card", "top up"))


def around(centre, count):
    return unit(CENTRES[centre] + 0.08 * RNG.normal(size=(count, 64)).astype(np.float32))


VECTORS = np.concatenate([around(0, 24), around(1, 12), around(2, 10), around(3, 10)])
ITEMS = Embeddings(np.arange(1, 57), VECTORS, "frozen")
KNOWN = ITEMS.take(np.arange(36, 56))
LABELS = Labels(KNOWN.ids, np.eye(2, dtype=np.float32)[np.repeat([0, 1], 10)], SPACE)
REJECTED = DecidedGroup("refund delay", frozenset(range(1, 13)), VECTORS[:12])


def is_held(ids, name, *decided, known=KNOWN, labels=LABELS):
    return Decisions.beside(decided, known, labels).hold(Group(tuple(ids), 0.8), name, ITEMS)


@pytest.mark.parametrize(
    ("ids", "name", "same"),
    [
        (range(8, 20), "late money", True),  # shares items
        (range(13, 25), "late money", True),  # shares none, lies where it lay
        (range(25, 37), "late money", False),
        (range(25, 37), "Refund Delay", True),  # lies elsewhere, has its name
    ],
)
def test_it_is_known_by_items_place_or_name(ids, name, same):
    assert is_held(ids, name, REJECTED) == same


def test_what_is_nearer_to_a_class_is_not_the_decided_group():
    beside_a_class = DecidedGroup("refund delay", frozenset({99}), unit(VECTORS[36:46] + 0.5 * CENTRES[:1]))
    assert not is_held(range(37, 47), "late money", beside_a_class)


def test_nothing_is_known_of_what_nobody_decided():
    assert not is_held(range(1, 13), "refund delay")


def test_a_decided_group_whose_tasks_are_gone_is_known_by_its_name_alone():
    gone = DecidedGroup("refund delay", frozenset(), VECTORS[:0])
    assert not is_held(range(1, 13), "late money", gone)
    assert is_held(range(1, 13), "refund delay", gone)


def test_one_class_alone_does_not_tell_how_far_a_class_reaches():
    one = np.arange(10)
    assert not is_held(range(13, 25), "late money", REJECTED, known=KNOWN.take(one), labels=LABELS.take(one))
