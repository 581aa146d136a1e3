"""Bradley and Terry's model of comparisons (1952), linear in vectors, with Davidson's ties (1970)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

LARGEST_TIE_WEIGHT = 1e4
_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding
_MOST_STEPS = 200
_HALVINGS = 60

Numbers = NDArray[np.float64]


def pair_chances(margins: Numbers, tie_weight: float) -> Numbers:
    """Chances (n, 3) of left, right and neither from margins (n,) of the left side; rows sum to 1.

    The negative margin gives the chances of the sides swapped, bit for bit.
    """
    half = margins / 2.0
    size = np.abs(half)
    tie = np.log(tie_weight) if tie_weight > 0 else -np.inf
    total = np.logaddexp(size + np.log1p(np.exp(-2.0 * size)), tie)
    chances: Numbers = np.exp(np.stack([half - total, -half - total, tie - total], axis=1))
    return chances


def fit_tie_weight(margins: Numbers, is_tie: NDArray[np.bool_]) -> float:
    """The weight of ties under which as many ties are expected as there are: Davidson's likeliest.

    margins (n,) must be out of fold. 0 without ties, and at most 10,000.
    """
    ties = int(is_tie.sum())
    if not ties:
        return 0.0
    sides = 2.0 * np.cosh(np.minimum(np.abs(margins), 100.0) / 2.0)
    low, high = np.log(1.0 / LARGEST_TIE_WEIGHT), np.log(LARGEST_TIE_WEIGHT)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        weight = np.exp(middle)
        if (weight / (sides + weight)).sum() > ties:
            high = middle
        else:
            low = middle
    return min(float(np.exp((low + high) / 2.0)), LARGEST_TIE_WEIGHT)


def fit_comparisons(rows: Numbers, is_tie: NDArray[np.bool_], strength: float) -> Numbers:
    """Weights (d,) of least log loss + ||w||² / (2 C) of rows (n, d) of winner less loser.

    A tie counts as half a win of each side. Zeros without rows that differ. Deterministic.
    """
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    basis = _row_space(rows)
    if not basis.shape[1]:
        return np.zeros(rows.shape[1])
    seen = rows @ basis
    won, lost = np.where(is_tie, 0.5, 1.0), np.where(is_tie, 0.5, 0.0)

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        margins = seen @ weights
        value = won @ np.logaddexp(0.0, -margins) + lost @ np.logaddexp(0.0, margins)
        slopes = lost * expit(margins) - won * expit(-margins)
        return float(value + 0.5 / strength * (weights @ weights)), weights / strength + seen.T @ slopes

    found = minimize(
        loss, np.zeros(basis.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS}
    )
    weights: Numbers = basis @ found.x
    return weights


def _row_space(rows: Numbers) -> Numbers:
    """Orthonormal directions (d, r) that rows (n, d) span: fewer unknowns while labels are few."""
    if len(rows) >= rows.shape[1]:
        return np.eye(rows.shape[1])
    values, vectors = np.linalg.eigh(rows @ rows.T)
    keep = values > max(_KEEP * float(values.max(initial=0.0)), 1e-12)
    basis: Numbers = rows.T @ (vectors[:, keep] / np.sqrt(values[keep]))
    return basis
