"""The chance from which a label is given: one for all labels, moved for labels with many positives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

_CAUTION = 20.0  # as if so many given labels had asked for the threshold that theory expects
_LABEL_CAUTION = 30.0  # as if so many positives of a label had asked for the common threshold
LOWEST, HIGHEST = 0.02, 0.9

Numbers = NDArray[np.float64]


def choose_thresholds(chances: Floats, targets: Floats) -> Floats:
    """The threshold (c,) of each label that gives the best F1, from out-of-fold chances (n, c).

    All labels share the threshold of the best micro F1; with few labels given it is drawn to half the best
    F1, which is where it lies for calibrated chances (Lipton et al., 2014). A label's own best threshold
    counts the more, the more positives (targets (n, c) of 1) it has. Always from .02 to .9.
    """
    given = targets > 0
    raw, best = _best_threshold(chances.ravel(), given.ravel())
    common = _mix(raw, best / 2.0, float(given.sum()), _CAUTION)
    found = np.full(given.shape[1], common)
    for label, positives in enumerate(given.sum(axis=0)):
        if positives:
            own, _ = _best_threshold(chances[:, label], given[:, label])
            found[label] = _mix(own, common, float(positives), _LABEL_CAUTION)
    return np.asarray(np.clip(found, LOWEST, HIGHEST), dtype=np.float32)


def _best_threshold(chances: Floats, given: NDArray[np.bool_]) -> tuple[float, float]:
    """The threshold of the highest F1 and that F1; (.5, 1) where nothing was given."""
    if not given.any():
        return 0.5, 1.0
    order = np.argsort(-chances, kind="stable")
    sorted_chances, hits = chances[order].astype(np.float64), np.cumsum(given[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + given.sum())
    ends = np.append(sorted_chances[1:] < sorted_chances[:-1], True)  # equal chances stand or fall together
    place = int(np.argmax(np.where(ends, f1, -1.0)))
    below = sorted_chances[place + 1] if place + 1 < len(order) else 0.0
    return float(sorted_chances[place] + below) / 2.0, float(f1[place])


def _mix(own: float, shared: float, weight: float, caution: float) -> float:
    return (weight * own + caution * shared) / (weight + caution)
