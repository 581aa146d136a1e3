"""Chances of several labels that mean what they say: one scale for all, one power for whole answers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

_CAUTION = 10.0  # as if so many rows had asked for logits as they are
_LEAST, _MOST = 0.05, 20.0  # of the slope and of the power

Numbers = NDArray[np.float64]


def fit_scaling(logits: Floats, targets: Floats) -> tuple[float, float]:
    """Slope and shift for which sigmoid(slope · logit + shift) has the least log loss (Platt, 1999).

    logits (n, c) must be out of fold. All labels share both, so that a rare one does not need its own; with
    few rows they are drawn to 1 and 0.
    """
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    z, t = logits.astype(np.float64), targets.astype(np.float64)

    def loss(at: Numbers) -> tuple[float, Numbers]:
        scaled = at[0] * z + at[1]
        error = 0.5 * (1.0 + np.tanh(0.5 * scaled)) - t
        held = 0.5 * _CAUTION * ((at[0] - 1.0) ** 2 + at[1] ** 2)
        slope = [(error * z).sum() + _CAUTION * (at[0] - 1.0), error.sum() + _CAUTION * at[1]]
        return float((np.logaddexp(0.0, scaled) - t * scaled).sum() + held), np.array(slope)

    bounds = [(_LEAST, _MOST), (-_MOST, _MOST)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), float(found[1])


def fit_power(log_chances: Numbers, right: NDArray[np.bool_]) -> float:
    """The power for which chance ** power says best how often a whole answer is right.

    log_chances (n,) are logarithms of the chance that every label is right, were labels independent; right
    (n,) says whether every one was. Below 1 labels go together. Drawn to 1 with few rows.
    """
    from scipy.optimize import minimize_scalar

    logs = np.minimum(log_chances, -1e-9)

    def loss(log_power: float) -> float:
        powered = math.exp(log_power) * logs
        losses = np.where(right, -powered, -np.log(-np.expm1(powered)))
        return float(losses.sum() + 0.5 * _CAUTION * log_power**2)

    bounds = (math.log(_LEAST), math.log(_MOST))
    return math.exp(float(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def label_calibration_error(chances: Floats, targets: Floats, *, bins: int = 10) -> float:
    """Expected calibration error of all chances (n, c), 0 to 1, over bins of equally many; 0 without rows."""
    order = np.argsort(chances.ravel(), kind="stable")
    said, given = chances.ravel()[order].astype(np.float64), targets.ravel()[order].astype(np.float64)
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return sum(abs(float((said[part] - given[part]).sum())) for part in parts) / max(len(order), 1)
