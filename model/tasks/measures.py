"""What answers out of fold say of a head of any kind, under the names that single choices use too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.calibration import wilson_interval
from model.records import Labels


def measure_answers(
    right: NDArray[np.bool_], labels: Labels, audit: NDArray[np.bool_]
) -> dict[str, float | None]:
    """Metrics of a head: `right` (n,) says which held-out answers were given in every part.

    audit (n,) marks rows drawn at random: only they measure accuracy.
    """
    total, correct = int(audit.sum()), int(right[audit].sum())
    low, high = wilson_interval(correct, total) if total else (None, None)
    return {
        "labels": float(len(labels)),
        "classes_seen": float((labels.targets != 0).any(axis=0).sum()) if len(labels) else 0.0,
        "out_of_fold_accuracy": float(right.mean()) if len(right) else None,
        "audit_labels": float(total),
        "audit_correct": float(correct),
        "audit_accuracy": correct / total if total else None,
        "audit_low": low,
        "audit_high": high,
    }
