"""Paths of a taxonomy as names of columns, and the tree that such names make.

A name holds the steps from the root on, joined by "/"; "/" and "\\" inside a step have a "\\" before them. So
every path has one name and every name one path: ("a/b", "c") is "a\\/b/c".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats, LabelSpace

_STEP = re.compile(r"(?:\\.|[^/\\])*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

Rows = NDArray[np.intp]


def join_path(steps: Sequence[str]) -> str:
    """The name of a path. Raises ValueError for a path without steps."""
    if not steps:
        raise ValueError("join_path: a path has at least one step")
    return "/".join(re.sub(r"([/\\])", r"\\\1", step) for step in steps)


def split_path(name: str) -> tuple[str, ...]:
    """The steps of a name that `join_path` made."""
    steps, at = [], 0
    while at <= len(name):
        found = _STEP.match(name, at)
        step = found.group() if found else ""
        steps.append(_ESCAPED.sub(r"\1", step))
        at += len(step) + 1
    return tuple(steps)


def ancestors(name: str) -> tuple[str, ...]:
    """The names of all nodes above a node, the root first."""
    steps = split_path(name)
    return tuple(join_path(steps[:depth]) for depth in range(1, len(steps)))


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The nodes of a label space: `parents` (c,) has the column above each, -1 for a root.

    `through` (c, c) is 1 in row a, column b where b is a or above a.
    """

    parents: Rows
    through: Floats

    @property
    def depths(self) -> Rows:
        """How many nodes stand above each, (c,)."""
        found: Rows = self.through.sum(axis=1).astype(np.intp) - 1
        return found

    @property
    def leaves(self) -> NDArray[np.bool_]:
        """Nodes that have none below them, (c,)."""
        found: NDArray[np.bool_] = self.through.sum(axis=0) == 1
        return found

    @property
    def families(self) -> list[Rows]:
        """The columns of the children of each node, those of the roots among them."""
        return [np.flatnonzero(self.parents == above) for above in np.unique(self.parents)]

    def close(self, deepest: Floats) -> Floats:
        """Every node that paths go through (n, c), from the nodes where they end (n, c)."""
        below: Floats = (deepest > 0).astype(np.float32) @ self.through
        return (below > 0).astype(np.float32)

    def ends(self, closed: Floats) -> Floats:
        """The nodes (n, c) that have none below them which is on, from all that are on (n, c)."""
        on = closed > 0
        strictly = self.through - np.eye(len(self.parents), dtype=np.float32)
        below: Floats = on.astype(np.float32) @ strictly
        alone: Floats = (on & (below == 0)).astype(np.float32)
        return alone


def tree_of(space: LabelSpace) -> Tree:
    """The tree of the names of a space. Raises ValueError where a node stands below none that is there."""
    columns = {name: column for column, name in enumerate(space.names)}
    through = np.eye(len(space), dtype=np.float32)
    parents = np.full(len(space), -1, dtype=np.intp)
    for column, name in enumerate(space.names):
        above = ancestors(name)
        if not set(above) <= columns.keys():
            raise ValueError("taxonomy: a path goes through a node that is not among the labels")
        through[column, [columns[one] for one in above]] = 1.0
        if above:
            parents[column] = columns[above[-1]]
    return Tree(parents, through)
