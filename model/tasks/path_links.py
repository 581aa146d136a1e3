"""How scores of the ends of paths become chances: of one path an item, or of any number of them.

Shapes: n items, e ends, c nodes. An end is a node at which answers stop; `onto` (e, c) is 1 where the path to
an end goes through a node.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model.calibration import fit_temperature
from model.heads.single_label import softmax
from model.records import Floats
from model.tasks.label_calibration import fit_scaling
from model.tasks.label_fits import sigmoid
from model.tasks.paths import Tree

SMALLEST = 1e-6  # chance; a logarithm of it is finite

Marks = NDArray[np.bool_]
Numbers = NDArray[np.float64]


class Link(Protocol):
    """One way from scores to chances."""

    def bias(self, ends: int) -> float:
        """The score of an end before any label, where nothing else is known."""
        ...

    def chances(self, scores: Floats) -> Floats:
        """Chances of ends from their scores, both (…, e)."""
        ...

    def loss(self, scores: Floats, targets: Floats) -> Floats:
        """Log loss in nats, (…,), of scores (…, e); its slope in a score is chance - target."""
        ...

    def scaling(self, scores: Floats, targets: Floats) -> tuple[float, float]:
        """Slope and shift of out-of-fold scores (n, e) for which their chances have the least log loss."""
        ...

    def through(self, chances: Floats, onto: Floats) -> Floats:
        """Chances (n, c) that an answer goes through each node; never above those of the node above."""
        ...

    def candidates(self, nodes: Floats, tree: Tree) -> Marks:
        """Nodes (n, c) that an answer may go through, by their chances."""
        ...

    def log_right(self, chances: Floats, given: Floats) -> Numbers:
        """Logarithm (n,) of the chance that the given ends (n, e) are the answer."""
        ...

    def uncertainty(self, chances: Floats) -> Numbers:
        """How open the answer is, (n,), in nats, ≥ 0."""
        ...


class OnePath:
    """Each item has one path: the chances of all ends sum to 1."""

    def bias(self, ends: int) -> float:
        """All ends alike."""
        return 0.0

    def chances(self, scores: Floats) -> Floats:
        """Softmax."""
        return softmax(scores.reshape(-1, scores.shape[-1])).reshape(scores.shape)

    def loss(self, scores: Floats, targets: Floats) -> Floats:
        """Of the end that was chosen."""
        highest = scores.max(axis=-1, keepdims=True)
        norm = np.log(np.exp(scores - highest).sum(axis=-1)) + highest[..., 0]
        losses: Floats = norm - (targets * scores).sum(axis=-1)
        return losses

    def scaling(self, scores: Floats, targets: Floats) -> tuple[float, float]:
        """A temperature."""
        return 1.0 / fit_temperature(scores, targets.argmax(axis=1)), 0.0

    def through(self, chances: Floats, onto: Floats) -> Floats:
        """The sum over the ends below."""
        summed: Floats = np.minimum(chances @ onto, 1.0)
        return summed

    def candidates(self, nodes: Floats, tree: Tree) -> Marks:
        """The likeliest child of each node."""
        found = np.zeros(nodes.shape, dtype=np.bool_)
        for children in tree.families:
            likeliest = children[nodes[:, children].argmax(axis=1)]
            found[np.arange(len(nodes)), likeliest] = True
        return found

    def log_right(self, chances: Floats, given: Floats) -> Numbers:
        """That of the only end."""
        chance = (chances * given).sum(axis=1, dtype=np.float64)
        right: Numbers = np.log(np.maximum(chance, SMALLEST))
        return right

    def uncertainty(self, chances: Floats) -> Numbers:
        """Entropy of the ends."""
        p = np.maximum(chances.astype(np.float64), SMALLEST)
        entropy: Numbers = np.maximum(-(p * np.log(p)).sum(axis=1), 0.0)
        return entropy


class ByNames(OnePath):
    """The names of the labels alone: one path, and no item more uncertain than another."""

    def uncertainty(self, chances: Floats) -> Numbers:
        """1: where names are unsure says little, and going by it asks for one kind of items first."""
        return np.ones(len(chances))


class SeveralPaths:
    """Each item has any number of paths: every end is a question of its own."""

    def bias(self, ends: int) -> float:
        """As if each item had one path."""
        return -float(np.log(max(ends - 1, 1)))

    def chances(self, scores: Floats) -> Floats:
        """Sigmoid."""
        return sigmoid(scores)

    def loss(self, scores: Floats, targets: Floats) -> Floats:
        """Of all ends together."""
        # nine times as fast as logaddexp
        losses: Floats = np.maximum(scores, 0.0) + np.log1p(np.exp(-np.abs(scores))) - targets * scores
        summed: Floats = losses.sum(axis=-1)
        return summed

    def scaling(self, scores: Floats, targets: Floats) -> tuple[float, float]:
        """The same for all ends."""
        return fit_scaling(scores, targets)

    def through(self, chances: Floats, onto: Floats) -> Floats:
        """That of at least one end below, were ends independent."""
        none: Floats = np.log1p(-_clipped(chances)) @ onto
        through: Floats = -np.expm1(none)
        return through

    def candidates(self, nodes: Floats, tree: Tree) -> Marks:
        """Every node."""
        return np.ones(nodes.shape, dtype=np.bool_)

    def log_right(self, chances: Floats, given: Floats) -> Numbers:
        """Of all ends together, were they independent."""
        clipped = _clipped(chances).astype(np.float64)
        right: Numbers = np.log(np.where(given > 0, clipped, 1.0 - clipped)).sum(axis=1)
        return right

    def uncertainty(self, chances: Floats) -> Numbers:
        """Sum of the entropies of all ends."""
        p = _clipped(chances).astype(np.float64)
        entropy: Numbers = -(p * np.log(p) + (1.0 - p) * np.log1p(-p)).sum(axis=1)
        return entropy


# In this order their places are stored with a head.
LINKS: Final[tuple[Link, ...]] = (OnePath(), SeveralPaths(), ByNames())
ONE_PATH, SEVERAL_PATHS, BY_NAMES = LINKS


def _clipped(chances: Floats) -> Floats:
    clipped: Floats = np.clip(chances, SMALLEST, 1.0 - SMALLEST).astype(np.float32)
    return clipped
