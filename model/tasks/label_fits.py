"""One-vs-rest logistic regression: every label of every fold fitted in one go.

Minimises  sum_i w_i · log loss_i + ||W - prior||² / (2 C)  for each label by itself, where the last row of
W (d + 1) is the bias. As in the head of a single choice the bias is held back too, so that a label that
nobody has given yet keeps what its name says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding
_TOLERANCE = 0.02  # of the largest slope, in nats
_MOST_STEPS = 150

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """f fits of c labels: weights (d + 1, f, c) with the bias last, and logits (n, f, c)."""

    weights: Floats
    logits: Floats


def fit_labels(
    vectors: Floats, targets: Floats, *, learns: Floats, prior: Floats, inverse_regularisation: float
) -> Fits:
    """Fit vectors (n, d) to multi-hot targets (n, c), once for each column of sample weights `learns` (n, f).

    prior (d + 1, c) is where the weights start and what they are drawn to. Deterministic. Raises ValueError
    when a weight comes out that is not finite.
    """
    rows = np.concatenate([vectors, np.ones((len(vectors), 1), np.float32)], axis=1)
    lengths, basis = principal_basis(rows)
    held_back = 1.0 / inverse_regularisation
    stretch = (1.0 / np.sqrt(lengths / 4.0 + held_back)).astype(
        np.float32
    )  # after the bound of Böhning, 1992
    objective = _Objective(
        rows=(rows @ basis) * stretch,
        targets=targets[:, None, :],
        offset=(rows @ prior)[:, None, :],
        learns=learns[:, :, None],
        penalty=(held_back * stretch**2)[:, None, None],
    )
    shape = (len(lengths), learns.shape[1], targets.shape[1])
    found = _minimise(objective, shape)
    learned = np.einsum("dr,rfc->dfc", basis * stretch, found, optimize=True)
    weights = np.asarray(learned + prior[:, None, :], dtype=np.float32)
    if not np.isfinite(weights).all():
        raise ValueError("fit_labels: the weights are not finite; look for embeddings that are not finite")
    return Fits(weights, objective.logits(found))


@dataclass(frozen=True, slots=True, eq=False)
class _Objective:
    """The loss of all fits and its slope, on stretched axes."""

    rows: Floats  # (n, r)
    targets: Floats  # (n, 1, c)
    offset: Floats  # (n, 1, c)
    learns: Floats  # (n, f, 1)
    penalty: Floats  # (r, 1, 1)

    def logits(self, unknown: Floats) -> Floats:
        """(n, f, c), from one product for all fits."""
        flat = self.rows @ unknown.reshape(len(unknown), -1)
        found: Floats = flat.reshape(len(self.rows), *unknown.shape[1:]) + self.offset
        return found

    def __call__(self, unknown: Floats) -> tuple[float, Floats]:
        """Loss in nats and its slope (r, f, c)."""
        logits = self.logits(unknown)
        losses = np.logaddexp(np.float32(0.0), logits) - self.targets * logits
        loss = float((losses * self.learns).sum(dtype=np.float64))
        loss += 0.5 * float((self.penalty * unknown**2).sum(dtype=np.float64))
        error = (sigmoid(logits) - self.targets) * self.learns
        slope = (self.rows.T @ error.reshape(len(error), -1)).reshape(unknown.shape)
        return loss, slope + self.penalty * unknown


def _minimise(objective: _Objective, shape: tuple[int, int, int]) -> Floats:
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    def evaluate(flat: Numbers) -> tuple[float, Numbers]:
        loss, slope = objective(flat.astype(np.float32).reshape(shape))
        return loss, slope.astype(np.float64).ravel()

    options = {"maxiter": _MOST_STEPS, "gtol": _TOLERANCE, "ftol": 0.0, "maxcor": 10}
    done = minimize(evaluate, np.zeros(np.prod(shape)), jac=True, method="L-BFGS-B", options=options)
    found: Floats = done.x.astype(np.float32).reshape(shape)
    return found


def principal_basis(rows: Floats) -> tuple[Numbers, Floats]:
    """Squared lengths (r,) and directions (d, r) of the space that rows (n, d) span; r is at most n and d."""
    precise = rows.astype(np.float64)
    count, width = precise.shape
    values, vectors = np.linalg.eigh(precise @ precise.T if count < width else precise.T @ precise)
    keep = values > _KEEP * values[-1]
    values, vectors = values[keep], vectors[:, keep]
    if count < width:
        vectors = precise.T @ vectors / np.sqrt(values)
    return values, vectors.astype(np.float32)


def sigmoid(logits: Floats) -> Floats:
    """Chances of logits of any shape."""
    chances: Floats = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return chances
