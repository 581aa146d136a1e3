"""What beliefs about held-out labels say of a head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibration_error, wilson_interval
from model.heads.trained import Metrics
from model.records import Labels, Probabilities

OUT_OF_FOLD = "out-of-fold"


def measure(out_of_fold: Probabilities, labels: Labels, audit: NDArray[np.bool_]) -> Metrics:
    """Metrics of beliefs out of fold about n labels; `audit` (n,) marks those that measure accuracy."""
    classes, rows = labels.classes, len(labels)
    correct = out_of_fold.values.argmax(axis=1) == classes
    likelihood = out_of_fold.values[np.arange(rows), classes].astype(np.float64)
    total, right = int(audit.sum()), int(correct[audit].sum())
    low, high = wilson_interval(right, total) if total else (None, None)
    return {
        "labels": float(rows),
        "classes_seen": float(len(np.unique(classes))),
        "out_of_fold_accuracy": float(correct.mean()) if rows else None,
        "out_of_fold_nll": float(-np.log(np.maximum(likelihood, 1e-30)).mean()) if rows else None,
        "ece": calibration_error(out_of_fold.values, classes) if rows else None,
        "audit_labels": float(total),
        "audit_correct": float(right),
        "audit_accuracy": right / total if total else None,
        "audit_low": low,
        "audit_high": high,
    }
