"""Heads of a taxonomy: a chance for every node, and a threshold that says how deep an answer goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import NAME_SCALE, as_float32
from model.records import Embeddings, Floats, Ids, LabelSpace
from model.task_type import Beliefs, Tensors
from model.tasks.path_links import BY_NAMES, LINKS, SMALLEST, Link, Numbers
from model.tasks.paths import Tree, tree_of

_SURE = 0.5  # chance from which names alone give a node


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep an answer goes: to nodes whose chance reaches the threshold.

    allows_none: whether no path at all is an answer; else the likeliest root is given. The chance that an
    answer is right is raised to `power` (> 0).
    """

    threshold: float
    allows_none: bool
    power: float


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where paths may end: columns (e,) among the nodes of a tree, and how their scores become chances."""

    columns: NDArray[np.intp]
    tree: Tree
    link: Link

    def through(self, chances: Floats) -> Floats:
        """Chances of all nodes (n, c) from those of the ends (n, e)."""
        return self.link.through(chances, self.tree.through[self.columns])

    def answers(self, nodes: Floats, depth: Depth) -> Floats:
        """The ends (n, c) of the answer: down from the roots, through likely nodes alone."""
        likely = self.link.candidates(nodes, self.tree) & (nodes >= depth.threshold)
        if not depth.allows_none:
            roots = np.flatnonzero(self.tree.parents < 0)
            none = np.flatnonzero(~likely[:, roots].any(axis=1))
            likely[none, roots[nodes[np.ix_(none, roots)].argmax(axis=1)]] = True
        broken: Floats = (~likely).astype(np.float32) @ self.tree.through.T
        return self.tree.ends((broken == 0).astype(np.float32))

    def log_right(self, chances: Floats, answers: Floats) -> Numbers:
        """Logarithm (n,) of the chance that answers (n, c) are right; one that ends elsewhere never is."""
        given = answers[:, self.columns]
        elsewhere = answers.sum(axis=1) - given.sum(axis=1)
        found: Numbers = self.link.log_right(chances, given) + np.log(SMALLEST) * elsewhere
        return found

    def beliefs(self, ids: Ids, chances: Floats, depth: Depth, model_version: str) -> Beliefs:
        """All that is believed of n items whose ends have these chances (n, e)."""
        nodes = self.through(chances)
        answers = self.answers(nodes, depth)
        sure = np.exp(depth.power * self.log_right(chances, answers)).astype(np.float32)
        uncertainty = self.link.uncertainty(chances).astype(np.float32)
        confidence = np.clip(sure, 0.0, 1.0)
        return Beliefs(ids, nodes, answers, confidence, uncertainty, nodes, model_version)


@dataclass(frozen=True, slots=True, eq=False)
class TaxonomyHead:
    """Score of an end = slope · (x W + b) + shift, with weights (d, e) and bias (e,)."""

    weights: Floats
    bias: Floats
    slope: float
    shift: float
    ends: Ends
    depth: Depth
    space: LabelSpace

    def __post_init__(self) -> None:
        count = len(self.ends.columns)
        if self.weights.ndim != 2 or self.weights.shape[1] != count or self.bias.shape != (count,):
            raise ValueError(
                f"TaxonomyHead: weights {self.weights.shape}, bias {self.bias.shape}, {count} ends"
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise ValueError("TaxonomyHead: a weight is not finite")
        numbers = (self.slope, self.shift, self.depth.threshold, self.depth.power)
        if not (np.isfinite(numbers).all() and self.slope > 0 and self.depth.power > 0):
            raise ValueError(f"TaxonomyHead: slope, shift, threshold and power are {numbers}")

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """Chances and answers for n items; raises ValueError when their vectors are of another length."""
        if items.vectors.ndim != 2 or items.vectors.shape[1] != len(self.weights):
            raise ValueError(f"taxonomy: vectors {items.vectors.shape} for {len(self.weights)} dimensions")
        raw: Floats = as_float32(items.vectors) @ self.weights + self.bias
        chances = self.ends.link.chances(scaled(raw, self.slope, self.shift))
        return self.ends.beliefs(items.ids, chances, self.depth, model_version)

    def tensors(self) -> Tensors:
        """Weights, bias, ends, calibration and depth, as `load_head` takes them."""
        depth = self.depth
        return {
            "weights": self.weights,
            "bias": self.bias,
            "ends": self.ends.columns.astype(np.int64),
            "link": np.array([LINKS.index(self.ends.link)], dtype=np.int64),
            "calibration": np.array([self.slope, self.shift], dtype=np.float64),
            "depth": np.array([depth.threshold, depth.allows_none, depth.power], dtype=np.float64),
        }


def names_head(names: Floats, space: LabelSpace) -> TaxonomyHead:
    """The head before any label: one path an item, by the cosine of item and path name (c, d)."""
    if names.ndim != 2 or len(names) != len(space):
        raise ValueError(f"taxonomy: name vectors {names.shape} for {len(space)} labels")
    tree = tree_of(space)
    columns = np.flatnonzero(tree.leaves)
    weights = np.ascontiguousarray(NAME_SCALE * names[columns].T, dtype=np.float32)
    depth = Depth(_SURE, allows_none=True, power=1.0)
    bias = np.zeros(len(columns), dtype=np.float32)
    return TaxonomyHead(weights, bias, 1.0, 0.0, Ends(columns, tree, BY_NAMES), depth, space)


def load_head(tensors: Tensors, space: LabelSpace) -> TaxonomyHead:
    """The head that gave these tensors; raises KeyError or ValueError where they are not its own."""
    columns = np.asarray(tensors["ends"]).astype(np.intp)
    if columns.ndim != 1 or not ((columns >= 0) & (columns < len(space))).all():
        raise ValueError(f"taxonomy: ends of paths are not among {len(space)} labels")
    link = int(tensors["link"][0])
    if not 0 <= link < len(LINKS):
        raise ValueError(f"taxonomy: there is no link {link}")
    slope, shift = tensors["calibration"]
    threshold, allows_none, power = tensors["depth"]
    return TaxonomyHead(
        np.asarray(tensors["weights"]),
        np.asarray(tensors["bias"]),
        float(slope),
        float(shift),
        Ends(columns, tree_of(space), LINKS[link]),
        Depth(float(threshold), bool(allows_none), float(power)),
        space,
    )


def scaled(scores: Floats, slope: float, shift: float) -> Floats:
    """Calibrated scores (n, e), float32."""
    found: Floats = np.float32(slope) * scores + np.float32(shift)
    return found
