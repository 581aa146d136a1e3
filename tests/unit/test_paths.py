"""Paths as names, and the tree that names make."""

import numpy as np
import pytest

from model.records import LabelSpace
from model.tasks.paths import ancestors, join_path, split_path, tree_of

SPACE = LabelSpace(("a", "a/b", "a/b/c", "a/d", "e"))


@pytest.mark.parametrize(
    ("steps", "name"),
    [(("a",), "a"), (("a", "b"), "a/b"), (("a/b",), r"a\/b"), (("a\\", "b"), "a\\\\/b"), (("", ""), "/")],
)
def test_a_path_has_one_name(steps, name):
    assert join_path(steps) == name
    assert split_path(name) == steps


def test_a_path_without_steps_has_no_name():
    with pytest.raises(ValueError, match="at least one step"):
        join_path(())


def test_what_stands_above_a_node():
    assert ancestors("a/b/c") == ("a", "a/b")
    assert ancestors(r"a\/b") == ()
    tree = tree_of(SPACE)
    assert tree.parents.tolist() == [-1, 0, 1, 0, -1]
    assert tree.depths.tolist() == [0, 1, 2, 1, 0]
    assert tree.leaves.tolist() == [False, False, True, True, True]
    assert [family.tolist() for family in tree.families] == [[0, 4], [1, 3], [2]]


def test_paths_are_closed_and_cut_to_their_ends():
    tree = tree_of(SPACE)
    ends = np.array([[0, 0, 1, 0, 1], [1, 0, 0, 0, 0]], dtype=np.float32)
    closed = tree.close(ends)
    assert closed.tolist() == [[1, 1, 1, 0, 1], [1, 0, 0, 0, 0]]
    assert tree.ends(closed).tolist() == ends.tolist()


def test_a_node_without_its_parent_is_refused():
    with pytest.raises(ValueError, match="goes through a node"):
        tree_of(LabelSpace(("a", "b/c")))
