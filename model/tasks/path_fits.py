"""Logistic regression over the ends of paths, with weights that ends below the same node share.

The score of an end is that of its prior and of every node on its path that has examples. So what is learned
of one end speaks for those beside it, the more, the less is known of them (as in Salakhutdinov et al., 2011).
Minimises  sum_i log loss_i + ||V||² / (2 C)  over the weights V (d + 1) of those nodes. A node without an
example has no weights of its own: what its name says is left as it is, and what the nodes above it learn is
added. All ends share one more node, so that ends nobody chose are not likelier than what people choose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.tasks.label_fits import principal_basis
from model.tasks.path_links import Link
from model.tasks.paths import Tree

_TOLERANCE = 0.1  # of the largest slope, in nats; a tenth takes longer and answers no better
_MOST_STEPS = 150

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PathFits:
    """Weights (d + 1, e) from all rows, the bias last; scores (n, e) of rows by fits without their fold."""

    weights: Floats
    scores: Floats


def fit_paths(
    vectors: Floats,
    targets: Floats,
    *,
    folds: NDArray[np.intp],
    prior: Floats,
    shares: Floats,
    link: Link,
    inverse_regularisation: float,
) -> PathFits:
    """Fit vectors (n, d) to ends (n, e), once without each fold (n,) and once from all rows.

    prior (d + 1, e) is where the weights start and what they are drawn to; shares (e, s) says which of s
    nodes stand on the path to each end. Deterministic. Raises ValueError when a weight is not finite.
    """
    rows = np.concatenate([vectors, np.ones((len(vectors), 1), np.float32)], axis=1)
    lengths, basis = principal_basis(rows)
    held_back, offset = 1.0 / inverse_regularisation, rows @ prior
    stretch = (1.0 / np.sqrt(lengths / 4.0 + held_back)).astype(np.float32)  # after Böhning, 1992
    few = _merge_alike(targets, offset, shares)
    objective = _Objective(
        rows=(rows @ basis) * stretch,
        targets=few.targets[:, None, :],
        offset=few.offset[:, None, :],
        learns=(folds[:, None] != np.arange(int(folds.max()) + 2)).astype(np.float32),
        penalty=(held_back * stretch**2)[:, None, None],
        shares=few.shares,
        link=link,
    )
    found = _minimise(objective, (len(lengths), objective.learns.shape[1], shares.shape[1]))
    weights = np.asarray((basis * stretch) @ (found[:, -1] @ shares.T) + prior, dtype=np.float32)
    if not np.isfinite(weights).all():
        raise ValueError("fit_paths: the weights are not finite; look for embeddings that are not finite")
    held_out = objective.of_nodes(found)[np.arange(len(rows)), folds]
    return PathFits(weights, held_out @ shares.T + offset)


def shared_nodes(tree: Tree, ends: NDArray[np.intp], deepest: Floats) -> Floats:
    """Which nodes stand on the path to each end (e, s): those with examples (n, c), and one above all.

    Where answers stop above a leaf, the stop is one more node: else it would be as likely as each child that
    has no example.
    """
    seen = np.flatnonzero(tree.close(deepest).any(axis=0))
    stops = np.flatnonzero(deepest.any(axis=0) & ~tree.leaves)
    on_path = tree.through[np.ix_(ends, seen)]
    is_stop = (ends[:, None] == stops).astype(np.float32)
    return np.concatenate([on_path, is_stop, np.ones((len(ends), 1), np.float32)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Few:
    """What is fitted: targets and offsets (n, k) and shares (k, s) of k ends or groups of ends."""

    targets: Floats
    offset: Floats
    shares: Floats


def _merge_alike(targets: Floats, offset: Floats, shares: Floats) -> _Few:
    """Ends without an example that share all that is learned, as one end.

    Of one path an item this changes nothing; of several it is as good as exact while they are unlikely.
    """
    seen = np.flatnonzero(targets.any(axis=0))
    unseen = np.flatnonzero(~targets.any(axis=0))
    kinds, group = np.unique(shares[unseen], axis=0, return_inverse=True)
    merged = [
        np.logaddexp.reduce(offset[:, unseen[group.ravel() == number]], axis=1)
        for number in range(len(kinds))
    ]
    of_groups = np.stack(merged, axis=1) if merged else np.zeros((len(offset), 0), np.float32)
    return _Few(
        np.concatenate([targets[:, seen], np.zeros_like(of_groups)], axis=1),
        np.concatenate([offset[:, seen], of_groups], axis=1).astype(np.float32),
        np.concatenate([shares[seen], kinds]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Objective:
    """The loss of all fits and its slope, on stretched axes."""

    rows: Floats  # (n, r)
    targets: Floats  # (n, 1, k)
    offset: Floats  # (n, 1, k)
    learns: Floats  # (n, f)
    penalty: Floats  # (r, 1, 1)
    shares: Floats  # (k, s)
    link: Link

    def of_nodes(self, unknown: Floats) -> Floats:
        """Scores of nodes (n, f, s) from what is unknown (r, f, s)."""
        flat = self.rows @ unknown.reshape(len(unknown), -1)
        found: Floats = flat.reshape(len(self.rows), *unknown.shape[1:])
        return found

    def __call__(self, unknown: Floats) -> tuple[float, Floats]:
        """Loss in nats and its slope (r, f, s)."""
        scores = _flat_product(self.of_nodes(unknown), self.shares.T) + self.offset
        loss = float((self.link.loss(scores, self.targets) * self.learns).sum(dtype=np.float64))
        loss += 0.5 * float((self.penalty * unknown**2).sum(dtype=np.float64))
        error = (self.link.chances(scores) - self.targets) * self.learns[:, :, None]
        of_nodes = _flat_product(error, self.shares).reshape(len(error), -1)
        slope = (self.rows.T @ of_nodes).reshape(unknown.shape)
        return loss, slope + self.penalty * unknown


def _flat_product(stack: Floats, matrix: Floats) -> Floats:
    """A stack (n, f, a) times a matrix (a, b), in one product: five times as fast as n of them."""
    found: Floats = (stack.reshape(-1, stack.shape[2]) @ matrix).reshape(*stack.shape[:2], -1)
    return found


def _minimise(objective: _Objective, shape: tuple[int, int, int]) -> Floats:
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    def evaluate(flat: Numbers) -> tuple[float, Numbers]:
        loss, slope = objective(flat.astype(np.float32).reshape(shape))
        return loss, slope.astype(np.float64).ravel()

    options = {"maxiter": _MOST_STEPS, "gtol": _TOLERANCE, "ftol": 0.0, "maxcor": 10}
    done = minimize(evaluate, np.zeros(np.prod(shape)), jac=True, method="L-BFGS-B", options=options)
    found: Floats = done.x.astype(np.float32).reshape(shape)
    return found
